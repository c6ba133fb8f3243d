#include "sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../base/error.h"
#include "../base/rng.h"
#include "processor_list.h"
#include "processors/score_math.h"

namespace trustformers {
namespace {}

std::int64_t argmax_token(std::span<const float> scores) {
  return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

std::int64_t sample_token(std::span<const float> scores, double uniform) {
  const SoftmaxSums sums = softmax_sums(scores);
  double rest = uniform * sums.total;
  std::int64_t last = argmax_token(scores);  // where rounding leaves a rest
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] == minus_infinity) continue;
    const double weight = std::exp(scores[i] - sums.largest);
    if (weight <= 0) continue;
    last = static_cast<std::int64_t>(i);
    rest -= weight;
    if (rest < 0) break;
  }
  return last;
}

void check_scores(std::span<const float> scores, std::uint64_t step) {
  float sum = 0;  // one NaN makes it NaN; infinities of both signs do too, and are as wrong
  for (const float s : scores) sum += s == minus_infinity ? 0 : s;
  check(!std::isnan(sum), ErrorCode::numeric, "[generate] the scores of token ", step, " hold NaN");
}

TokenChooser::TokenChooser(const GenerationConfig& config, std::size_t prompt_length, std::size_t max_length)
    : processors_(make_logits_processors(config, prompt_length, max_length)),
      sample_(config.do_sample),
      invalid_scores_removed_(config.remove_invalid_values) {}

std::optional<std::int64_t> TokenChooser::forced(const RowState& row) {
  for (const auto& processor : processors_)
    if (const auto token = processor->forced(row)) return token;
  return std::nullopt;
}

std::int64_t TokenChooser::choose(const RowState& row, std::span<float> scores) {
  if (!invalid_scores_removed_) check_scores(scores, row.step());
  process_scores(processors_, row, scores);
  const std::int64_t best = argmax_token(scores);
  check(scores[static_cast<std::size_t>(best)] != minus_infinity, ErrorCode::invalid_argument,
        "[generate] the settings leave no token that may come after ", row.ids.size(), " tokens");
  return sample_ ? sample_token(scores, Philox(row.seed).uniform_double(row.step())) : best;
}

}  // namespace trustformers
