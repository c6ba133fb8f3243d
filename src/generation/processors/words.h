// Processors about named tokens and phrases, and the user's own choice of what may come.
#pragma once

#include <functional>

#include "../logits_processor.h"

namespace trustformers {

using Phrase = std::vector<std::int64_t>;
struct PhraseBias {
  Phrase phrase;
  float bias = 0;
};

/// Adds a bias to the last token of a phrase where the tokens before it stand at the end of the text; biases add up.
class SequenceBias final : public LogitsProcessor {
 public:
  /// Of phrases that come twice the last one counts. Throws invalid_argument for empty phrases and negative tokens.
  explicit SequenceBias(std::vector<PhraseBias> biases);
  /// Throws out_of_range when a phrase has a token that the scores lack.
  void process(const RowState& row, std::span<float> scores) override;

 private:
  std::vector<PhraseBias> biases_;
};

/// Phrases that must not come: a bias of -inf. A phrase that is one end token alone is left out.
SequenceBias bad_words(const std::vector<Phrase>& phrases, const std::vector<std::int64_t>& eos);

/// Tokens that never come, or only not as the first generated one.
class SuppressTokens final : public LogitsProcessor {
 public:
  explicit SuppressTokens(std::vector<std::int64_t> tokens) : tokens_(std::move(tokens)) {}
  /// Only where the text has `length` tokens, padding included.
  SuppressTokens(std::vector<std::int64_t> tokens, std::size_t length) : tokens_(std::move(tokens)), length_(length) {}
  void process(const RowState& row, std::span<float> scores) override;

 private:
  static constexpr std::size_t everywhere = static_cast<std::size_t>(-1);
  std::vector<std::int64_t> tokens_;
  std::size_t length_ = everywhere;
};

/// Only these tokens may come where the text has `length` tokens, padding included: each gets the score 0.
class ForceTokens final : public LogitsProcessor {
 public:
  ForceTokens(std::vector<std::int64_t> tokens, std::size_t length) : tokens_(std::move(tokens)), length_(length) {}
  void process(const RowState& row, std::span<float> scores) override;

 private:
  std::vector<std::int64_t> tokens_;
  std::size_t length_;
};

/// The tokens that may follow; `prompt` is the batch row, `ids` the text without padding.
using AllowedTokens = std::function<std::vector<std::int64_t>(std::size_t prompt, std::span<const std::int64_t> ids)>;

/// Only what the function allows (Cao et al. 2020). Where all of it is out already it gets the score 0. Throws
/// invalid_argument when nothing is allowed.
class PrefixConstraint final : public LogitsProcessor {
 public:
  explicit PrefixConstraint(AllowedTokens allowed) : allowed_(std::move(allowed)) {}
  void process(const RowState& row, std::span<float> scores) override;

 private:
  AllowedTokens allowed_;
  std::vector<std::uint8_t> marks_;
};

}  // namespace trustformers
