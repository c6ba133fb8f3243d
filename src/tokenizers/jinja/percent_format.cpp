#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "../../base/number_text.h"
#include "operators.h"
#include "print.h"
#include "text.h"

namespace trustformers::jinja {
namespace {

constexpr std::int64_t max_width = 1'000'000;
constexpr int max_precision = 100;

struct Directive {
  bool left = false, zero = false, plus = false, space = false, alternate = false;
  std::int64_t width = 0;
  std::int64_t precision = -1;
  char conversion = ' ';
};

class Formatter {
 public:
  Formatter(std::string_view format, const Value& values, Budget& budget)
      : format_(format), values_(values), budget_(budget) {
    const List* list = values.get<List>();
    if (list != nullptr && list->kind == List::Kind::tuple) tuple_ = list;
  }

  std::string run() {
    std::string result;
    while (at_ < format_.size()) {
      if (format_[at_] != '%') {
        result.push_back(format_[at_++]);
        continue;
      }
      ++at_;
      std::string part = directive();
      budget_.produce(part.size());
      result += part;
    }
    const std::size_t given = tuple_ != nullptr ? tuple_->items.size() : 1;
    const bool all_used = used_ >= given || (tuple_ == nullptr && values_.get<Dict>() != nullptr) ||
                          (tuple_ == nullptr && values_.get<List>() != nullptr);
    check(all_used, ErrorCode::invalid_argument,
          "[chat_template] not all arguments converted during string formatting");
    return result;
  }

 private:
  char next() {
    check(at_ < format_.size(), ErrorCode::invalid_argument, "[chat_template] incomplete format");
    return format_[at_++];
  }

  Value argument() {
    if (tuple_ == nullptr) {
      check(used_++ == 0, ErrorCode::invalid_argument, "[chat_template] not enough arguments for format string");
      return values_;
    }
    check(used_ < tuple_->items.size(), ErrorCode::invalid_argument,
          "[chat_template] not enough arguments for format string");
    return tuple_->items[used_++];
  }

  std::int64_t number(char& c) {
    std::int64_t value = 0;
    if (c == '*') {
      check(to_integer(argument(), value), ErrorCode::invalid_argument, "[chat_template] * wants int");
      c = next();
    }
    for (; c >= '0' && c <= '9'; c = next()) value = value * 10 + (c - '0');
    check(value >= 0 && value <= max_width, ErrorCode::unsupported, "[chat_template] the width ", value,
          " in a format string");
    return value;
  }

  std::string directive() {
    char c = next();
    if (c == '%') return "%";
    Value item;
    bool keyed = false;
    if (c == '(') {
      const std::size_t close = format_.find(')', at_);
      const Dict* dict = values_.get<Dict>();
      check(close != std::string_view::npos && dict != nullptr, ErrorCode::invalid_argument,
            "[chat_template] format requires a mapping");
      const std::string_view key = format_.substr(at_, close - at_);
      const Value* found = dict->find(key);
      check(found != nullptr, ErrorCode::invalid_argument, "[chat_template] the format names the key '", key,
            "', which is not there");
      item = *found;
      keyed = true;
      at_ = close + 1;
      c = next();
    }
    Directive spec;
    for (;; c = next()) {
      if (c == '-')
        spec.left = true;
      else if (c == '0')
        spec.zero = true;
      else if (c == '+')
        spec.plus = true;
      else if (c == ' ')
        spec.space = true;
      else if (c == '#')
        spec.alternate = true;
      else
        break;
    }
    spec.width = number(c);
    if (c == '.') {
      c = next();
      spec.precision = number(c);
    }
    spec.conversion = c;
    if (!keyed) item = argument();
    return pad(spec, convert(spec, item));
  }

  std::string convert(const Directive& spec, const Value& item) {
    switch (spec.conversion) {
      case 's':
      case 'r':
      case 'a': {
        std::string text = spec.conversion == 's' ? to_text(item, budget_) : to_repr(item, budget_);
        if (spec.precision < 0) return text;
        const auto offsets = point_offsets(text);
        const auto keep = static_cast<std::size_t>(spec.precision);
        if (keep < offsets.size()) text.resize(offsets[keep]);
        return text;
      }
      case 'c': {
        std::int64_t code = 0;
        if (item.is_string()) return item.text();
        check(to_integer(item, code) && code >= 0 && code < 0x110000, ErrorCode::invalid_argument,
              "[chat_template] %c requires an int below 0x110000 or a string");
        std::string text;
        append_utf8(text, static_cast<char32_t>(code));
        return text;
      }
      case 'd':
      case 'i':
      case 'u':
      case 'x':
      case 'X':
      case 'o': return integer(spec, item);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G': return real(spec, item);
      default:
        fail(ErrorCode::invalid_argument, "[chat_template] unsupported format character '", spec.conversion, "'");
    }
  }

  static std::string signed_text(const Directive& spec, bool negative, std::string digits) {
    const std::string sign = negative ? "-" : spec.plus ? "+" : spec.space ? " " : "";
    const auto size = static_cast<std::int64_t>(sign.size() + digits.size());
    if (spec.zero && !spec.left && size < spec.width)
      digits.insert(0, static_cast<std::size_t>(spec.width - size), '0');
    return sign + digits;
  }

  std::string integer(const Directive& spec, const Value& item) const {
    std::int64_t value = 0;
    item.require_defined();
    const auto* real_value = item.get<double>();
    if (real_value != nullptr && std::abs(*real_value) < 9e18)
      value = static_cast<std::int64_t>(*real_value);
    else
      check(to_integer(item, value), ErrorCode::invalid_argument, "[chat_template] %", spec.conversion,
            " format: a number is required, not ", item.type_name());
    const std::uint64_t magnitude =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    std::array<char, 72> buffer{};
    const int base = spec.conversion == 'o' ? 8 : (spec.conversion | 0x20) == 'x' ? 16 : 10;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude, base);
    std::string digits(buffer.data(), end.ptr);
    if (spec.conversion == 'X') digits = to_upper(digits);
    if (spec.precision > static_cast<std::int64_t>(digits.size()))
      digits.insert(0, static_cast<std::size_t>(spec.precision) - digits.size(), '0');
    if (spec.alternate && base != 10) digits.insert(0, base == 8 ? "0o" : spec.conversion == 'X' ? "0X" : "0x");
    return signed_text(spec, value < 0, std::move(digits));
  }

  static std::string real(const Directive& spec, const Value& item) {
    double value = 0;
    item.require_defined();
    check(to_double(item, value), ErrorCode::invalid_argument, "[chat_template] must be real number, not ",
          item.type_name());
    check(spec.precision <= max_precision, ErrorCode::unsupported, "[chat_template] a precision above ", max_precision);
    const int precision = spec.precision < 0 ? 6 : static_cast<int>(spec.precision);
    const char kind = static_cast<char>(spec.conversion | 0x20);
    std::string digits = number_text(std::abs(value), kind, precision);
    if (spec.conversion != kind) digits = to_upper(digits);
    return signed_text(spec, std::signbit(value), std::move(digits));
  }

  std::string pad(const Directive& spec, std::string text) const {
    const auto missing = spec.width - static_cast<std::int64_t>(count_code_points(text));
    if (missing > 0) text.insert(spec.left ? text.size() : 0, static_cast<std::size_t>(missing), ' ');
    return text;
  }

  std::string_view format_;
  const Value& values_;
  Budget& budget_;
  const List* tuple_ = nullptr;
  std::size_t at_ = 0;
  std::size_t used_ = 0;
};

}  // namespace

std::string percent_format(std::string_view format, const Value& values, Budget& budget) {
  return Formatter(format, values, budget).run();
}

}  // namespace trustformers::jinja
