#include "json_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "error.h"
#include "json.h"
#include "utf8.h"

namespace trustformers {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// Bytes that end a plain stretch of a string: the quote, the backslash and control characters.
constexpr std::array<bool, 256> ends_plain = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

JsonReader::JsonReader(std::string_view text, std::string_view where) : text_(text), where_(where) {
  if (const std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    at_ = bad;
    refuse("bytes that are not UTF-8");
  }
  if (text.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
}

void JsonReader::refuse(std::string_view reason) const {
  const std::string_view read = text_.substr(0, std::min(at_, text_.size()));
  const auto line_start = read.rfind('\n') + 1;  // npos + 1 is 0
  fail(ErrorCode::parse, "[", where_, "] line ", 1 + std::count(read.begin(), read.end(), '\n'), ", column ",
       1 + count_code_points(read.substr(line_start)), ": ", reason);
}

void JsonReader::space() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r') break;
    ++at_;
  }
}

bool JsonReader::take(char c) {
  if (at_ >= text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

void JsonReader::expect(char c, std::string_view what) {
  space();
  if (!take(c)) refuse(str(what, " expected"));
}

JsonReader::Kind JsonReader::peek() {
  space();
  if (at_ >= text_.size()) refuse("the text ends where a value should be");
  switch (text_[at_]) {
    case '{': return Kind::object;
    case '[': return Kind::array;
    case '"': return Kind::string;
    case 't':
    case 'f':
    case 'n': return Kind::literal;
    default:
      if (text_[at_] != '-' && !is_digit(text_[at_])) refuse("a value expected");
      return Kind::number;
  }
}

void JsonReader::enter_object() {
  expect('{', "an object");
  first_ = true;
}

void JsonReader::enter_array() {
  expect('[', "an array");
  first_ = true;
}

bool JsonReader::next(char end) {
  space();
  if (take(end)) {
    first_ = false;  // what is around has read at least this
    return false;
  }
  if (!first_ && !take(',')) refuse(str("a comma or '", end, "' expected"));
  first_ = false;
  return true;
}

bool JsonReader::next_key(std::string& key) {
  std::string scratch;
  std::string_view text;
  if (!next_key(text, scratch)) return false;
  key = text;
  return true;
}

bool JsonReader::next_key(std::string_view& key, std::string& scratch) {
  if (!next('}')) return false;
  key = string(scratch);
  expect(':', "a colon");
  return true;
}

bool JsonReader::next_item() { return next(']'); }

std::string_view JsonReader::string(std::string& scratch) {
  expect('"', "a string");
  const std::size_t begin = at_;
  const auto plain = [&] {
    while (at_ < text_.size() && !ends_plain[static_cast<unsigned char>(text_[at_])]) ++at_;
    if (at_ >= text_.size()) refuse("the text ends inside a string");
    if (text_[at_] != '"' && text_[at_] != '\\') refuse("a control character inside a string");
  };
  plain();
  if (take('"')) return text_.substr(begin, at_ - 1 - begin);
  scratch.assign(text_, begin, at_ - begin);
  while (!take('"')) {
    ++at_;
    escape(scratch);
    const std::size_t from = at_;
    plain();
    scratch.append(text_, from, at_ - from);
  }
  return scratch;
}

void JsonReader::escape(std::string& out) {
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  ++at_;
  switch (c) {
    case '"':
    case '\\':
    case '/': out.push_back(c); return;
    case 'b': out.push_back('\b'); return;
    case 'f': out.push_back('\f'); return;
    case 'n': out.push_back('\n'); return;
    case 'r': out.push_back('\r'); return;
    case 't': out.push_back('\t'); return;
    case 'u': break;
    default: --at_; refuse("an escape that JSON does not have");
  }
  char32_t value = hex4();
  if (value >= 0xDC00 && value <= 0xDFFF) refuse("the second half of a surrogate pair without its first");
  if (value >= 0xD800 && value <= 0xDBFF) {
    const bool escaped = take('\\') && take('u');
    const std::uint32_t low = escaped ? hex4() : 0;
    if (low < 0xDC00 || low > 0xDFFF) refuse("the first half of a surrogate pair without its second");
    value = 0x10000 + ((value - 0xD800) << 10 | (low - 0xDC00));
  }
  append_utf8(out, value);
}

std::uint32_t JsonReader::hex4() {
  std::uint32_t value = 0;
  const char* const begin = text_.data() + at_;
  const char* const end = begin + std::min<std::size_t>(4, text_.size() - std::min(at_, text_.size()));
  const auto [stopped, error] = std::from_chars(begin, end, value, 16);
  if (error != std::errc() || stopped - begin != 4) refuse("four hexadecimal digits expected after \\u");
  at_ += 4;
  return value;
}

std::string_view JsonReader::number_text() {
  space();
  const std::size_t begin = at_;
  const auto digits = [&] {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ - start;
  };
  take('-');
  const bool zero = at_ < text_.size() && text_[at_] == '0';
  const std::size_t whole = digits();
  if (whole == 0) refuse("a number expected");
  if (zero && whole > 1) refuse("a number with a leading zero");
  if (take('.') && digits() == 0) refuse("a digit expected after the point");
  if (take('e') || take('E')) {
    if (!take('-')) take('+');
    if (digits() == 0) refuse("a digit expected in the exponent");
  }
  return text_.substr(begin, at_ - begin);
}

std::int64_t JsonReader::integer() {
  const std::string_view text = number_text();
  std::int64_t value = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stopped != text.data() + text.size())
    refuse(str("an integer of 64 bits expected, got ", text.substr(0, 40)));
  return value;
}

double JsonReader::number() {
  const std::string_view text = number_text();
  const auto quick = [](const char* begin, const char* end, auto& value) {
    if constexpr (requires { std::from_chars(begin, end, value); })
      return std::from_chars(begin, end, value).ec == std::errc();
    return false;  // libraries without it, and numbers that overflow or underflow
  };
  double value = 0;
  return quick(text.data(), text.data() + text.size(), value) ? value : Json::parse(text, where_).as_double();
}

std::string_view JsonReader::skip() {
  const Kind kind = peek();
  const std::size_t begin = at_;
  std::string scratch;
  if (kind == Kind::string) {
    string(scratch);
  } else if (kind == Kind::number) {
    number_text();
  } else if (kind == Kind::literal) {
    while (at_ < text_.size() && text_[at_] >= 'a' && text_[at_] <= 'z') ++at_;
  } else {
    std::string open;  // the brackets that wait for their partner
    do {
      if (at_ >= text_.size()) refuse("the text ends inside an object or array");
      const char c = text_[at_];
      if (c == '"') {
        string(scratch);
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') open.push_back(c == '{' ? '}' : ']');
      if (c == '}' || c == ']') {
        if (open.back() != c) refuse(str("'", open.back(), "' expected"));
        open.pop_back();
      }
    } while (!open.empty());
  }
  return text_.substr(begin, at_ - begin);
}

void JsonReader::finish() {
  space();
  if (at_ < text_.size()) refuse("only white space expected after the value");
}

}  // namespace trustformers
