#include "sentencepiece_normalizer.h"

#include "unicode.h"

namespace trustformers {

void SentencePieceNormalizer::apply(AlignedText& text) const {
  constexpr char32_t mark = U'\u2581';
  AlignedText out;
  out.reserve(text.size() + 3);
  const std::string_view all = text.text();
  bool after_space = remove_extra_;  // blanks here would be extra
  std::size_t kept = 0;              // length of the output without the blanks at its end
  for (std::size_t i = 0; i < all.size();) {
    const auto hit = map_ ? map_->longest(all.substr(i)) : std::nullopt;
    const std::size_t bytes = hit && hit->bytes > 0 ? hit->bytes : unicode::decode(all, i).size;
    const std::string_view part = hit && hit->bytes > 0 ? hit->replacement : all.substr(i, bytes);
    const SourceRange range = text.source(i, i + bytes);
    i += bytes;
    for (std::size_t k = 0; k < part.size();) {
      const auto c = unicode::decode(part, k);
      k += c.size;
      const bool space = c.value == ' ';
      if (space && after_space) continue;
      if (out.empty() && add_prefix_) out.append(mark, range);
      out.append(space ? mark : c.value, range);
      after_space = space && remove_extra_;
      if (!after_space) kept = out.size();
    }
  }
  text = remove_extra_ && kept < out.size() ? out.slice(0, kept) : std::move(out);
}

}  // namespace trustformers
