// The ways of decoding that generate() chooses from; each fills the rows of a batch.
#pragma once

#include <algorithm>
#include <chrono>

#include "decoding_batch.h"
#include "generate.h"
#include "sampler.h"

namespace trustformers {

inline bool any_stops(const GenerationConfig& config, const RowState& row) {
  return std::any_of(config.stopping.begin(), config.stopping.end(), [&](const StopRule& rule) { return rule(row); });
}

/// What all of them are told beside the batch. `limit` is the number of new tokens at most.
struct DecodeRequest {
  const GenerationConfig& config;
  std::int64_t limit = 0;
  const TokenCallback& on_tokens;
  const CancelToken* cancel = nullptr;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();

  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }
  /// False when the time is up; throws cancelled.
  bool may_go_on() const {
    if (cancel) cancel->check("generate");
    return config.max_time <= 0 || seconds() < config.max_time;
  }
  bool ends(std::int64_t token) const;
  /// A rule of the caller ends the row.
  bool stops(const RowState& row) const { return any_stops(config, row); }
  /// What fills rows that ended.
  std::int64_t padding() const;
};

/// How many tokens a config asks for after a prompt.
std::int64_t wanted_tokens(const GenerationConfig& config, std::int64_t prompt_length);
inline bool is_speculative(const GenerationConfig& config) {
  return config.assistant || config.draft || config.prompt_lookup_num_tokens > 0;
}
/// One text without padding.
Prompt one_prompt(std::span<const std::int64_t> ids);

/// One token a row and step: the likeliest, or drawn.
class TokenSteps {
 public:
  /// Both must outlive it.
  TokenSteps(DecodingBatch& batch, const DecodeRequest& request);
  /// The next tokens, rows that ended giving padding; nothing when there are no more. Errors: cancelled, numeric.
  std::span<const std::int64_t> step();
  const GenerateStats& stats() const { return stats_; }

 private:
  DecodingBatch& batch_;
  const DecodeRequest& request_;
  TokenChooser chooser_;
  std::vector<std::uint8_t> ended_;
  std::vector<std::int64_t> next_;
  GenerateStats stats_;
  bool open_ = true;
};
/// All steps. The batch ends as the result.
GenerateStats decode_tokens(DecodingBatch& batch, const DecodeRequest& request);

/// Beam search as transformers does it (num_beams, early_stopping, length_penalty, drawn beams), groups that avoid each
/// other's tokens (Vijayakumar et al. 2016), and beams that must bring words (force_words_ids). on_tokens gets
/// the chosen sequences' tokens at the end, column by column.
GenerateOutput decode_beams(DecodingBatch& batch, const DecodeRequest& request);

/// Contrastive search (Su et al. 2022).
GenerateStats decode_contrastive(DecodingBatch& batch, const DecodeRequest& request);

/// Tokens that a draft model or the text itself proposes, checked several at once (Leviathan et al. 2022): greedy gives
/// the tokens of plain greedy, drawn ones follow the model's law exactly. One row.
GenerateStats decode_speculative(DecodingBatch& batch, const Model& model, const DecodeRequest& request);

}  // namespace trustformers
