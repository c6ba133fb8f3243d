// Token generation with a cache: batches, and sessions that keep what they have read.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "../base/progress.h"
#include "../models/model.h"
#include "config.h"

namespace trustformers {

/// Called after each step with the new token of every row (rows that ended give their padding). False stops. Beam
/// search, which knows its tokens at the end only, calls it then, column by column.
using TokenCallback = std::function<bool(std::span<const std::int64_t> tokens)>;

struct GenerateStats {
  std::int64_t prompt_tokens = 0;  // a row
  std::int64_t reused_tokens = 0;  // of them, found in the session's cache
  std::int64_t new_tokens = 0;     // a row
  double prefill_seconds = 0;      // until the first token was chosen
  double decode_seconds = 0;       // the tokens after it
};

struct GenerateOutput {
  /// [B, L + N] i64: prompts (of an encoder-decoder: what its decoder began with), then new tokens; rows that ended
  /// early are filled with padding. num_return_sequences rows a prompt, side by side.
  Tensor sequences;
  /// [B · num_return_sequences] f32: what beam search gave each sequence; undefined elsewhere.
  Tensor sequences_scores;
  GenerateStats stats;
};

/// Continues the prompts input_ids [B, L]; padding, if any, is on the left and 0 in attention_mask [B, L]. Inputs that
/// are not one a token (an encoder's states for cross-attention) are given to every forward pass.
/// The encoder of an encoder-decoder reads the inputs once, or encoder_hidden_states are what it gave before; the
/// prompts are decoder_input_ids (with decoder_attention_mask), put behind the start token unless they begin with it,
/// or the start token alone.
/// Errors: out_of_range (a prompt longer than the context, an id outside the vocabulary), numeric (NaN in the scores),
/// unsupported (a model or an input that cannot be continued), cancelled.
GenerateOutput generate(const Model& model, const ModelInputs& inputs, const GenerationConfig& config,
                        const TokenCallback& on_tokens = {}, const CancelToken* cancel = nullptr);

/// One conversation: keeps the keys and values of what the model has read, and reads only what is new. Not for use by
/// several threads at once. The model must outlive it.
class Session {
 public:
  explicit Session(const Model& model) : model_(model) {}
  /// Continues `prompt`, reusing the longest common prefix with what the cache holds. Returns the new tokens.
  std::vector<std::int64_t> generate(std::span<const std::int64_t> prompt, const GenerationConfig& config,
                                     const TokenCallback& on_tokens = {}, const CancelToken* cancel = nullptr);
  /// Of the last generate().
  const GenerateStats& stats() const { return stats_; }
  /// The tokens whose keys and values are held.
  const std::vector<std::int64_t>& cached() const { return cached_; }
  /// Forgets all but the first `length` tokens.
  void truncate(std::int64_t length);
  std::int64_t cache_bytes() const { return cache_.bytes(); }

 private:
  friend class GenerationSteps;
  /// Checks that a session can continue `prompt` so, and forgets what the cache holds of another text; how many tokens
  /// are left.
  std::int64_t reuse(std::span<const std::int64_t> prompt, const GenerationConfig& config);
  /// Notes what the cache holds now.
  void remember(const std::vector<std::int64_t>& ids);

  const Model& model_;
  KVCache cache_;
  std::vector<std::int64_t> cached_;
  GenerateStats stats_;
};

}  // namespace trustformers
