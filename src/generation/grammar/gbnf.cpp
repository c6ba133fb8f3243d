// GBNF, llama.cpp's notation of grammars.
#include <map>

#include "../../base/error.h"
#include "../../base/utf8.h"
#include "grammar.h"

namespace trustformers {
namespace {

class GbnfParser {
 public:
  explicit GbnfParser(std::string_view text) : text_(text) {
    check(is_valid_utf8(text), ErrorCode::parse, "[gbnf] the text is not UTF-8");
  }

  Grammar parse() {
    number_of("root");
    skip(true);
    while (at_ < text_.size()) rule();
    for (std::size_t i = 0; i < rules_.size(); ++i)
      check(rules_[i] != nullptr, ErrorCode::parse, "[gbnf] there is no rule \"", names_[i], "\"");
    return Grammar(rules_, names_);
  }

 private:
  static constexpr int max_depth = 200;
  static constexpr std::int64_t largest_repetition = 4096;

  [[noreturn]] void bad(std::string_view what) const {
    std::size_t line = 1;
    for (std::size_t i = 0; i < at_ && i < text_.size(); ++i) line += text_[i] == '\n';
    fail(ErrorCode::parse, "[gbnf] ", what, " in line ", line);
  }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  /// White space and comments; a new line ends a rule that is not inside a group.
  void skip(bool lines) {
    for (; at_ < text_.size(); ++at_) {
      if (peek() == '#')
        while (at_ + 1 < text_.size() && peek(1) != '\n') ++at_;
      else if (std::string_view(lines ? " \t\n\r" : " \t").find(peek()) == std::string_view::npos)
        return;
    }
  }

  static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  }
  std::string name() {
    const std::size_t start = at_;
    while (is_name(peek())) ++at_;
    if (at_ == start) bad("a name is missing");
    return std::string(text_.substr(start, at_ - start));
  }
  std::size_t number_of(const std::string& rule) {
    const auto [at, fresh] = numbers_.emplace(rule, names_.size());
    if (fresh) {
      names_.push_back(rule);
      rules_.push_back(nullptr);
    }
    return at->second;
  }

  void rule() {
    const std::size_t number = number_of(name());
    skip(false);
    if (!take("::=")) bad("::= is missing");
    if (rules_[number]) bad("a rule is defined twice");
    skip(true);
    rules_[number] = alternatives(false, 0);
    if (at_ < text_.size() && peek() != '\n' && peek() != '\r') bad("a rule does not end");
    skip(true);
  }

  ExpressionPtr alternatives(bool nested, int depth) {
    if (depth > max_depth) bad("too many groups");
    std::vector<ExpressionPtr> out{terms(nested, depth)};
    while (take("|")) {
      skip(true);
      out.push_back(terms(nested, depth));
    }
    return choice(std::move(out));
  }

  ExpressionPtr terms(bool nested, int depth) {
    std::vector<ExpressionPtr> out;
    for (;;) {
      ExpressionPtr part;
      if (peek() == '"') {
        part = quoted();
      } else if (peek() == '[') {
        part = character_class();
      } else if (take(".")) {
        part = code_points({{0, last_code_point}});
      } else if (take("(")) {
        skip(true);
        part = alternatives(true, depth + 1);
        if (!take(")")) bad(") is missing");
      } else if (is_name(peek())) {
        part = call(number_of(name()));
      } else {
        return sequence(std::move(out));
      }
      skip(nested);
      out.push_back(quantified(std::move(part), nested));
    }
  }

  ExpressionPtr quantified(ExpressionPtr part, bool nested) {
    for (;;) {
      if (take("*")) {
        part = repeat(std::move(part), 0);
      } else if (take("+")) {
        part = repeat(std::move(part), 1);
      } else if (take("?")) {
        part = optional(std::move(part));
      } else if (take("{")) {
        skip(nested);
        const std::int64_t least = peek() == ',' ? 0 : number();
        std::int64_t most = least;
        skip(nested);
        if (take(",")) {
          skip(nested);
          most = peek() == '}' ? Expression::unbounded : number();
          skip(nested);
        }
        if (!take("}") || (most != Expression::unbounded && most < least)) bad("a wrong repetition");
        part = repeat(std::move(part), least, most);
      } else {
        return part;
      }
      skip(nested);
    }
  }

  std::int64_t number() {
    std::int64_t value = 0;
    const std::size_t start = at_;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      value = value * 10 + (peek() - '0');
      if (value > largest_repetition) bad(str("a repetition of more than ", largest_repetition));
    }
    if (at_ == start) bad("a number is missing");
    return value;
  }

  char32_t character() {
    if (take("\\")) {
      const char c = peek();
      ++at_;
      switch (c) {
        case 'n': return '\n';
        case 't': return '\t';
        case 'r': return '\r';
        case 'x': return hex(2);
        case 'u': return hex(4);
        case 'U': return hex(8);
        case '"':
        case '\\':
        case '[':
        case ']':
        case '-':
        case '^': return static_cast<char32_t>(c);
        default: bad("an escape that means nothing");
      }
    }
    if (at_ >= text_.size()) bad("the text ends inside a literal");
    const Utf8Step step = decode_utf8_at(text_, at_);
    at_ += step.length;
    return step.code_point;
  }
  char32_t hex(int digits) {
    std::uint64_t value = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const char c = peek();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) bad("a wrong hexadecimal digit");
      value = value * 16 + static_cast<std::uint64_t>(digit);
    }
    if (value > last_code_point) bad("a character beyond Unicode");
    return static_cast<char32_t>(value);
  }

  ExpressionPtr quoted() {
    ++at_;
    std::string out;
    while (!take("\"")) append_utf8(out, character());
    return literal(out);
  }

  ExpressionPtr character_class() {
    ++at_;
    const bool inverted = take("^");
    std::vector<CodePointRange> ranges;
    while (!take("]")) {
      const char32_t first = character();
      char32_t last = first;
      if (peek() == '-' && peek(1) != ']') {
        ++at_;
        last = character();
        if (last < first) bad("a wrong range");
      }
      ranges.emplace_back(first, last);
    }
    return code_points(inverted ? other_code_points(std::move(ranges)) : ranges);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::map<std::string, std::size_t> numbers_;
  std::vector<std::string> names_;
  std::vector<ExpressionPtr> rules_;
};

}  // namespace

Grammar Grammar::gbnf(std::string_view text) { return GbnfParser(text).parse(); }

}  // namespace trustformers
