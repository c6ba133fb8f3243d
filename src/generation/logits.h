// Choosing the next token: processors of scores and the sampler. All work on one row of scores in place.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config.h"

namespace trustformers {

/// Divides positive and multiplies negative scores of the tokens in `seen` by `penalty`, each once.
/// `marks` is scratch space of one entry a token, all zero before and after.
void apply_repetition_penalty(std::span<float> scores, std::span<const std::int64_t> seen, double penalty,
                              std::vector<std::uint8_t>& marks);
/// scores / temperature
void apply_temperature(std::span<float> scores, double temperature);
/// -inf for all scores below the k-th largest (ties with it stay, as in transformers).
void apply_top_k(std::span<float> scores, std::int64_t k, std::vector<float>& scratch);
/// -inf for the tail of tokens whose probabilities, from the least likely up, sum to at most 1 - p; one token stays.
void apply_top_p(std::span<float> scores, double p, std::vector<std::int32_t>& order);
/// 0 for `ids` and -inf for all other tokens.
void apply_forced_tokens(std::span<float> scores, std::span<const std::int64_t> ids);
/// The first largest score.
std::int64_t argmax_token(std::span<const float> scores);
/// Draws from softmax(scores) with a uniform number in [0, 1).
std::int64_t sample_token(std::span<const float> scores, double uniform);

/// All of the above for one row of a generation, in transformers' order. Keeps its scratch space, so that choosing a
/// token allocates nothing after the first.
class TokenChooser {
 public:
  explicit TokenChooser(const GenerationConfig& config) : config_(config) {}
  /// `scores` [V] are changed; `seen` is the prompt (padding included) and what came after; `row` and `step` address
  /// the random numbers; `last` when no more tokens follow. Throws numeric when a score is NaN.
  std::int64_t choose(std::span<float> scores, std::span<const std::int64_t> seen, std::uint64_t row,
                      std::uint64_t step, bool last);

 private:
  GenerationConfig config_;
  std::vector<std::uint8_t> marks_;
  std::vector<float> scratch_;
  std::vector<std::int32_t> order_;
};

}  // namespace trustformers
