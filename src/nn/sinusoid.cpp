#include "sinusoid.h"

#include <cmath>

namespace trustformers {

Tensor sinusoidal_positions(const Tensor& positions, std::int64_t width, SinusoidSpacing spacing) {
  check(positions.rank() == 2 && width >= 4, ErrorCode::shape_mismatch,
        "[sinusoid] needs positions [B, L] and a width of at least 4, got ", describe(positions), " and ", width);
  const bool paper = spacing == SinusoidSpacing::paper;
  const std::int64_t cosines = width / 2;
  const std::int64_t sines = paper ? width - cosines : cosines;
  const std::vector<std::int64_t> at = positions.to_vector<std::int64_t>();
  Tensor out = Tensor::zeros({positions.size(0), positions.size(1), width});
  float* row = out.mutable_data<float>();
  // In f32 from the exponents on, as the tables of the reference: far positions magnify rounding.
  const double steps = paper ? static_cast<double>(width) / 2 : static_cast<double>(cosines - 1);
  const auto step = static_cast<float>(-std::log(10000.0) / steps);
  for (const std::int64_t position : at) {
    for (std::int64_t i = 0; i < sines; ++i) {
      const float angle = static_cast<float>(position) * std::exp(static_cast<float>(i) * step);
      row[i] = std::sin(angle);
      if (i < cosines) row[sines + i] = std::cos(angle);
    }
    row += width;
  }
  return out;
}

}  // namespace trustformers
