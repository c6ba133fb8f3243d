#include "truncation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../../base/error.h"
#include "../../base/rng.h"
#include "score_math.h"

namespace trustformers {
namespace {

/// The stream of Xtc's random numbers; the sampler draws from stream 0.
constexpr std::uint64_t xtc_stream = 1;

void check_range(bool inside, const char* name, const char* range, double value) {
  check(inside, ErrorCode::invalid_argument, "[generation] ", name, " must lie in ", range, ", got ", value);
}

/// Scores at or above this stay whatever the probability says.
float protected_score(std::span<const float> scores, const KeepRule& keep, std::vector<float>& scratch) {
  return kth_largest(scores, std::min(keep.at_least, static_cast<std::int64_t>(scores.size())), scratch);
}

/// Removes tokens less likely than `cut`, save the protected ones.
void drop_below(std::span<float> scores, const SoftmaxSums& sums, double cut, const KeepRule& keep,
                std::vector<float>& scratch) {
  const float safe = protected_score(scores, keep, scratch);
  const auto limit = static_cast<float>(cut);
  for (float& s : scores)
    if (s < safe && sums.probability(s) < limit) s = keep.removed;
}

/// Indices of the tokens that are not out yet.
void list_alive(std::span<const float> scores, std::vector<std::int32_t>& order) {
  order.clear();
  order.reserve(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (scores[i] != minus_infinity) order.push_back(static_cast<std::int32_t>(i));
}

}  // namespace

Temperature::Temperature(double temperature) : temperature_(static_cast<float>(temperature)) {
  check(temperature > 0, ErrorCode::invalid_argument, "[generation] temperature must be positive, got ", temperature,
        "; for the likeliest token set do_sample to false");
}

void Temperature::process(const RowState&, std::span<float> scores) {
  for (float& s : scores) s /= temperature_;
}

TopK::TopK(std::int64_t k, KeepRule keep) : k_(std::max(k, keep.at_least)), keep_(keep) {
  check(k > 0, ErrorCode::invalid_argument, "[generation] top_k must be positive, got ", k);
}

void TopK::process(const RowState&, std::span<float> scores) {
  if (k_ >= static_cast<std::int64_t>(scores.size())) return;
  const float least = kth_largest(scores, k_, scratch_);
  for (float& s : scores)
    if (s < least) s = keep_.removed;
}

TopP::TopP(double p, KeepRule keep) : p_(p), keep_(keep) { check_range(p >= 0 && p <= 1, "top_p", "[0, 1]", p); }

void TopP::process(const RowState&, std::span<float> scores) {
  const SoftmaxSums sums = softmax_sums(scores);
  list_alive(scores, order_);
  const auto score = [&](std::int32_t i) { return scores[static_cast<std::size_t>(i)]; };
  // Of equal scores the later token goes first.
  std::sort(order_.begin(), order_.end(),
            [&](std::int32_t a, std::int32_t b) { return score(a) != score(b) ? score(a) < score(b) : a > b; });
  double sum = 0;
  const auto count = static_cast<std::int64_t>(order_.size());
  for (std::int64_t i = 0; i < count - keep_.at_least; ++i) {
    const std::int32_t at = order_[static_cast<std::size_t>(i)];
    sum += sums.probability(score(at));
    if (sum > 1 - p_) break;
    scores[static_cast<std::size_t>(at)] = keep_.removed;
  }
}

MinP::MinP(double min_p, KeepRule keep) : min_p_(min_p), keep_(keep) {
  check_range(min_p >= 0 && min_p <= 1, "min_p", "[0, 1]", min_p);
}

void MinP::process(const RowState&, std::span<float> scores) {
  const SoftmaxSums sums = softmax_sums(scores);
  drop_below(scores, sums, min_p_ * sums.probability(static_cast<float>(sums.largest)), keep_, scratch_);
}

TopH::TopH(double top_h) : top_h_(top_h) { check_range(top_h > 0 && top_h <= 1, "top_h", "(0, 1]", top_h); }

void TopH::process(const RowState&, std::span<float> scores) {
  constexpr std::ptrdiff_t considered = 100;
  list_alive(scores, order_);
  const auto score = [&](std::int32_t i) { return scores[static_cast<std::size_t>(i)]; };
  const auto top = std::min(considered, static_cast<std::ptrdiff_t>(order_.size()));
  std::partial_sort(order_.begin(), order_.begin() + top, order_.end(),
                    [&](std::int32_t a, std::int32_t b) { return score(a) != score(b) ? score(a) > score(b) : a < b; });
  order_.resize(static_cast<std::size_t>(top));
  if (order_.empty()) return;
  const double largest = score(order_[0]);
  double total = 0;
  for (const std::int32_t i : order_) total += std::exp(score(i) - largest);
  const auto term = [&](std::int32_t i) {
    const double log_p = score(i) - largest - std::log(total);
    return -std::exp(log_p) * log_p;
  };
  double whole = 0;
  for (const std::int32_t i : order_) whole += term(i);
  double sum = term(order_[0]);
  std::size_t kept = 1;
  while (kept < order_.size() && (sum += term(order_[kept])) <= whole * top_h_) ++kept;
  order_.resize(kept);
  std::sort(order_.begin(), order_.end());
  std::size_t next = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (next < order_.size() && static_cast<std::size_t>(order_[next]) == i)
      ++next;
    else
      scores[i] = minus_infinity;
  }
}

TypicalP::TypicalP(double mass, KeepRule keep) : mass_(mass), keep_(keep) {
  check_range(mass > 0 && mass < 1, "typical_p", "(0, 1)", mass);
}

void TypicalP::process(const RowState&, std::span<float> scores) {
  const SoftmaxSums sums = softmax_sums(scores);
  const double expected = entropy(scores, sums);
  distance_.resize(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i)
    distance_[i] = static_cast<float>(std::abs(sums.log_total() - scores[i] - expected));
  list_alive(scores, order_);
  const auto distance = [&](std::int32_t i) { return distance_[static_cast<std::size_t>(i)]; };
  std::sort(order_.begin(), order_.end(), [&](std::int32_t a, std::int32_t b) {
    return distance(a) != distance(b) ? distance(a) < distance(b) : a < b;
  });
  if (order_.empty()) return;
  double sum = 0;
  std::size_t last = 0;  // the first token with which the mass is reached
  for (; last + 1 < order_.size(); ++last) {
    sum += sums.probability(scores[static_cast<std::size_t>(order_[last])]);
    if (sum >= mass_) break;
  }
  const float cut = distance(order_[last]);
  for (std::size_t i = static_cast<std::size_t>(keep_.at_least); i < order_.size(); ++i)
    if (distance(order_[i]) > cut) scores[static_cast<std::size_t>(order_[i])] = keep_.removed;
}

EpsilonCutoff::EpsilonCutoff(double epsilon, KeepRule keep) : epsilon_(epsilon), keep_(keep) {
  check_range(epsilon > 0 && epsilon < 1, "epsilon_cutoff", "(0, 1)", epsilon);
}

void EpsilonCutoff::process(const RowState&, std::span<float> scores) {
  drop_below(scores, softmax_sums(scores), epsilon_, keep_, scratch_);
}

EtaCutoff::EtaCutoff(double epsilon, KeepRule keep) : epsilon_(epsilon), keep_(keep) {
  check_range(epsilon > 0 && epsilon < 1, "eta_cutoff", "(0, 1)", epsilon);
}

void EtaCutoff::process(const RowState&, std::span<float> scores) {
  const SoftmaxSums sums = softmax_sums(scores);
  const double cut = std::min(epsilon_, std::sqrt(epsilon_) * std::exp(-entropy(scores, sums)));
  drop_below(scores, sums, cut, keep_, scratch_);
}

Xtc::Xtc(double probability, double threshold) : probability_(probability), threshold_(threshold) {
  check_range(probability >= 0 && probability <= 1, "xtc_probability", "[0, 1]", probability);
  check_range(threshold >= 0 && threshold <= 1, "xtc_threshold", "[0, 1]", threshold);
}

void Xtc::process(const RowState& row, std::span<float> scores) {
  if (Philox(row.seed, xtc_stream).uniform_double(row.step()) >= probability_) return;
  const SoftmaxSums sums = softmax_sums(scores);
  const auto limit = static_cast<float>(threshold_);
  std::ptrdiff_t stays = -1;  // the least likely token above the threshold
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (scores[i] != minus_infinity && sums.probability(scores[i]) >= limit &&
        (stays < 0 || scores[i] < scores[static_cast<std::size_t>(stays)]))
      stays = static_cast<std::ptrdiff_t>(i);
  if (stays < 0) return;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (static_cast<std::ptrdiff_t>(i) != stays && sums.probability(scores[i]) >= limit) scores[i] = minus_infinity;
}

}  // namespace trustformers
