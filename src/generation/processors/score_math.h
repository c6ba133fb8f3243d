// Sums over a row of scores, shared by processors.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace trustformers {

/// The score of what must not be chosen.
inline constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

/// What softmax(scores) needs: probability i is exp(scores[i] - largest) / total.
struct SoftmaxSums {
  double largest = 0;
  double total = 0;
  /// 0 for -inf. Rounded to float, as the reference's probabilities are: what underflows there does here.
  float probability(float score) const;
  double log_total() const;
};
/// -inf everywhere gives total 0.
SoftmaxSums softmax_sums(std::span<const float> scores);

/// -sum p log p of softmax(scores).
double entropy(std::span<const float> scores, const SoftmaxSums& sums);

/// scores - log(sum exp(scores))
void log_softmax_in_place(std::span<float> scores);

/// Sorts by falling score; equal ones stay in their order.
template <class T, class Score>
void sort_falling(std::vector<T>& list, Score score) {
  std::vector<std::size_t> order(list.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto x = score(list[a]), y = score(list[b]);
    return x != y ? x > y : a < b;
  });
  std::vector<T> out;
  out.reserve(list.size());
  for (const std::size_t i : order) out.push_back(std::move(list[i]));
  list = std::move(out);
}

/// The k-th largest score, k in [1, scores.size()].
float kth_largest(std::span<const float> scores, std::int64_t k, std::vector<float>& scratch);

}  // namespace trustformers
