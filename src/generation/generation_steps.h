// generate(), one step at a time, for callers that own the loop.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "strategies.h"

namespace trustformers {

/// The tokens that generate() would give, step by step. Ways of decoding that know their tokens only at the end (beams,
/// guidance, contrastive search, speculation, several sequences a prompt) do all their work in the first step. The
/// model and the session must outlive it; a session has one of these at a time.
class GenerationSteps {
 public:
  /// Errors: as generate() before its first token.
  GenerationSteps(const Model& model, const ModelInputs& inputs, GenerationConfig config, CancelToken cancel = {});
  /// One prompt, as Session::generate().
  GenerationSteps(Session& session, std::span<const std::int64_t> prompt, GenerationConfig config,
                  CancelToken cancel = {});
  ~GenerationSteps() { stop(); }
  GenerationSteps(const GenerationSteps&) = delete;
  GenerationSteps& operator=(const GenerationSteps&) = delete;

  /// The next token of every row, rows that ended giving padding; nothing when there are no more. Valid until the next
  /// step. An error is the end.
  std::span<const std::int64_t> step();
  /// No more steps; the session knows what was read.
  void stop();
  /// [B, L + N] i64: prompts and new tokens.
  Tensor sequences() const;
  const GenerateStats& stats() const { return stats_; }

 private:
  bool by_token() const;
  void run_whole();
  std::span<const std::int64_t> next_column();

  const Model& model_;
  Session* session_ = nullptr;
  ModelInputs inputs_;
  std::vector<std::int64_t> prompt_;  // of a session
  GenerationConfig config_;
  CancelToken cancel_;
  TokenCallback nobody_;
  KVCache cache_;
  // Token by token.
  std::optional<DecodingBatch> batch_;
  std::optional<DecodeRequest> request_;
  std::optional<TokenSteps> steps_;
  // All at once.
  bool ran_ = false;
  std::vector<std::int64_t> all_, column_;  // [B, L + N]
  std::int64_t rows_ = 0, length_ = 0, given_ = 0;
  GenerateStats stats_;
  bool stopped_ = false;
};

}  // namespace trustformers
