#include "alibi.h"

#include <bit>
#include <cmath>

#include "../base/half.h"

namespace trustformers {

std::vector<float> Alibi::slopes(std::int64_t heads) {
  check(heads > 0, ErrorCode::invalid_argument, "[alibi] needs at least one head, got ", heads);
  const auto power = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(heads)));
  std::vector<float> out;
  for (std::int64_t i = 0; i < heads; ++i) {
    const double exponent = i < power ? static_cast<double>(i + 1) : static_cast<double>(i - power) + 0.5;
    out.push_back(static_cast<float>(std::exp2(-8 * exponent / static_cast<double>(power))));
  }
  return out;
}

Alibi::Alibi(std::int64_t heads, Precision precision, double scale)
    : slopes_(slopes(heads)), precision_(precision), scale_(static_cast<float>(scale)) {}

Tensor Alibi::operator()(const Tensor& positions) const {
  const auto rounded = [&](float x) { return precision_ == Precision::bf16 ? to_float(to_bf16(x)) : x; };
  const std::int64_t batch = positions.size(0);
  const std::int64_t keys = positions.size(1);
  const std::vector<std::int64_t> at = positions.to_vector<std::int64_t>();
  Tensor out = Tensor::empty({batch, static_cast<std::int64_t>(slopes_.size()), 1, keys});
  float* data = out.mutable_data<float>();
  for (std::int64_t b = 0; b < batch; ++b)
    for (const float slope : slopes_)
      for (std::int64_t s = 0; s < keys; ++s) {
        const auto position = static_cast<float>(at[static_cast<std::size_t>(b * keys + s)]);
        *data++ = rounded(rounded(slope) * rounded(position)) * scale_;
      }
  return out;
}

}  // namespace trustformers
