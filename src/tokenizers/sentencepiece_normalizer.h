// The normaliser of sentencepiece itself, for vocabularies that come without a tokenizer.json.
#pragma once

#include <optional>

#include "charsmap.h"
#include "normalizers.h"

namespace trustformers {

/// Longest rules of the character map first, blanks to U+2581, one in front of the text, runs of them to one.
class SentencePieceNormalizer final : public Normalizer {
 public:
  SentencePieceNormalizer(std::optional<Charsmap> map, bool add_prefix, bool remove_extra_whitespaces)
      : map_(std::move(map)), add_prefix_(add_prefix), remove_extra_(remove_extra_whitespaces) {}
  void apply(AlignedText& text) const override;

 private:
  std::optional<Charsmap> map_;
  bool add_prefix_, remove_extra_;
};

}  // namespace trustformers
