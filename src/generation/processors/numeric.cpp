#include "numeric.h"

#include <cmath>
#include <limits>

#include "score_math.h"

namespace trustformers {

void RemoveInvalid::process(const RowState&, std::span<float> scores) {
  constexpr float largest = std::numeric_limits<float>::max();
  for (float& s : scores) {
    if (std::isnan(s))
      s = 0;
    else if (std::isinf(s))
      s = s > 0 ? largest : -largest;
  }
}

void Renormalize::process(const RowState&, std::span<float> scores) { log_softmax_in_place(scores); }

void apply_guidance(std::span<float> conditional, std::span<const float> unconditional, double scale) {
  const auto factor = static_cast<float>(scale);
  for (std::size_t i = 0; i < conditional.size(); ++i)
    conditional[i] = unconditional[i] + (conditional[i] - unconditional[i]) * factor;
}

}  // namespace trustformers
