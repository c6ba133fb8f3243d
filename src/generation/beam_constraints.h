// Words that a beam must bring before it may end.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "processors/words.h"

namespace trustformers {

/// How far a text is with its words: each entry of force_words_ids is fulfilled when one of its phrases stands in the
/// generated text.
class WordConstraints {
 public:
  /// Throws invalid_argument for an entry without phrases or an empty phrase.
  explicit WordConstraints(std::vector<std::vector<Phrase>> words);
  bool empty() const { return words_.empty(); }
  /// Tokens that are enough to bring all words, when it is first finished with the phrase it is in.
  std::int64_t missing(std::span<const std::int64_t> generated) const;
  /// Tokens of all words together, each by its shortest phrase: missing() of an empty text.
  std::int64_t total() const { return total_; }
  /// The tokens that bring the text on: next ones of phrases it is in, first ones of the others.
  std::vector<std::int64_t> next_tokens(std::span<const std::int64_t> generated) const;

 private:
  std::vector<std::vector<Phrase>> words_;
  std::vector<std::int64_t> shortest_;
  std::int64_t total_ = 0;
};

}  // namespace trustformers
