// A text on its way through normalisation, with the place in the source that each of its bytes came from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "byte_alphabet.h"
#include "unicode.h"

namespace trustformers {

/// A range of code points of the source text.
struct SourceRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  friend bool operator==(const SourceRange&, const SourceRange&) = default;
};

/// Valid UTF-8 and, for each of its bytes, the source range it stands for.
class AlignedText {
 public:
  AlignedText() = default;
  /// The source itself (valid UTF-8, less than 2^31 bytes): byte i stands for its own code point.
  static AlignedText from_source(std::string_view source);
  /// The part [begin, end) in bytes, on code point borders.
  AlignedText slice(std::size_t begin, std::size_t end) const;

  std::string_view text() const { return text_; }
  std::size_t size() const { return text_.size(); }
  bool empty() const { return text_.empty(); }
  SourceRange source(std::size_t byte) const { return ranges_[byte]; }
  /// What the bytes [begin, end) stand for, from the first's begin to the last's end.
  SourceRange source(std::size_t begin, std::size_t end) const;

  /// Throws out_of_range when `bytes` is far more than any real tokenizer makes of this source: a hostile chain of
  /// replacements would grow without bound.
  void check_growth(std::size_t bytes) const;

  void reserve(std::size_t bytes);
  void append(char32_t value, SourceRange range);
  void append(std::string_view text, SourceRange range);
  void append(const AlignedText& other, std::size_t begin, std::size_t end);
  /// Appends what `texts` has for each byte [begin, end) of `other`, each standing for what its byte stood for.
  void append_bytes(const AlignedText& other, std::size_t begin, std::size_t end, const ByteTexts& texts);

  /// Replaces the text by `changes`, which say code point by code point what became of it, after dropping the first
  /// `dropped` code points. An inserted code point stands for what is before it.
  void transform(std::span<const unicode::Change> changes, std::size_t dropped = 0);
  /// Puts `prefix` in front of a text that is not empty; it stands for the first code point.
  void prepend(std::string_view prefix);

 private:
  std::string text_;
  std::vector<SourceRange> ranges_;  // one for each byte of text_
};

}  // namespace trustformers
