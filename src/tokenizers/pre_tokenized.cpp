#include "pre_tokenized.h"

namespace trustformers {

void PreTokenizedText::append(const AlignedText& text, std::size_t begin, std::size_t end, std::int32_t token) {
  if (begin == end) return;
  const std::size_t start = text_.size();
  text_.append(text, begin, end);
  pieces_.push_back({static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(text_.size()), token});
}

void PreTokenizedText::split(FunctionRef<void(std::string_view piece, Keep keep)> cut) {
  std::vector<TextPiece> parts;
  parts.reserve(pieces_.size());
  for (const TextPiece& piece : pieces_) {
    if (piece.token >= 0) {
      parts.push_back(piece);
      continue;
    }
    const auto keep = [&](std::size_t begin, std::size_t end) {
      if (begin < end)
        parts.push_back(
            {static_cast<std::uint32_t>(piece.begin + begin), static_cast<std::uint32_t>(piece.begin + end)});
    };
    cut(text(piece), keep);
  }
  pieces_ = std::move(parts);
}

void PreTokenizedText::rewrite(
    FunctionRef<void(const AlignedText& text, std::size_t begin, std::size_t end, AlignedText& out)> write) {
  AlignedText out;
  out.reserve(text_.size() + text_.size() / 8);
  std::vector<TextPiece> parts;
  parts.reserve(pieces_.size());
  for (const TextPiece& piece : pieces_) {
    const std::size_t start = out.size();
    if (piece.token >= 0) {
      out.append(text_, piece.begin, piece.end);
    } else {
      write(text_, piece.begin, piece.end, out);
    }
    text_.check_growth(out.size());
    if (out.size() > start)
      parts.push_back({static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(out.size()), piece.token});
  }
  text_ = std::move(out);
  pieces_ = std::move(parts);
}

}  // namespace trustformers
