#include "sinusoid.h"

#include <algorithm>
#include <cmath>

#include "../ops/index/index.h"
#include "attention.h"

namespace trustformers {

Tensor SinusoidalPositions::operator()(const Tensor& positions) const {
  const std::int64_t needed = positions_needed(positions);
  if (!table_->defined() || table_->size(0) < needed || &table_->device() != &positions.device())
    *table_ = table(std::max<std::int64_t>(64, 2 * needed));
  return embedding(*table_, positions);
}

Tensor SinusoidalPositions::table(std::int64_t rows) const {
  Tensor out = Tensor::zeros({rows, width_});
  float* data = out.mutable_data<float>();
  if (spacing_ == Spacing::open) {
    const std::int64_t sines = (width_ + 1) / 2;
    for (std::int64_t j = 0; j < sines; ++j) {
      const double divisor = std::pow(10000.0, static_cast<double>(2 * j) / static_cast<double>(width_));
      for (std::int64_t p = 0; p < rows; ++p) {
        const double angle = static_cast<double>(p) / divisor;
        data[p * width_ + j] = static_cast<float>(std::sin(angle));
        if (sines + j < width_) data[p * width_ + sines + j] = static_cast<float>(std::cos(angle));
      }
    }
    return out;
  }
  // In f32, as fairseq's models had it when they were trained: far positions show the rounding of the angle.
  const std::int64_t half = width_ / 2;
  const auto step = static_cast<float>(-std::log(10000.0) / static_cast<double>(half - 1));
  for (std::int64_t j = 0; j < half; ++j) {
    const float frequency = std::exp(static_cast<float>(j) * step);
    for (std::int64_t p = 0; p < rows; ++p) {
      const float angle = static_cast<float>(p) * frequency;
      data[p * width_ + j] = std::sin(angle);
      data[p * width_ + half + j] = std::cos(angle);
    }
  }
  return out;
}

}  // namespace trustformers
