#include "lexer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "../../base/error.h"
#include "text.h"

namespace trustformers::jinja {
namespace {

std::string normalize_newlines(std::string_view source) {
  std::string result;
  result.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      result.push_back('\n');
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      result.push_back(source[i]);
    }
  }
  if (!result.empty() && result.back() == '\n') result.pop_back();
  return result;
}

bool is_digit_char(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (static_cast<unsigned char>(c) & 0x80u) != 0;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : text_(normalize_newlines(source)) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) data();
    push(TokenKind::end, "");
    return std::move(tokens_);
  }

 private:
  // Everything up to the next tag, and the tag.
  void data() {
    std::size_t tag = text_.find('{', at_);
    while (tag != std::string::npos && (tag + 1 == text_.size() || !is_tag_char(text_[tag + 1])))
      tag = text_.find('{', tag + 1);
    if (tag == std::string::npos) {
      emit_data(std::string_view(text_).substr(at_));
      advance(text_.size());
      return;
    }
    const char kind = text_[tag + 1];
    const char sign = tag + 2 < text_.size() && (text_[tag + 2] == '-' || text_[tag + 2] == '+') ? text_[tag + 2] : ' ';
    emit_data(before_tag(std::string_view(text_).substr(at_, tag - at_), sign, kind != '{'));
    advance(tag + (sign == ' ' ? 2 : 3));
    if (kind == '#') {
      comment();
    } else if (kind == '{') {
      push(TokenKind::output_begin, "");
      tag_tokens(TokenKind::output_end);
    } else if (!raw_block()) {
      push(TokenKind::statement_begin, "");
      tag_tokens(TokenKind::statement_end);
    }
  }

  static bool is_tag_char(char c) { return c == '{' || c == '%' || c == '#'; }

  // What remains of the text before a tag: '-' takes all space, else (not for outputs) the indentation of the tag.
  std::string_view before_tag(std::string_view data, char sign, bool takes_indentation) const {
    if (sign == '-') return strip(data, Side::right);
    if (sign == '+' || !takes_indentation) return data;
    const std::size_t newline = data.rfind('\n');
    const std::size_t from = newline == std::string_view::npos ? 0 : newline + 1;
    if (from == 0 && !line_starting_) return data;
    return strip(data.substr(from)).empty() ? data.substr(0, from) : data;
  }

  void comment() {
    const std::size_t end = text_.find("#}", at_);
    check(end != std::string::npos, ErrorCode::parse, "[chat_template] line ", line_, ": this comment never ends");
    const char sign = end > at_ ? text_[end - 1] : ' ';
    advance(end + 2);
    after_block(sign);
  }

  // What follows "%}" or "#}": '-' takes all space, '+' nothing, else one newline goes.
  void after_block(char sign) {
    if (sign == '-')
      skip_space();
    else if (sign != '+' && at_ < text_.size() && text_[at_] == '\n')
      advance(at_ + 1);
    line_starting_ = text_[at_ - 1] == '\n';
  }

  // At the inside of a statement tag: {% raw %} ... {% endraw %} becomes data. False when it is another statement.
  bool raw_block() {
    std::size_t place = at_;
    char sign = ' ';
    if (!closes_tag_of("raw", place, sign)) return false;
    const int line = line_;
    advance(place);
    if (sign == '-') skip_space();
    line_starting_ = text_[at_ - 1] == '\n';
    for (std::size_t tag = text_.find("{%", at_); tag != std::string::npos; tag = text_.find("{%", tag + 2)) {
      place = tag + 2;
      const char open_sign = place < text_.size() && (text_[place] == '-' || text_[place] == '+') ? text_[place] : ' ';
      if (open_sign != ' ') ++place;
      if (!closes_tag_of("endraw", place, sign)) continue;
      emit_data(before_tag(std::string_view(text_).substr(at_, tag - at_), open_sign, true));
      advance(place);
      after_block(sign);
      return true;
    }
    fail(ErrorCode::parse, "[chat_template] line ", line, ": this raw block never ends");
  }

  // Whether `word` and the end of the tag follow at `place`, which then moves behind them.
  bool closes_tag_of(std::string_view word, std::size_t& place, char& sign) const {
    std::size_t next = place;
    while (next < text_.size() && is_space(point_at(text_, next))) next += point_size(text_, next);
    if (text_.compare(next, word.size(), word) != 0) return false;
    next += word.size();
    while (next < text_.size() && is_space(point_at(text_, next))) next += point_size(text_, next);
    sign = ' ';
    if (next < text_.size() && (text_[next] == '-' || text_[next] == '+')) sign = text_[next++];
    if (text_.compare(next, 2, "%}") != 0) return false;
    place = next + 2;
    return true;
  }

  void tag_tokens(TokenKind closing) {
    const int opened_at = line_;
    const std::string_view close = closing == TokenKind::output_end ? "}}" : "%}";
    std::string brackets;
    for (;;) {
      skip_space();
      check(at_ < text_.size(), ErrorCode::parse, "[chat_template] line ", opened_at, ": this tag never ends");
      if (brackets.empty()) {
        const char sign = text_[at_];
        const bool signed_end =
            (sign == '-' || (sign == '+' && close == "%}")) && text_.compare(at_ + 1, 2, close) == 0;
        if (signed_end || text_.compare(at_, 2, close) == 0) {
          push(closing, "");
          advance(at_ + (signed_end ? 3 : 2));
          if (closing == TokenKind::statement_end) {
            after_block(signed_end ? sign : ' ');
          } else {
            if (signed_end) skip_space();
            line_starting_ = text_[at_ - 1] == '\n';
          }
          return;
        }
      }
      token(brackets);
    }
  }

  void token(std::string& brackets) {
    const char c = text_[at_];
    if (is_digit_char(c)) return number();
    if (is_name_start(c)) return name();
    if (c == '\'' || c == '"') return string(c);
    static constexpr std::array<std::string_view, 26> operators = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                                                   "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                                   ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
    for (const std::string_view op : operators) {
      if (text_.compare(at_, op.size(), op) != 0) continue;
      if (c == '(' || c == '[' || c == '{') {
        brackets.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
      } else if (c == ')' || c == ']' || c == '}') {
        check(!brackets.empty(), ErrorCode::parse, "[chat_template] line ", line_, ": unexpected '", c, "'");
        check(brackets.back() == c, ErrorCode::parse, "[chat_template] line ", line_, ": expected '", brackets.back(),
              "', got '", c, "'");
        brackets.pop_back();
      }
      push(TokenKind::op, op);
      advance(at_ + op.size());
      return;
    }
    fail(ErrorCode::parse, "[chat_template] line ", line_, ": unexpected character '",
         std::string_view(text_).substr(at_, point_size(text_, at_)), "'");
  }

  void name() {
    std::size_t end = at_;
    while (end < text_.size() && (is_name_start(text_[end]) || is_digit_char(text_[end]))) ++end;
    push(TokenKind::name, std::string_view(text_).substr(at_, end - at_));
    advance(end);
  }

  std::size_t skip_digits(std::size_t place, std::string& digits, int base) const {
    const auto is_of_base = [&](char c) {
      if (base == 16) return is_digit_char(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      return c >= '0' && c < '0' + base;
    };
    while (place < text_.size() && (is_of_base(text_[place]) || (text_[place] == '_' && place + 1 < text_.size() &&
                                                                 is_of_base(text_[place + 1])))) {
      if (text_[place] != '_') digits.push_back(text_[place]);
      ++place;
    }
    return place;
  }

  void number() {
    std::string digits;
    int base = 10;
    std::size_t end = at_;
    if (text_[at_] == '0' && at_ + 1 < text_.size()) {
      const char mark = static_cast<char>(text_[at_ + 1] | 0x20);
      base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
    }
    end = skip_digits(at_ + (base == 10 ? 0 : 2), digits, base);
    bool real = false;
    if (base == 10) {
      const auto digit_at = [&](std::size_t place) { return place < text_.size() && is_digit_char(text_[place]); };
      // After a dot ("x.0.1") only an integer can follow.
      const bool may_be_real = at_ == 0 || text_[at_ - 1] != '.';
      if (may_be_real && end < text_.size() && text_[end] == '.' && digit_at(end + 1)) {
        real = true;
        digits.push_back('.');
        end = skip_digits(end + 1, digits, 10);
      }
      if (may_be_real && end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
        const std::size_t sign = end + 1 < text_.size() && (text_[end + 1] == '+' || text_[end + 1] == '-') ? 1 : 0;
        if (digit_at(end + 1 + sign)) {
          real = true;
          digits += sign == 1 && text_[end + 1] == '-' ? "e-" : "e";
          end = skip_digits(end + 1 + sign, digits, 10);
        }
      }
    }
    Token& token = push(real ? TokenKind::floating : TokenKind::integer, "");
    const char* last = digits.data() + digits.size();
    if (real) {
      token.floating = parse_float(digits).value_or(0.0);
    } else {
      const auto result = std::from_chars(digits.data(), last, token.integer, base);
      check(result.ec == std::errc() && result.ptr == last, ErrorCode::parse, "[chat_template] line ", line_,
            ": the number ", std::string_view(text_).substr(at_, end - at_), " does not fit");
    }
    advance(end);
  }

  void string(char quote) {
    std::string value;
    const int line = line_;
    std::size_t place = at_ + 1;
    while (place < text_.size() && text_[place] != quote) {
      if (text_[place] == '\\')
        place = escape(place + 1, value);
      else
        value.push_back(text_[place++]);
    }
    check(place < text_.size(), ErrorCode::parse, "[chat_template] line ", line, ": this string never ends");
    push(TokenKind::string, value);
    advance(place + 1);
  }

  // Python's escapes; `place` is behind the backslash. Unknown ones keep their backslash.
  std::size_t escape(std::size_t place, std::string& value) const {
    if (place >= text_.size()) return place;
    const char c = text_[place++];
    static constexpr std::string_view letters = "abfnrtv'\"\\";
    static constexpr std::string_view meanings = "\a\b\f\n\r\t\v'\"\\";
    if (const std::size_t known = letters.find(c); known != std::string_view::npos) {
      value.push_back(meanings[known]);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      char32_t point = code(place, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16);
      place += c == 'x' ? 2 : c == 'u' ? 4 : 8;
      if (point >= 0xd800 && point < 0xdc00 && text_.compare(place, 2, "\\u") == 0) {
        const char32_t low = code(place + 2, 4, 16);
        if (low >= 0xdc00 && low < 0xe000) {
          point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
          place += 6;
        }
      }
      check(point < 0x110000 && (point < 0xd800 || point > 0xdfff), ErrorCode::parse, "[chat_template] line ", line_,
            ": an escape that is no Unicode character");
      append_utf8(value, point);
    } else if (c >= '0' && c <= '7') {
      std::size_t count = 1;
      while (count < 3 && place - 1 + count < text_.size() && text_[place - 1 + count] >= '0' &&
             text_[place - 1 + count] <= '7')
        ++count;
      append_utf8(value, code(place - 1, count, 8));
      place += count - 1;
    } else if (c != '\n') {
      check(c != 'N', ErrorCode::unsupported, "[chat_template] line ", line_, ": the string escape \\N");
      value.push_back('\\');
      value.push_back(c);
    }
    return place;
  }

  char32_t code(std::size_t place, std::size_t count, int base) const {
    std::uint32_t value = 0;
    const char* first = text_.data() + std::min(place, text_.size());
    const char* last = text_.data() + std::min(place + count, text_.size());
    const auto result = std::from_chars(first, last, value, base);
    check(result.ptr - first == static_cast<std::ptrdiff_t>(count), ErrorCode::parse, "[chat_template] line ", line_,
          ": an escape needs ", count, " digits");
    return value;
  }

  void emit_data(std::string_view data) {
    if (!data.empty()) push(TokenKind::data, data);
  }

  Token& push(TokenKind kind, std::string_view text) {
    tokens_.push_back({kind, std::string(text), 0, 0, line_});
    return tokens_.back();
  }

  void advance(std::size_t to) {
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
    at_ = to;
  }

  void skip_space() {
    std::size_t next = at_;
    while (next < text_.size() && is_space(point_at(text_, next))) next += point_size(text_, next);
    advance(next);
  }

  std::string text_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;  // whether the text before at_ ended a line
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

}  // namespace trustformers::jinja
