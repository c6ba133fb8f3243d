// Choosing the next token of a row from its scores.
#pragma once

#include <cstdint>
#include <span>

#include "config.h"

namespace trustformers {

/// The first largest score.
std::int64_t argmax_token(std::span<const float> scores);
/// Draws from softmax(scores) with a uniform number in [0, 1): the token in whose stretch of the cumulated
/// probabilities the number falls.
std::int64_t sample_token(std::span<const float> scores, double uniform);
/// Throws numeric when a score is NaN or +inf.
void check_scores(std::span<const float> scores, std::uint64_t step);

/// Processors and choice for the rows of one generation. Choosing allocates nothing after the first time.
class TokenChooser {
 public:
  /// As make_logits_processors.
  TokenChooser(const GenerationConfig& config, std::size_t prompt_length, std::size_t max_length);
  /// `scores` [V] are changed. Throws numeric for NaN, invalid_argument when every token is out.
  std::int64_t choose(const RowState& row, std::span<float> scores);
  /// The only token that may come, if a processor knows it without scores.
  std::optional<std::int64_t> forced(const RowState& row);
  const LogitsProcessors& processors() const { return processors_; }

 private:
  LogitsProcessors processors_;
  bool sample_;
  bool invalid_scores_removed_;
};

}  // namespace trustformers
