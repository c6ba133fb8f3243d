#include "score_math.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace trustformers {
namespace {}

float SoftmaxSums::probability(float score) const {
  if (score == minus_infinity) return 0;
  return static_cast<float>(std::exp(score - largest) / total);
}

double SoftmaxSums::log_total() const { return largest + std::log(total); }

SoftmaxSums softmax_sums(std::span<const float> scores) {
  SoftmaxSums sums;
  if (scores.empty()) return sums;
  const float largest = *std::max_element(scores.begin(), scores.end());
  if (largest == minus_infinity) return sums;
  sums.largest = largest;
  for (const float s : scores)
    if (s != minus_infinity) sums.total += std::exp(s - sums.largest);
  return sums;
}

double entropy(std::span<const float> scores, const SoftmaxSums& sums) {
  double sum = 0;
  for (const float s : scores) {
    if (s == minus_infinity) continue;
    const double shifted = s - sums.largest;
    sum -= std::exp(shifted) / sums.total * (shifted - std::log(sums.total));
  }
  return sum;
}

void log_softmax_in_place(std::span<float> scores) {
  const SoftmaxSums sums = softmax_sums(scores);
  const double shift = sums.log_total();
  for (float& s : scores) s = static_cast<float>(s - shift);
}

float kth_largest(std::span<const float> scores, std::int64_t k, std::vector<float>& scratch) {
  scratch.assign(scores.begin(), scores.end());
  const auto at = scratch.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(scratch.begin(), at, scratch.end(), std::greater<>());
  return *at;
}

}  // namespace trustformers
