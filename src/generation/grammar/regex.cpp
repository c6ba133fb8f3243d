#include "regex.h"

#include <algorithm>
#include <optional>

#include "../../base/error.h"
#include "../../base/utf8.h"

namespace trustformers {
namespace {

/// Bytes that UTF-8 never has stand for the ends of the text, so that anchors are ordinary letters.
constexpr unsigned text_begin = 0xFE, text_end = 0xFF;
constexpr std::int64_t largest_repetition = 4096;

using Ranges = std::vector<CodePointRange>;

const Ranges& digits() {
  static const auto* const list = new Ranges{{'0', '9'}};
  return *list;
}
const Ranges& word_characters() {
  static const auto* const list = new Ranges{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
  return *list;
}
/// WhiteSpace and LineTerminator of ECMA-262.
const Ranges& spaces() {
  static const auto* const list =
      new Ranges{{9, 13},          {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
                 {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
  return *list;
}

ExpressionPtr marker(unsigned byte) { return any_of(ByteSet().set(byte)); }

class RegexParser {
 public:
  explicit RegexParser(std::string_view pattern) : pattern_(pattern), text_(decode_utf8(pattern)) {
    check(is_valid_utf8(pattern), ErrorCode::parse, "[regex] the pattern is not UTF-8");
  }

  ExpressionPtr parse() {
    ExpressionPtr out = alternatives(0);
    if (at_ < text_.size()) bad("an unmatched )");
    return out;
  }

 private:
  static constexpr int max_depth = 200;

  [[noreturn]] void bad(std::string_view what) const {
    fail(ErrorCode::parse, "[regex] ", what, " at character ", at_, " of /", pattern_, "/");
  }
  [[noreturn]] void unknown(std::string_view what) const {
    fail(ErrorCode::unsupported, "[regex] ", what, " in /", pattern_, "/");
  }
  bool more() const { return at_ < text_.size(); }
  char32_t peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : U'\0'; }
  bool take(char32_t c) {
    if (!more() || peek() != c) return false;
    ++at_;
    return true;
  }

  ExpressionPtr alternatives(int depth) {
    if (depth > max_depth) bad("too many groups");
    std::vector<ExpressionPtr> out{terms(depth)};
    while (take('|')) out.push_back(terms(depth));
    return choice(std::move(out));
  }

  ExpressionPtr terms(int depth) {
    std::vector<ExpressionPtr> out;
    while (more() && peek() != '|' && peek() != ')') out.push_back(quantified(atom(depth)));
    return sequence(std::move(out));
  }

  ExpressionPtr quantified(ExpressionPtr part) {
    if (take('*'))
      part = repeat(std::move(part), 0);
    else if (take('+'))
      part = repeat(std::move(part), 1);
    else if (take('?'))
      part = optional(std::move(part));
    else if (peek() == '{' && more()) {
      const std::size_t back = at_++;
      const std::optional<std::int64_t> least = number();
      std::optional<std::int64_t> most = least;
      if (least && take(',')) most = peek() == '}' ? std::optional(Expression::unbounded) : number();
      if (!least || !most || !take('}')) {
        at_ = back;
        bad("a { that begins no repetition");
      }
      if (*most != Expression::unbounded && *most < *least) bad("a repetition whose bounds are swapped");
      part = repeat(std::move(part), *least, *most);
    } else {
      return part;
    }
    take('?');
    if (more() && (peek() == '*' || peek() == '+')) bad("a quantifier without anything before it");
    return part;
  }

  std::optional<std::int64_t> number() {
    std::int64_t value = 0;
    const std::size_t start = at_;
    for (; more() && peek() >= '0' && peek() <= '9'; ++at_) {
      value = value * 10 + static_cast<std::int64_t>(peek() - '0');
      if (value > largest_repetition) unknown(str("a repetition of more than ", largest_repetition));
    }
    return at_ > start ? std::optional(value) : std::nullopt;
  }

  ExpressionPtr atom(int depth) {
    const char32_t c = text_[at_++];
    switch (c) {
      case '^': return marker(text_begin);
      case '$': return marker(text_end);
      case '.': return code_points(other_code_points({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}));
      case '(': return group(depth);
      case '[': return character_class();
      case '\\': return escaped();
      case '*':
      case '+':
      case '?': --at_; bad("a quantifier without anything before it");
      default: return code_points({{c, c}});
    }
  }

  ExpressionPtr group(int depth) {
    if (take('?')) {
      if (take(':')) {
      } else if (peek() == '<' && peek(1) != '=' && peek(1) != '!') {
        while (more() && !take('>')) ++at_;
      } else {
        unknown("look-around or a flag");
      }
    }
    ExpressionPtr inside = alternatives(depth + 1);
    if (!take(')')) bad("a missing )");
    return inside;
  }

  ExpressionPtr escaped() {
    if (!more()) bad("a \\ at the end");
    if (peek() == 'b' || peek() == 'B') unknown("a word boundary");
    if ((peek() >= '1' && peek() <= '9') || peek() == 'k') unknown("a back-reference");
    Ranges ranges;
    add_escape(ranges);
    return code_points(ranges);
  }

  /// Behind a backslash: adds what it stands for; returns the character where it is a single one.
  std::optional<char32_t> add_escape(Ranges& out) {
    const char32_t c = text_[at_++];
    const auto add = [&](const Ranges& ranges) { out.insert(out.end(), ranges.begin(), ranges.end()); };
    switch (c) {
      case 'd': add(digits()); return std::nullopt;
      case 'D': add(other_code_points(digits())); return std::nullopt;
      case 'w': add(word_characters()); return std::nullopt;
      case 'W': add(other_code_points(word_characters())); return std::nullopt;
      case 's': add(spaces()); return std::nullopt;
      case 'S': add(other_code_points(spaces())); return std::nullopt;
      case 'p':
      case 'P': unknown("a Unicode property");
      default: break;
    }
    const char32_t single = escaped_character(c);
    out.emplace_back(single, single);
    return single;
  }

  char32_t escaped_character(char32_t c) {
    switch (c) {
      case 't': return '\t';
      case 'n': return '\n';
      case 'r': return '\r';
      case 'f': return '\f';
      case 'v': return '\v';
      case '0': return 0;
      case 'x': return hex(2);
      case 'c': {
        const char32_t letter = more() ? text_[at_++] : 0;
        const char32_t small = letter | 0x20;
        if (small < 'a' || small > 'z') bad("a \\c without a letter");
        return letter % 32;
      }
      case 'u': {
        if (!take('{')) return surrogate_pair(hex(4));
        char32_t value = 0;
        while (more() && peek() != '}') value = std::min<char32_t>(value * 16 + hex(1), last_code_point + 1);
        if (!take('}') || value > last_code_point) bad("a wrong \\u{}");
        return value;
      }
      default:
        if (c < 128 && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
          bad("an escape that means nothing");
        return c;
    }
  }

  char32_t surrogate_pair(char32_t high) {
    if (high < 0xD800 || high > 0xDBFF || peek() != '\\' || peek(1) != 'u') return high;
    const std::size_t back = at_;
    at_ += 2;
    const char32_t low = hex(4);
    if (low >= 0xDC00 && low <= 0xDFFF) return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    at_ = back;
    return high;
  }

  char32_t hex(int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      const char32_t c = more() ? text_[at_++] : 0;
      const char32_t digit = c >= '0' && c <= '9'   ? c - '0'
                             : c >= 'a' && c <= 'f' ? c - 'a' + 10
                             : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                    : 16;
      if (digit > 15) bad("a wrong hexadecimal digit");
      value = value * 16 + digit;
    }
    return value;
  }

  ExpressionPtr character_class() {
    const bool inverted = take('^');
    Ranges ranges;
    while (!take(']')) {
      if (!more()) bad("a missing ]");
      const std::optional<char32_t> first = class_member(ranges);
      if (!first || peek() != '-' || peek(1) == ']' || at_ + 1 >= text_.size()) continue;
      ++at_;
      const std::optional<char32_t> last = class_member(ranges);
      if (!last || *last < *first) bad("a wrong range");
      ranges.emplace_back(*first, *last);
    }
    return code_points(inverted ? other_code_points(std::move(ranges)) : std::move(ranges));
  }

  std::optional<char32_t> class_member(Ranges& ranges) {
    if (!more()) bad("a missing ]");
    if (take('\\')) {
      if (!more()) bad("a \\ at the end");
      if (take('b')) {
        ranges.emplace_back('\b', '\b');
        return U'\b';
      }
      return add_escape(ranges);
    }
    const char32_t c = text_[at_++];
    ranges.emplace_back(c, c);
    return c;
  }

  std::string_view pattern_;
  std::u32string text_;
  std::size_t at_ = 0;
};

/// Whole texts between their markers.
const Dfa& marked_texts() {
  static const auto* const dfa =
      new Dfa(sequence({marker(text_begin), repeat(code_points({{0, last_code_point}}), 0), marker(text_end)}));
  return *dfa;
}

/// Takes the markers off again.
Dfa unmarked(const Dfa& marked) {
  if (marked.empty()) return Dfa();
  const auto& states = marked.states();
  const std::int32_t start = states[0].next[text_begin];
  if (start == Dfa::none) return Dfa();
  std::vector<Dfa::State> out;
  out.push_back(states[static_cast<std::size_t>(start)]);  // a copy comes first, as the start
  out.insert(out.end(), states.begin(), states.end());
  for (Dfa::State& state : out) {
    const std::int32_t end = state.next[text_end];
    state.accepting = end != Dfa::none && states[static_cast<std::size_t>(end)].accepting;
    state.next[text_begin] = state.next[text_end] = Dfa::none;
    for (std::int32_t& to : state.next)
      if (to != Dfa::none) ++to;
  }
  return Dfa(std::move(out));
}

}  // namespace

const Dfa& every_text() {
  static const auto* const dfa = new Dfa(repeat(code_points({{0, last_code_point}}), 0));
  return *dfa;
}

Dfa regex_language(std::string_view pattern, RegexMatch match) {
  ExpressionPtr inside = RegexParser(pattern).parse();
  if (match == RegexMatch::somewhere) {
    ByteSet all;
    all.set();
    const ExpressionPtr anything = repeat(any_of(all), 0);
    inside = sequence({anything, inside, anything});
  } else {
    // The pattern may name the ends itself.
    inside = sequence({optional(marker(text_begin)), inside, optional(marker(text_end))});
  }
  return unmarked(intersection(Dfa(inside), marked_texts()));
}

}  // namespace trustformers
