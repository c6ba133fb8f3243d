// Unicode facts for tokenizers: categories, case, normal forms and grapheme clusters (from utf8proc).
// Texts are valid UTF-8: replace_invalid_utf8() sees to it once, at the door.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trustformers::unicode {

struct CodePoint {
  char32_t value;
  std::uint32_t size;  // bytes in UTF-8
};

/// The code point that starts at byte `position` of valid UTF-8.
inline CodePoint decode(std::string_view text, std::size_t position) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[position + i]));
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xE0) return {(first & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (first < 0xF0) return {(first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(first & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
}

/// The code point that ends just before byte `position` (> 0).
CodePoint decode_before(std::string_view text, std::size_t position);

/// 1 << general category, in the order of utf8proc: Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk
/// So Zs Zl Zp Cc Cf Cs Co.
std::uint32_t category(char32_t value);

inline constexpr std::uint32_t uppercase_letter = 1u << 1, lowercase_letter = 1u << 2, titlecase_letter = 1u << 3,
                               modifier_letter = 1u << 4, other_letter = 1u << 5, letter = 0x3Eu,
                               nonspacing_mark = 1u << 6, mark = 0x1C0u, decimal_number = 1u << 9,
                               letter_number = 1u << 10, number = 0xE00u, connector = 1u << 12, punctuation = 0x7F000u,
                               symbol = 0x780000u, separator = 0x3800000u, control = 1u << 26, format = 1u << 27,
                               surrogate = 1u << 28, private_use = 1u << 29;

/// The property White_Space.
bool is_whitespace(char32_t value);
/// \w: alphabetic, mark, decimal number, connector punctuation or join control.
bool is_word(char32_t value);
/// The Han blocks that BERT puts blanks around.
bool is_chinese(char32_t value);

/// Full lower case without context: one or two code points.
void append_lowercase(std::u32string& out, char32_t value);

enum class NormalForm { nfc, nfd, nfkc, nfkd };
/// A code point of a normal form, and by how many it changed the number of code points: 0 stands for one of the source,
/// 1 was inserted after it, -n also swallowed the n that follow.
struct Change {
  char32_t value;
  std::int32_t change;
};
std::vector<Change> normalize(std::string_view text, NormalForm form);

/// The end of the extended grapheme cluster that starts at `position`. `state` is 0 at the start of a text and is
/// passed on from call to call.
std::size_t next_grapheme(std::string_view text, std::size_t position, std::int32_t& state);

}  // namespace trustformers::unicode
