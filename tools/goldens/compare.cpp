#include "compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace trustformers::goldens {

double relative_error(const Tensor& got, const Tensor& expected, const std::vector<bool>& kept) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  if (!got.defined() || got.shape() != expected.shape()) return infinite;
  const std::vector<double> ours = got.to_vector<double>(), theirs = expected.to_vector<double>();
  const std::size_t slice = kept.empty() ? 1 : theirs.size() / kept.size();
  double lowest = infinite, highest = -infinite, error = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    if (!kept.empty() && !kept[i / slice]) continue;
    if (std::isfinite(theirs[i])) {
      lowest = std::min(lowest, theirs[i]);
      highest = std::max(highest, theirs[i]);
      const double distance = std::fabs(ours[i] - theirs[i]);
      error = distance <= error ? error : distance;  // a NaN stays
    } else if (ours[i] != theirs[i] && !(std::isnan(ours[i]) && std::isnan(theirs[i]))) {
      return infinite;
    }
  }
  if (error == 0) return 0;
  if (std::isnan(error)) return infinite;
  const double spread = highest > lowest ? highest - lowest : std::max(1.0, std::fabs(highest));
  return error / spread;
}

std::vector<bool> unpadded_positions(const Tensor& attention_mask, const Shape& output) {
  if (!attention_mask.defined() || attention_mask.rank() != 2 || output.size() < 2) return {};
  if (output[0] != attention_mask.size(0) || output[1] != attention_mask.size(1)) return {};
  std::vector<bool> kept;
  for (const std::int64_t seen : attention_mask.to_vector<std::int64_t>()) kept.push_back(seen != 0);
  return kept;
}

}  // namespace trustformers::goldens
