// The normaliser of sentencepiece itself, for vocabularies that come without a tokenizer.json.
#pragma once

#include <memory>
#include <optional>

#include "charsmap.h"
#include "normalizers.h"
#include "trie.h"

namespace trustformers {

struct SentencePieceRules {
  std::optional<Charsmap> map{};
  bool add_prefix = true;              // one U+2581 in front of the text
  bool remove_extra = false;           // runs of blanks become one, those at the ends go
  bool prefix_is_suffix = false;       // what add_prefix adds comes at the end
  std::shared_ptr<const Trie> keep{};  // user-defined symbols, which the map does not touch; may be null
};

/// Longest rules of the character map first, blanks to U+2581.
class SentencePieceNormalizer final : public Normalizer {
 public:
  explicit SentencePieceNormalizer(SentencePieceRules rules) : rules_(std::move(rules)) {}
  void apply(AlignedText& text) const override;

 private:
  SentencePieceRules rules_;
};

}  // namespace trustformers
