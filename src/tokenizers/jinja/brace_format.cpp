// str.format: {} {0} {name} {0.member} {name[key]} with !s, !r and a format specification.
#include "operators.h"
#include "print.h"
#include "text.h"

namespace trustformers::jinja {
namespace {

constexpr std::int64_t widest = 10'000;

[[noreturn]] void refuse_field(std::string_view field) {
  fail(ErrorCode::invalid_argument, "[chat_template] the replacement field '{", field, "}' of a format");
}

/// [[fill]align][sign][0][width][.precision][type]
struct FieldSpec {
  char32_t fill = ' ';
  char align = 0, type = 0;
  bool plus = false;
  std::int64_t width = 0, precision = -1;
};

std::int64_t take_number(std::string_view& text) {
  std::int64_t number = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1)) {
    number = number * 10 + (text[0] - '0');
    check(number <= widest, ErrorCode::unsupported, "[chat_template] a width above ", widest);
  }
  return number;
}

FieldSpec parse_spec(std::string_view text) {
  constexpr std::string_view aligns = "<>^=";
  FieldSpec out;
  const std::string_view whole = text;
  if (!text.empty()) {
    const std::size_t size = point_size(text, 0);
    if (text.size() > size && aligns.find(text[size]) != std::string_view::npos) {
      out.fill = point_at(text, 0);
      text.remove_prefix(size);
    }
    if (aligns.find(text[0]) != std::string_view::npos) {
      out.align = text[0];
      text.remove_prefix(1);
    }
  }
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    out.plus = text[0] == '+';
    text.remove_prefix(1);
  }
  if (!text.empty() && text[0] == '0') {
    if (out.align == 0) {
      out.fill = '0';
      out.align = '=';
    }
    text.remove_prefix(1);
  }
  out.width = take_number(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    out.precision = take_number(text);
  }
  if (!text.empty()) {
    out.type = text[0];
    text.remove_prefix(1);
  }
  check(text.empty(), ErrorCode::unsupported, "[chat_template] the format specification '", whole, "'");
  return out;
}

std::string body_of(const Value& value, const FieldSpec& spec, Budget& budget) {
  if (value.is_string()) {
    check(spec.type == 0 || spec.type == 's', ErrorCode::invalid_argument, "[chat_template] the format '", spec.type,
          "' of a str");
    std::size_t end = 0;
    for (std::int64_t i = 0; end < value.text().size() && (spec.precision < 0 || i < spec.precision); ++i)
      end += point_size(value.text(), end);
    return value.text().substr(0, end);
  }
  double number = 0;
  const bool numeric = to_double(value, number) && !value.is_bool();
  if (spec.type == 0 && spec.precision < 0) {
    const std::string text = to_text(value, budget);
    return numeric && spec.plus && number >= 0 ? "+" + text : text;
  }
  std::int64_t whole = 0;
  const bool integral = to_integer(value, whole);
  check(integral || numeric, ErrorCode::invalid_argument, "[chat_template] the format '", spec.type, "' of a ",
        value.type_name());
  const bool for_integers = spec.type == 'd' || spec.type == 'x' || spec.type == 'X' || spec.type == 'o';
  check(for_integers ? integral : std::string_view("feEgG%F").find(spec.type) != std::string_view::npos && spec.type,
        ErrorCode::unsupported, "[chat_template] the format '", spec.type, "' of a ", value.type_name());
  std::string format = spec.plus ? "%+" : "%";
  if (spec.precision >= 0) format += "." + std::to_string(spec.precision);
  if (spec.type != '%') return percent_format(format + spec.type, value, budget);
  return percent_format(format + "f", Value::floating(number * 100), budget) + "%";
}

std::string formatted(const Value& value, std::string_view text, Budget& budget) {
  const FieldSpec spec = parse_spec(text);
  std::string body = body_of(value, spec, budget);
  const auto size = static_cast<std::int64_t>(count_code_points(body));
  if (size >= spec.width) return body;
  const bool number = !value.is_string() && !value.is_none() && !value.is_bool();
  const char align = spec.align != 0 ? spec.align : number ? '>' : '<';
  const std::int64_t missing = spec.width - size;
  const std::int64_t before = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  std::string fill, out;
  append_utf8(fill, spec.fill);
  budget.produce(static_cast<std::size_t>(missing) * fill.size());
  if (align == '=' && (body.starts_with('-') || body.starts_with('+'))) {
    out = body[0];
    body.erase(0, 1);
  }
  for (std::int64_t i = 0; i < before; ++i) out += fill;
  out += body;
  for (std::int64_t i = before; i < missing; ++i) out += fill;
  return out;
}

/// The value of "0.member[key]"; `next` numbers fields without a name.
Value field_value(std::string_view path, const CallArguments& given, std::size_t& next) {
  const std::size_t end = std::min(path.find_first_of(".["), path.size());
  const std::string_view first = path.substr(0, end);
  Value value;
  if (first.empty() || first.find_first_not_of("0123456789") == std::string_view::npos) {
    std::string_view digits = first;
    const std::size_t place = first.empty() ? next++ : static_cast<std::size_t>(take_number(digits));
    check(place < given.positional.size(), ErrorCode::invalid_argument, "[chat_template] a format needs ", place + 1,
          " arguments, got ", given.positional.size());
    value = given.positional[place];
  } else {
    const Value* found = nullptr;
    for (const auto& [name, named] : given.named)
      if (name == first) found = &named;
    check(found != nullptr, ErrorCode::invalid_argument, "[chat_template] a format needs the argument '", first, "'");
    value = *found;
  }
  for (std::string_view rest = path.substr(end); !rest.empty();) {
    const bool key = rest[0] == '[';
    const std::size_t stop = key ? rest.find(']') : std::min(rest.find_first_of(".[", 1), rest.size());
    if (stop == std::string_view::npos || stop <= 1) refuse_field(path);
    const std::string_view name = rest.substr(1, stop - 1);
    std::string_view digits = name;
    const bool index = name.find_first_not_of("0123456789") == std::string_view::npos;
    value = !key ? attribute(value, name)
                 : subscript(value, index ? Value::integer(take_number(digits)) : Value::string(name));
    value.require_defined();
    rest.remove_prefix(key ? stop + 1 : stop);
  }
  return value;
}

}  // namespace

std::string brace_format(std::string_view format, const CallArguments& given, Budget& budget) {
  std::string out;
  std::size_t next = 0;
  for (std::size_t at = 0; at < format.size(); ++at) {
    budget.step();
    const char c = format[at];
    if (c != '{' && c != '}') {
      out += c;
      continue;
    }
    if (at + 1 < format.size() && format[at + 1] == c) {
      out += c;
      ++at;
      continue;
    }
    const std::size_t end = c == '{' ? format.find('}', at) : std::string_view::npos;
    check(end != std::string_view::npos, ErrorCode::invalid_argument, "[chat_template] single '", c, "' in a format");
    const std::string_view field = format.substr(at + 1, end - at - 1);
    check(field.find('{') == std::string_view::npos, ErrorCode::unsupported, "[chat_template] a field inside a field");
    const std::size_t colon = std::min(field.find(':'), field.size());
    std::string_view path = field.substr(0, colon);
    char conversion = 0;
    if (path.size() >= 2 && path[path.size() - 2] == '!') {
      conversion = path.back();
      path.remove_suffix(2);
      if (conversion != 's' && conversion != 'r') refuse_field(field);
    }
    Value value = field_value(path, given, next);
    if (conversion == 's') value = Value::string(to_text(value, budget));
    if (conversion == 'r') value = Value::string(percent_format("%r", Value::tuple({value}), budget));
    const std::string text = formatted(value, field.substr(std::min(colon + 1, field.size())), budget);
    budget.produce(text.size());
    out += text;
    at = end;
  }
  return out;
}

}  // namespace trustformers::jinja
