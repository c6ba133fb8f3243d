#include "scanners.h"

#include "unicode.h"

namespace trustformers {

const std::string_view gpt2_pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const std::string_view llama3_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string_view qwen2_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string_view gpt4o_pattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

namespace {

using unicode::CodePoint;

enum class Kind : unsigned char { letter, number, space, other, end };

Kind kind_of(char32_t c) {
  if (c < 0x80) {
    if ((c | 32) >= 'a' && (c | 32) <= 'z') return Kind::letter;
    if (c >= '0' && c <= '9') return Kind::number;
    return unicode::is_whitespace(c) ? Kind::space : Kind::other;
  }
  const auto category = unicode::category(c);
  if (category & unicode::letter) return Kind::letter;
  if (category & unicode::number) return Kind::number;
  return unicode::is_whitespace(c) ? Kind::space : Kind::other;
}

struct Cursor {
  std::string_view text;
  Kind kind(std::size_t at) const { return at < text.size() ? kind_of(unicode::decode(text, at).value) : Kind::end; }
  char ascii(std::size_t at) const { return at < text.size() ? text[at] : '\0'; }
  std::size_t next(std::size_t at) const { return at + unicode::decode(text, at).size; }
  std::size_t run(std::size_t at, Kind kind_wanted, std::size_t most = ~std::size_t{0}) const {
    for (std::size_t n = 0; n < most && kind(at) == kind_wanted; ++n) at = next(at);
    return at;
  }
  std::size_t run_of(std::size_t at, std::string_view characters) const {
    while (at < text.size() && characters.find(text[at]) != std::string_view::npos) ++at;
    return at;
  }
};

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// `'s|'t|'re|'ve|'m|'ll|'d` at `at`, or `at` itself. `fold` ignores case, for which U+017F is an s too.
std::size_t contraction(const Cursor& in, std::size_t at, bool fold) {
  if (in.ascii(at) != '\'') return at;
  const auto letter_at = [&](std::size_t i) { return fold ? lower(in.ascii(i)) : in.ascii(i); };
  const char first = letter_at(at + 1);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
  if (fold && in.text.substr(at + 1, 2) == "\xC5\xBF") return at + 3;
  const char second = letter_at(at + 2);
  if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l'))
    return at + 3;
  return at;
}

/// `\s+(?!\S)|\s+`: a run of spaces without its last one, unless the text ends there.
std::size_t inner_spaces(const Cursor& in, std::size_t at) {
  const std::size_t end = in.run(at, Kind::space);
  if (end == in.text.size()) return end;
  const std::size_t shorter = end - unicode::decode_before(in.text, end).size;
  return shorter > at ? shorter : end;
}

/// `\s*[\r\n]+|\s+(?!\S)|\s+`
std::size_t lines_or_spaces(const Cursor& in, std::size_t at) {
  const std::size_t end = in.run(at, Kind::space);
  const std::size_t newline = in.text.substr(at, end - at).find_last_of("\r\n");
  if (newline != std::string_view::npos) return at + newline + 1;
  return inner_spaces(in, at);
}

std::size_t scan_gpt2(std::string_view text, std::size_t at) {
  const Cursor in{text};
  if (const std::size_t end = contraction(in, at, false); end != at) return end;
  std::size_t word = at;
  Kind kind = in.kind(at);
  if (text[at] == ' ') {
    const Kind after = in.kind(at + 1);
    if (after != Kind::space && after != Kind::end) {
      ++word;
      kind = after;
    }
  }
  return kind == Kind::space ? inner_spaces(in, at) : in.run(word, kind);
}

/// ` ?[^\s\p{L}\p{N}]+[\r\n]*` and what follows it in the newer patterns.
std::size_t scan_rest(const Cursor& in, std::size_t at, Kind kind, std::size_t digits,
                      std::string_view after_punctuation) {
  if (kind == Kind::number) return in.run(at, Kind::number, digits);
  const std::size_t start = in.text[at] == ' ' ? at + 1 : at;
  if (in.kind(start) == Kind::other) return in.run_of(in.run(start, Kind::other), after_punctuation);
  return lines_or_spaces(in, at);
}

bool may_lead_word(const Cursor& in, std::size_t at, Kind kind) {
  return (kind == Kind::space || kind == Kind::other) && in.text[at] != '\r' && in.text[at] != '\n';
}

template <std::size_t digits>
std::size_t scan_llama3(std::string_view text, std::size_t at) {
  const Cursor in{text};
  if (const std::size_t end = contraction(in, at, true); end != at) return end;
  const Kind kind = in.kind(at);
  if (kind == Kind::letter) return in.run(at, Kind::letter);
  if (may_lead_word(in, at, kind)) {
    const std::size_t word = in.next(at);
    if (in.kind(word) == Kind::letter) return in.run(word, Kind::letter);
  }
  return scan_rest(in, at, kind, digits, "\r\n");
}

constexpr std::uint32_t upper_class = unicode::uppercase_letter | unicode::titlecase_letter | unicode::modifier_letter |
                                      unicode::other_letter | unicode::mark;
constexpr std::uint32_t lower_class =
    unicode::lowercase_letter | unicode::modifier_letter | unicode::other_letter | unicode::mark;

std::size_t run_of_category(std::string_view text, std::size_t at, std::uint32_t categories) {
  while (at < text.size()) {
    const CodePoint c = unicode::decode(text, at);
    if (!(unicode::category(c.value) & categories)) break;
    at += c.size;
  }
  return at;
}

/// `[upper]*[lower]+` at `at`, or `at`.
std::size_t capitalised(std::string_view text, std::size_t at) {
  const std::size_t upper_end = run_of_category(text, at, upper_class);
  const std::size_t lower_end = run_of_category(text, upper_end, lower_class);
  if (lower_end > upper_end) return lower_end;
  // The first class gives back code points until one is of the second class too.
  for (std::size_t end = upper_end; end > at;) {
    const CodePoint c = unicode::decode_before(text, end);
    if (unicode::category(c.value) & lower_class) return end;
    end -= c.size;
  }
  return at;
}

/// `[upper]+[lower]*` at `at`, or `at`.
std::size_t all_capitals(std::string_view text, std::size_t at) {
  const std::size_t upper_end = run_of_category(text, at, upper_class);
  return upper_end == at ? at : run_of_category(text, upper_end, lower_class);
}

std::size_t scan_gpt4o(std::string_view text, std::size_t at) {
  const Cursor in{text};
  const Kind kind = in.kind(at);
  const std::size_t led = may_lead_word(in, at, kind) ? in.next(at) : at;
  for (const auto& word : {capitalised, all_capitals}) {
    if (led != at) {
      if (const std::size_t end = word(text, led); end != led) return contraction(in, end, true);
    }
    if (const std::size_t end = word(text, at); end != at) return contraction(in, end, true);
  }
  return scan_rest(in, at, kind, 3, "\r\n/");
}

}  // namespace

Scanner find_scanner(std::string_view pattern) {
  if (pattern == gpt2_pattern) return scan_gpt2;
  if (pattern == llama3_pattern) return scan_llama3<3>;
  if (pattern == qwen2_pattern) return scan_llama3<1>;
  if (pattern == gpt4o_pattern) return scan_gpt4o;
  return nullptr;
}

}  // namespace trustformers
