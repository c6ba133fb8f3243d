// Structured output: only tokens by which the generated text can still become one of a grammar.
#pragma once

#include "../grammar/matcher.h"
#include "../logits_processor.h"

namespace trustformers {

/// End tokens may come when the text is complete. Keeps the state of the texts it has seen; beams and rows may share
/// it.
class GrammarConstraint final : public LogitsProcessor {
 public:
  /// `masks` may be shared by many generations. Throws invalid_argument without an end token.
  GrammarConstraint(std::shared_ptr<TokenMasks> masks, std::vector<std::int64_t> eos);
  /// Throws invalid_argument when no token of the vocabulary goes on with the text.
  void process(const RowState& row, std::span<float> scores) override;
  std::optional<std::int64_t> forced(const RowState& row) override;

 private:
  struct Text {
    std::vector<std::int64_t> ids;
    GrammarMatcher matcher;
  };
  const GrammarMatcher& matcher_of(const RowState& row);
  void find_tokens(const RowState& row);

  std::shared_ptr<TokenMasks> masks_;
  std::vector<std::int64_t> eos_;
  std::vector<Text> texts_;  // of the last rows
  std::vector<std::uint64_t> bits_;
  bool may_end_ = false;
};

}  // namespace trustformers
