#include "logits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "../base/error.h"
#include "../base/rng.h"

namespace trustformers {
namespace {
constexpr float minus_infinity = -std::numeric_limits<float>::infinity();
}

void apply_repetition_penalty(std::span<float> scores, std::span<const std::int64_t> seen, double penalty,
                              std::vector<std::uint8_t>& marks) {
  if (penalty == 1) return;
  marks.resize(scores.size());
  const auto factor = static_cast<float>(penalty);
  for (const std::int64_t id : seen) {
    if (id < 0 || id >= static_cast<std::int64_t>(scores.size())) continue;
    const auto at = static_cast<std::size_t>(id);
    if (marks[at]) continue;
    marks[at] = 1;
    scores[at] = scores[at] < 0 ? scores[at] * factor : scores[at] / factor;
  }
  for (const std::int64_t id : seen)
    if (id >= 0 && id < static_cast<std::int64_t>(scores.size())) marks[static_cast<std::size_t>(id)] = 0;
}

void apply_temperature(std::span<float> scores, double temperature) {
  const auto t = static_cast<float>(temperature);
  if (t != 1)
    for (float& s : scores) s /= t;
}

void apply_top_k(std::span<float> scores, std::int64_t k, std::vector<float>& scratch) {
  if (k <= 0 || k >= static_cast<std::int64_t>(scores.size())) return;
  scratch.assign(scores.begin(), scores.end());
  std::nth_element(scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(k - 1), scratch.end(),
                   std::greater<>());
  const float least = scratch[static_cast<std::size_t>(k - 1)];
  for (float& s : scores)
    if (s < least) s = minus_infinity;
}

void apply_top_p(std::span<float> scores, double p, std::vector<std::int32_t>& order) {
  if (p >= 1 || scores.empty()) return;
  order.resize(scores.size());
  std::iota(order.begin(), order.end(), 0);
  // Tokens that are out already need no sorting.
  const auto alive = std::partition(order.begin(), order.end(), [&](std::int32_t i) {
    return scores[static_cast<std::size_t>(i)] != minus_infinity;
  });
  const auto score = [&](std::int32_t i) { return scores[static_cast<std::size_t>(i)]; };
  std::sort(order.begin(), alive,
            [&](std::int32_t a, std::int32_t b) { return score(a) != score(b) ? score(a) < score(b) : a > b; });
  if (order.begin() == alive) return;
  const double most = score(*(alive - 1));
  double total = 0;
  for (auto it = order.begin(); it != alive; ++it) total += std::exp(score(*it) - most);
  double sum = 0;
  for (auto it = order.begin(); it + 1 != alive; ++it) {
    sum += std::exp(score(*it) - most) / total;
    if (sum > 1 - p) break;
    scores[static_cast<std::size_t>(*it)] = minus_infinity;
  }
}

void apply_forced_tokens(std::span<float> scores, std::span<const std::int64_t> ids) {
  std::fill(scores.begin(), scores.end(), minus_infinity);
  for (const std::int64_t id : ids) {
    check(id >= 0 && id < static_cast<std::int64_t>(scores.size()), ErrorCode::out_of_range, "[generate] the token ",
          id, " that is to be forced is not among ", scores.size());
    scores[static_cast<std::size_t>(id)] = 0;
  }
}

std::int64_t argmax_token(std::span<const float> scores) {
  return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

std::int64_t sample_token(std::span<const float> scores, double uniform) {
  const double most = scores[static_cast<std::size_t>(argmax_token(scores))];
  double total = 0;
  for (const float s : scores) total += std::exp(s - most);
  double rest = uniform * total;
  std::int64_t last = argmax_token(scores);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double weight = std::exp(scores[i] - most);
    if (weight <= 0) continue;
    last = static_cast<std::int64_t>(i);
    rest -= weight;
    if (rest < 0) break;
  }
  return last;
}

std::int64_t TokenChooser::choose(std::span<float> scores, std::span<const std::int64_t> seen, std::uint64_t row,
                                  std::uint64_t step, bool last) {
  float sum = 0;  // one NaN makes it NaN; infinities of both signs do too, and are as wrong
  for (const float s : scores) sum += s == minus_infinity ? 0 : s;
  check(!std::isnan(sum), ErrorCode::numeric, "[generate] the scores of token ", step, " hold NaN");
  apply_repetition_penalty(scores, seen, config_.repetition_penalty, marks_);
  if (config_.forced_bos_token_id && seen.size() == 1)
    apply_forced_tokens(scores, std::span(&*config_.forced_bos_token_id, 1));
  if (!config_.forced_eos_token_id.empty() && last) apply_forced_tokens(scores, config_.forced_eos_token_id);
  if (!config_.do_sample) return argmax_token(scores);
  apply_temperature(scores, config_.temperature);
  apply_top_k(scores, config_.top_k, scratch_);
  apply_top_p(scores, config_.top_p, order_);
  return sample_token(scores, Philox(config_.seed, row).uniform_double(step));
}

}  // namespace trustformers
