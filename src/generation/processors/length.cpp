#include "length.h"

#include <cmath>
#include <limits>

namespace trustformers {

void MinLength::process(const RowState& row, std::span<float> scores) {
  if (row.ids.size() >= length_) return;
  for (const std::int64_t id : eos_)
    if (id >= 0 && static_cast<std::size_t>(id) < scores.size())
      scores[static_cast<std::size_t>(id)] = -std::numeric_limits<float>::infinity();
}

void LengthDecay::process(const RowState& row, std::span<float> scores) {
  if (row.ids.size() <= start_) return;
  const double gain = std::pow(factor_, static_cast<double>(row.ids.size() - start_)) - 1;
  for (const std::int64_t id : eos_) {
    if (id < 0 || static_cast<std::size_t>(id) >= scores.size()) continue;
    float& score = scores[static_cast<std::size_t>(id)];
    if (std::isfinite(score)) score += static_cast<float>(std::abs(score) * gain);
  }
}

}  // namespace trustformers
