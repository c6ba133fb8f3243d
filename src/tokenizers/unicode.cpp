#include "unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>

namespace trustformers::unicode {
namespace {

std::int32_t combining_class(char32_t value) {
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(value))->combining_class;
}

/// The canonical composition of two code points, or 0.
char32_t compose(char32_t first, char32_t second) {
  // Nothing below U+0300 composes with what is before it.
  if (second < 0x300) return 0;
  std::array<utf8proc_int32_t, 3> pair = {static_cast<utf8proc_int32_t>(first), static_cast<utf8proc_int32_t>(second),
                                          0};
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  return utf8proc_normalize_utf32(pair.data(), 2, options) == 1 ? static_cast<char32_t>(pair[0]) : 0;
}

void decompose(std::string_view text, bool compatibility, std::vector<Change>& out) {
  const auto options =
      static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE | (compatibility ? UTF8PROC_COMPAT : 0));
  std::array<utf8proc_int32_t, 32> parts;  // the longest decomposition has 18
  std::size_t marks = 0;                   // start of the run of marks that awaits sorting
  std::vector<std::uint64_t> order;
  std::vector<Change> run;
  const auto sort_marks = [&] {  // by class; equal ones stay in order
    run.assign(out.begin() + static_cast<std::ptrdiff_t>(marks), out.end());
    order.clear();
    for (std::size_t i = 0; i < run.size(); ++i)
      order.push_back(static_cast<std::uint64_t>(combining_class(run[i].value)) << 32 | i);
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < run.size(); ++i) out[marks + i] = run[order[i] & 0xFFFFFFFF];
  };
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint c = decode(text, i);
    i += c.size;
    int boundary = 0;
    utf8proc_ssize_t n = 1;
    if (c.value < 0x80) {
      parts[0] = static_cast<utf8proc_int32_t>(c.value);
    } else {
      n = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c.value), parts.data(),
                                  static_cast<utf8proc_ssize_t>(parts.size()), options, &boundary);
      if (n < 1 || n > static_cast<utf8proc_ssize_t>(parts.size())) {
        parts[0] = static_cast<utf8proc_int32_t>(c.value);
        n = 1;
      }
    }
    for (utf8proc_ssize_t k = 0; k < n; ++k) {
      const auto value = static_cast<char32_t>(parts[static_cast<std::size_t>(k)]);
      if (value < 0x80 || combining_class(value) == 0) {
        if (out.size() - marks > 1) sort_marks();
        marks = out.size() + 1;
      }
      out.push_back({value, k == 0 ? 0 : 1});
    }
  }
  if (out.size() > marks && out.size() - marks > 1) sort_marks();
}

/// Composes in place; what is composed hands its change on to the first code point.
void recompose(std::vector<Change>& text) {
  std::size_t kept = 0;
  std::size_t starter = text.size();
  std::int32_t last_class = -1;  // class of the last kept mark after the starter; -1: none
  for (std::size_t i = 0; i < text.size(); ++i) {
    const Change next = text[i];
    const std::int32_t next_class = next.value < 0x300 ? 0 : combining_class(next.value);
    if (starter < kept && last_class < next_class) {
      if (const char32_t both = compose(text[starter].value, next.value)) {
        text[starter].value = both;
        text[starter].change += next.change - 1;
        continue;
      }
    }
    if (next_class == 0) {
      starter = kept;
      last_class = -1;
    } else {
      last_class = next_class;
    }
    text[kept++] = next;
  }
  text.resize(kept);
}

}  // namespace

CodePoint decode_before(std::string_view text, std::size_t position) {
  std::size_t start = position - 1;
  while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
  return decode(text, start);
}

std::uint32_t category(char32_t value) {
  return 1u << static_cast<unsigned>(utf8proc_category(static_cast<utf8proc_int32_t>(value)));
}

bool is_whitespace(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_word(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  if (category(c) & (letter | mark | decimal_number | letter_number | connector)) return true;
  // Join controls, and the circled and squared Latin letters, which are symbols yet alphabetic.
  return c == 0x200C || c == 0x200D || (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
         (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);
}

bool is_chinese(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

void append_lowercase(std::u32string& out, char32_t value) {
  if (value < 0x80) {
    out.push_back(value >= 'A' && value <= 'Z' ? value + 32 : value);
  } else if (value == 0x130) {  // the one letter whose full lower case has two code points
    out.push_back('i');
    out.push_back(0x307);
  } else {
    out.push_back(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(value))));
  }
}

std::vector<Change> normalize(std::string_view text, NormalForm form) {
  std::vector<Change> out;
  out.reserve(text.size());
  decompose(text, form == NormalForm::nfkc || form == NormalForm::nfkd, out);
  if (form == NormalForm::nfc || form == NormalForm::nfkc) recompose(out);
  return out;
}

std::size_t next_grapheme(std::string_view text, std::size_t position, std::int32_t& state) {
  CodePoint current = decode(text, position);
  position += current.size;
  while (position < text.size()) {
    const CodePoint next = decode(text, position);
    if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(current.value),
                                         static_cast<utf8proc_int32_t>(next.value), &state))
      return position;
    position += next.size;
    current = next;
  }
  return position;
}

}  // namespace trustformers::unicode
