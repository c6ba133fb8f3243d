// A text cut into pieces: those that the model still has to tokenize, and those that are one added token already.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "../base/function_ref.h"
#include "aligned_text.h"

namespace trustformers {

/// Bytes [begin, end) of the text; `token` is its id, or -1 while the model has not seen it.
struct TextPiece {
  std::uint32_t begin;
  std::uint32_t end;
  std::int32_t token = -1;
};

class PreTokenizedText {
 public:
  PreTokenizedText() = default;
  /// All of `text` as one piece.
  explicit PreTokenizedText(AlignedText text, std::int32_t token = -1) : text_(std::move(text)) {
    if (!text_.empty()) pieces_.push_back({0, static_cast<std::uint32_t>(text_.size()), token});
  }

  std::string_view text(const TextPiece& piece) const {
    return text_.text().substr(piece.begin, piece.end - piece.begin);
  }
  const AlignedText& aligned() const { return text_; }
  std::span<const TextPiece> pieces() const { return pieces_; }

  /// Adds the part [begin, end) of `text` as one piece; empty parts are left out.
  void append(const AlignedText& text, std::size_t begin, std::size_t end, std::int32_t token = -1);

  /// Keeps the part [begin, end) of the piece at hand, in bytes counted from its start.
  using Keep = FunctionRef<void(std::size_t begin, std::size_t end)>;
  /// Cuts every piece without a token into the parts that `cut` keeps, which come in order; empty ones are left out.
  void split(FunctionRef<void(std::string_view piece, Keep keep)> cut);
  /// Replaces every piece without a token by what `write` appends for the bytes [begin, end) of `text`.
  void rewrite(FunctionRef<void(const AlignedText& text, std::size_t begin, std::size_t end, AlignedText& out)> write);

 private:
  AlignedText text_;
  std::vector<TextPiece> pieces_;
};

}  // namespace trustformers
