// Filters over strings and numbers, and tojson.
#include <charconv>
#include <cmath>

#include "../../base/number_text.h"
#include "arguments.h"
#include "builtins.h"
#include "operators.h"
#include "print.h"
#include "text.h"

namespace trustformers::jinja {
namespace {

// The value as a string; keeps Markup what it is.
Value soft_string(Interpreter& interpreter, const Value& value) {
  return value.is_string() ? value : Value::string(to_text(value, interpreter.budget()));
}

// A filter that maps the text of its value and takes no arguments.
template <std::string (*function)(std::string_view)>
Value mapped(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("the filter", given, {});
  const Value text = soft_string(interpreter, value);
  interpreter.budget().produce(text.text().size());
  return Value::string(function(text.text()), text.is_markup());
}

// Unlike str.title, only space and some brackets start a word.
std::string title(std::string_view text) {
  std::string result;
  std::size_t begin = 0;
  const auto flush = [&](std::size_t end) {
    const std::string_view word = text.substr(begin, end - begin);
    if (word.empty()) return;
    const std::size_t size = point_size(word, 0);
    result += to_upper(word.substr(0, size)) + to_lower(word.substr(size));
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = point_size(text, at);
    const char32_t point = point_at(text, at);
    if (is_space(point) ||
        (point < 0x80 && std::string_view("-({[<").find(static_cast<char>(point)) != std::string_view::npos)) {
      flush(at);
      result.append(text.substr(at, size));
      begin = at + size;
    }
    at += size;
  }
  flush(text.size());
  return result;
}

Value trim(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("trim", given, {"chars"});
  const Value text = soft_string(interpreter, value);
  if (!arguments.has(0)) return Value::string(strip(text.text()), text.is_markup());
  const std::string_view set = arguments.text(0);
  charge_search(text.text(), set, interpreter.budget());
  return Value::string(strip(text.text(), Side::both, &set), text.is_markup());
}

Value replace(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("replace", given, {"old", "new", "count"});
  Budget& budget = interpreter.budget();
  CallArguments texts;
  texts.positional = {Value::string(to_text(arguments.value(0), budget)),
                      Value::string(to_text(arguments.value(1), budget)), Value::integer(arguments.integer(2, -1))};
  const Value plain = Value::string(to_text(value, budget));
  return interpreter.call(bound_method(plain, "replace"), texts);
}

Value indent(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("indent", given, {"width", "first", "blank"});
  const Value text = soft_string(interpreter, value);
  const Value width = arguments.value(0, Value::integer(4));
  const Value indention =
      width.is_string() ? width : arithmetic(Operator::multiply, Value::string(" "), width, interpreter.budget());
  const std::string lines_text = text.text() + "\n";
  const auto lines = split_lines(lines_text, false);
  interpreter.budget().step(lines.size());
  interpreter.budget().produce(text.text().size() + lines.size() * (indention.text().size() + 1));
  const bool blank = arguments.flag(2, false);
  std::string result;
  if (arguments.flag(1, false)) result += indention.text();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) result += "\n";
    if (i > 0 && (blank || !lines[i].empty())) result += indention.text();
    result += lines[i];
  }
  return Value::string(std::move(result), text.is_markup());
}

Value center(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("center", given, {"width"});
  CallArguments width;
  width.positional.push_back(arguments.value(0, Value::integer(80)));
  return interpreter.call(bound_method(soft_string(interpreter, value), "center"), width);
}

Value truncate(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("truncate", given, {"length", "killwords", "end", "leeway"});
  const std::string text = to_text(value, interpreter.budget());
  const std::string end = arguments.text(2, "...");
  const std::int64_t length = arguments.integer(0, 255);
  const auto end_length = static_cast<std::int64_t>(count_code_points(end));
  check(length >= end_length, ErrorCode::invalid_argument, "[chat_template] truncate to ", length,
        " leaves no room for '", end, "'");
  interpreter.budget().produce(text.size() * sizeof(std::size_t));
  const auto offsets = point_offsets(text);
  const auto size = static_cast<std::int64_t>(offsets.size() - 1);
  const std::int64_t leeway = arguments.integer(3, 5);
  if (size <= length || size - length <= leeway) return Value::string(text);
  std::string kept = text.substr(0, offsets[static_cast<std::size_t>(length - end_length)]);
  if (!arguments.flag(1, false)) kept = kept.substr(0, kept.rfind(' '));
  return Value::string(kept + end);
}

Value wordcount(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("wordcount", given, {});
  std::int64_t count = 0;
  bool inside = false;
  const std::string text = to_text(value, interpreter.budget());
  for (std::size_t at = 0; at < text.size(); at += point_size(text, at)) {
    const char32_t point = point_at(text, at);
    const bool word = is_letter(point) || is_digit(point) || point == '_';
    if (word && !inside) ++count;
    inside = word;
  }
  return Value::integer(count);
}

Value urlencode_text(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("urlencode", given, {});
  check(value.get<Dict>() == nullptr && value.get<List>() == nullptr, ErrorCode::unsupported,
        "[chat_template] the filter 'urlencode' of a ", value.type_name());
  static constexpr std::string_view kept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~/";
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const char c : to_text(value, interpreter.budget())) {
    if (kept.find(c) != std::string_view::npos) {
      result.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result.append({'%', digits[byte >> 4], digits[byte & 15u]});
    }
  }
  interpreter.budget().produce(result.size());
  return Value::string(std::move(result));
}

Value format(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  check(given.positional.empty() || given.named.empty(), ErrorCode::invalid_argument,
        "[chat_template] format takes positional or named arguments, not both");
  Value values = Value::tuple(given.positional);
  if (!given.named.empty()) {
    Dict dict;
    for (const auto& [name, item] : given.named) dict.set(name, item);
    values = Value::dict(std::move(dict));
  }
  return Value::string(percent_format(to_text(value, interpreter.budget()), values, interpreter.budget()));
}

Value fallback(Interpreter&, const Value& value, const CallArguments& given) {
  const Arguments arguments("default", given, {"default_value", "boolean"});
  const bool keep = arguments.flag(1, false) ? value.truthy() : !value.is_undefined();
  return keep ? value : arguments.value(0, Value::string(""));
}

std::optional<std::int64_t> parse_integer(std::string_view text, int base) {
  text = strip(text);
  const bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  const char mark = text.size() > 2 && text.front() == '0' ? static_cast<char>(text[1] | 0x20) : ' ';
  if ((base == 16 && mark == 'x') || (base == 8 && mark == 'o') || (base == 2 && mark == 'b')) text.remove_prefix(2);
  std::string digits = negative ? "-" : "";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool separates = text[i] == '_' && i > 0 && i + 1 < text.size() && text[i + 1] != '_';
    if (!separates) digits.push_back(text[i]);
  }
  std::int64_t result = 0;
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, result, base);
  if (text.empty() || text.front() == '-' || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return result;
}

std::optional<std::int64_t> truncated(double number) {
  if (!(std::abs(number) < 9.2e18)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

Value to_int(Interpreter&, const Value& value, const CallArguments& given) {
  const Arguments arguments("int", given, {"default", "base"});
  value.require_defined();
  const std::int64_t base = arguments.integer(1, 10);
  check(base >= 2 && base <= 36, ErrorCode::invalid_argument, "[chat_template] int() base must be 2 to 36, got ", base);
  std::int64_t integer = 0;
  if (to_integer(value, integer)) return Value::integer(integer);
  std::optional<std::int64_t> result;
  if (const auto* number = value.get<double>()) {
    result = truncated(*number);
  } else if (value.is_string()) {
    result = parse_integer(value.text(), static_cast<int>(base));
    if (const auto real = result ? std::nullopt : parse_float(value.text())) result = truncated(*real);
  }
  return result ? Value::integer(*result) : arguments.value(0, Value::integer(0));
}

Value to_float(Interpreter&, const Value& value, const CallArguments& given) {
  const Arguments arguments("float", given, {"default"});
  value.require_defined();
  double number = 0;
  if (to_double(value, number)) return Value::floating(number);
  if (value.is_string())
    if (const auto parsed = parse_float(value.text())) return Value::floating(*parsed);
  return arguments.value(0, Value::floating(0.0));
}

Value absolute(Interpreter&, const Value& value, const CallArguments&) {
  value.require_defined();
  if (const auto* number = value.get<double>()) return Value::floating(std::abs(*number));
  std::int64_t integer = 0;
  check(to_integer(value, integer), ErrorCode::invalid_argument, "[chat_template] bad operand type for abs(): '",
        value.type_name(), "'");
  return integer < 0 ? negate(value) : Value::integer(integer);
}

Value round_number(Interpreter&, const Value& value, const CallArguments& given) {
  const Arguments arguments("round", given, {"precision", "method"});
  value.require_defined();
  const std::int64_t precision = arguments.integer(0, 0);
  const std::string method = arguments.text(1, "common");
  double number = 0;
  check(to_double(value, number), ErrorCode::invalid_argument, "[chat_template] round needs a number, got ",
        value.type_name());
  check(precision >= 0 && precision <= 100, ErrorCode::unsupported, "[chat_template] round to ", precision, " digits");
  check(method == "common" || method == "ceil" || method == "floor", ErrorCode::invalid_argument,
        "[chat_template] method must be common, ceil or floor");
  if (method != "common") {
    const double scale = std::pow(10.0, static_cast<double>(precision));
    return Value::floating((method == "ceil" ? std::ceil(number * scale) : std::floor(number * scale)) / scale);
  }
  if (value.get<double>() == nullptr || !std::isfinite(number)) return value;
  // Written with so many digits, the exact binary value rounds half to even, as Python's round().
  return Value::floating(parse_float(number_text(number, 'f', static_cast<int>(precision))).value_or(number));
}

Value tojson(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("tojson", given, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ensure_ascii = arguments.flag(0, false);
  style.sort_keys = arguments.flag(3, false);
  if (arguments.has(1)) {
    const Value& width = arguments.value(1);
    style.indent = width.is_string()
                       ? width.text()
                       : arithmetic(Operator::multiply, Value::string(" "), width, interpreter.budget()).text();
    style.item_separator = ",";
  }
  if (arguments.has(2)) {
    const auto parts = iterate(arguments.value(2), interpreter.budget());
    check(parts.size() == 2 && parts[0].is_string() && parts[1].is_string(), ErrorCode::invalid_argument,
          "[chat_template] tojson needs two separators");
    style.item_separator = parts[0].text();
    style.key_separator = parts[1].text();
  }
  return Value::string(to_json(value, style, interpreter.budget()));
}

Value safe(Interpreter& interpreter, const Value& value, const CallArguments&) {
  return Value::string(to_text(value, interpreter.budget()), true);
}

template <bool again>
Value escape(Interpreter& interpreter, const Value& value, const CallArguments&) {
  if (value.is_markup() && !again) return value;
  const std::string text = to_text(value, interpreter.budget());
  interpreter.budget().produce(6 * text.size());
  return Value::string(escape_html(text), true);
}

// Without tags, comments and what looks like them; blanks become one; the five named entities become characters.
Value striptags(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("striptags", given, {});
  const std::string source = to_text(value, interpreter.budget());
  interpreter.budget().produce(source.size());
  std::string text;
  for (std::size_t at = 0; at < source.size();) {
    const bool comment = source.compare(at, 4, "<!--") == 0;
    const std::size_t end = source[at] != '<' ? std::string::npos
                            : comment         ? source.find("-->", at + 4)
                                              : source.find('>', at + 1);
    if (source[at] == '<' && end == std::string::npos) {  // nothing closes any more
      text.append(source, at);
      break;
    }
    if (source[at] != '<') {
      text += source[at++];
      continue;
    }
    at = end + (comment ? 3 : 1);
  }
  std::string result;
  for (const std::string_view word : split_spaces(text, -1)) {
    if (!result.empty()) result += ' ';
    result += word;
  }
  constexpr std::pair<std::string_view, std::string_view> entities[] = {
      {"&lt;", "<"}, {"&gt;", ">"}, {"&#34;", "\""}, {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}};
  for (const auto& [name, character] : entities)
    for (std::size_t at = 0; (at = result.find(name, at)) != std::string::npos; at += character.size())
      result.replace(at, name.size(), character);
  return Value::string(std::move(result));
}

// "2.3 MB"
Value filesizeformat(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("filesizeformat", given, {"binary"});
  const bool binary = arguments.flag(0, false);
  double bytes = 0;
  if (!to_double(value, bytes)) {
    const Value number = to_float(interpreter, value, {});
    check(to_double(number, bytes), ErrorCode::invalid_argument, "[chat_template] filesizeformat needs a number");
  }
  const double base = binary ? 1024 : 1000;
  if (bytes == 1) return Value::string("1 Byte");
  if (bytes < base) return Value::string(str(static_cast<std::int64_t>(bytes), " Bytes"));
  constexpr std::string_view decimal_units[] = {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
  constexpr std::string_view binary_units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
  double unit = base;
  std::size_t place = 0;
  while (place + 1 < std::size(decimal_units) && bytes >= unit * base) {
    unit *= base;
    ++place;
  }
  const Value shown = Value::string(percent_format("%.1f", Value::floating(bytes / unit), interpreter.budget()));
  return Value::string(shown.text() + " " + std::string((binary ? binary_units : decimal_units)[place]));
}

constexpr Named<FilterFunction> text_filters[] = {
    {"tojson", tojson},
    {"upper", mapped<to_upper>},
    {"lower", mapped<to_lower>},
    {"capitalize", mapped<capitalize>},
    {"title", mapped<title>},
    {"trim", trim},
    {"replace", replace},
    {"indent", indent},
    {"center", center},
    {"truncate", truncate},
    {"wordcount", wordcount},
    {"urlencode", urlencode_text},
    {"format", format},
    {"default", fallback},
    {"d", fallback},
    {"int", to_int},
    {"float", to_float},
    {"abs", absolute},
    {"round", round_number},
    {"striptags", striptags},
    {"filesizeformat", filesizeformat},
    {"safe", safe},
    {"escape", escape<false>},
    {"e", escape<false>},
    {"forceescape", escape<true>},
    {"string", [](Interpreter& interpreter, const Value& value,
                  const CallArguments&) { return soft_string(interpreter, value); }},
};

}  // namespace

FilterFunction find_text_filter(std::string_view name) { return find_named<FilterFunction>(text_filters, name); }

FilterFunction find_filter(std::string_view name) {
  for (const auto find : {find_text_filter, find_sequence_filter, find_layout_filter})
    if (const FilterFunction found = find(name)) return found;
  return nullptr;
}

}  // namespace trustformers::jinja
