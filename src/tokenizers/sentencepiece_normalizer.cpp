#include "sentencepiece_normalizer.h"

#include "unicode.h"

namespace trustformers {

void SentencePieceNormalizer::apply(AlignedText& text) const {
  constexpr char32_t mark = U'\u2581';
  const bool prefix = rules_.add_prefix && !rules_.prefix_is_suffix;
  AlignedText out;
  out.reserve(text.size() + 3);
  const std::string_view all = text.text();
  bool after_space = rules_.remove_extra;  // blanks here would be extra
  std::size_t kept = 0;                    // length of the output without the blanks and marks at its end
  for (std::size_t i = 0; i < all.size();) {
    std::size_t bytes = 0;
    std::string_view part;
    if (rules_.keep) rules_.keep->prefixes(all.substr(i), [&](std::size_t size, std::int32_t) { bytes = size; });
    if (bytes > 0) {
      part = all.substr(i, bytes);
    } else if (const auto hit = rules_.map ? rules_.map->longest(all.substr(i)) : std::nullopt; hit && hit->bytes > 0) {
      bytes = hit->bytes;
      part = hit->replacement;
    } else {
      bytes = unicode::decode(all, i).size;
      part = all.substr(i, bytes);
    }
    const SourceRange range = text.source(i, i + bytes);
    i += bytes;
    for (std::size_t k = 0; k < part.size();) {
      const auto c = unicode::decode(part, k);
      k += c.size;
      const bool space = c.value == ' ';
      if (space && after_space) continue;
      if (out.empty() && prefix) out.append(mark, range);
      out.append(space ? mark : c.value, range);
      after_space = space && rules_.remove_extra;
      if (!space && c.value != mark) kept = out.size();
    }
  }
  const SourceRange last = out.empty() ? SourceRange{} : out.source(out.size() - 1);
  text = rules_.remove_extra && kept < out.size() ? out.slice(0, kept) : std::move(out);
  if (rules_.add_prefix && rules_.prefix_is_suffix && !text.empty()) text.append(mark, last);
}

}  // namespace trustformers
