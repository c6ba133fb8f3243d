#include "operators.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "text.h"

namespace trustformers::jinja {
namespace {

constexpr std::int64_t int_min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t int_max = std::numeric_limits<std::int64_t>::max();

constexpr std::string_view symbol(Operator op) {
  switch (op) {
    case Operator::add: return "+";
    case Operator::subtract: return "-";
    case Operator::multiply: return "*";
    case Operator::divide: return "/";
    case Operator::floor_divide: return "//";
    case Operator::modulo: return "%";
    case Operator::power: return "**";
  }
  return "";
}

[[noreturn]] void mismatch(Operator op, const Value& a, const Value& b) {
  a.require_defined();
  b.require_defined();
  fail(ErrorCode::invalid_argument, "[chat_template] unsupported operand types for ", symbol(op), ": '", a.type_name(),
       "' and '", b.type_name(), "'");
}

[[noreturn]] void too_large(Operator op) {
  fail(ErrorCode::out_of_range, "[chat_template] the result of ", symbol(op), " does not fit into 64 bits");
}

std::optional<std::int64_t> checked_multiply(std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return 0;
  if ((a == -1 && b == int_min) || (b == -1 && a == int_min)) return std::nullopt;
  const auto product = static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  if (product / b != a) return std::nullopt;
  return product;
}

Value integer_power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) return Value::floating(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  std::int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0) {
      const auto product = checked_multiply(result, base);
      if (!product) too_large(Operator::power);
      result = *product;
    }
    exponent >>= 1;
    if (exponent == 0) break;
    const auto square = checked_multiply(base, base);
    if (!square) too_large(Operator::power);
    base = *square;
  }
  return Value::integer(result);
}

Value integer_arithmetic(Operator op, std::int64_t a, std::int64_t b) {
  const bool divides = op == Operator::divide || op == Operator::floor_divide || op == Operator::modulo;
  check(!divides || b != 0, ErrorCode::invalid_argument, "[chat_template] division by zero");
  switch (op) {
    case Operator::add:
      if (b > 0 ? a > int_max - b : a < int_min - b) too_large(op);
      return Value::integer(a + b);
    case Operator::subtract:
      if (b > 0 ? a < int_min + b : a > int_max + b) too_large(op);
      return Value::integer(a - b);
    case Operator::multiply: {
      const auto product = checked_multiply(a, b);
      if (!product) too_large(op);
      return Value::integer(*product);
    }
    case Operator::divide: return Value::floating(static_cast<double>(a) / static_cast<double>(b));
    case Operator::floor_divide: {
      if (a == int_min && b == -1) too_large(op);
      const std::int64_t quotient = a / b;
      return Value::integer(a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient);
    }
    case Operator::modulo: {
      if (b == -1) return Value::integer(0);
      const std::int64_t rest = a % b;
      return Value::integer(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
    }
    case Operator::power: return integer_power(a, b);
  }
  return {};
}

Value float_arithmetic(Operator op, double a, double b) {
  const bool divides = op == Operator::divide || op == Operator::floor_divide || op == Operator::modulo;
  check(!divides || b != 0, ErrorCode::invalid_argument, "[chat_template] division by zero");
  switch (op) {
    case Operator::add: return Value::floating(a + b);
    case Operator::subtract: return Value::floating(a - b);
    case Operator::multiply: return Value::floating(a * b);
    case Operator::divide: return Value::floating(a / b);
    case Operator::floor_divide: return Value::floating(std::floor(a / b));
    case Operator::modulo: {
      const double rest = std::fmod(a, b);
      return Value::floating(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
    }
    case Operator::power: return Value::floating(std::pow(a, b));
  }
  return {};
}

Value repeat(const Value& value, std::int64_t times, Budget& budget) {
  const auto count = static_cast<std::uint64_t>(times > 0 ? times : 0);
  const auto total = [&](std::uint64_t size) {
    check(size == 0 || count <= std::numeric_limits<std::uint64_t>::max() / size / 64, ErrorCode::out_of_range,
          "[chat_template] a value repeated ", count, " times");
    return size * count;
  };
  if (value.is_string()) {
    budget.produce(total(value.text().size()));
    std::string result;
    result.reserve(value.text().size() * static_cast<std::size_t>(count));
    if (!value.text().empty())
      for (std::uint64_t i = 0; i < count; ++i) result += value.text();
    return Value::string(std::move(result), value.is_markup());
  }
  const List& list = *value.get<List>();
  budget.produce(total(list.items.size()) * sizeof(Value));
  std::vector<Value> items;
  if (!list.items.empty())
    for (std::uint64_t i = 0; i < count; ++i) items.insert(items.end(), list.items.begin(), list.items.end());
  return Value::sequence({list.kind, std::move(items)});
}

bool repeatable(const Value& value) {
  const List* list = value.get<List>();
  return value.is_string() || (list != nullptr && (list->kind == List::Kind::list || list->kind == List::Kind::tuple));
}

Value add_strings(const Value& a, const Value& b, Budget& budget) {
  if (a.is_markup() == b.is_markup()) {
    budget.produce(a.text().size() + b.text().size());
    return Value::string(a.text() + b.text(), a.is_markup());
  }
  budget.produce(6 * (a.text().size() + b.text().size()));
  return Value::string(
      (a.is_markup() ? a.text() : escape_html(a.text())) + (b.is_markup() ? b.text() : escape_html(b.text())), true);
}

}  // namespace

Value arithmetic(Operator op, const Value& a, const Value& b, Budget& budget) {
  std::int64_t x = 0;
  std::int64_t y = 0;
  const bool a_integer = to_integer(a, x);
  const bool b_integer = to_integer(b, y);
  if (a_integer && b_integer) return integer_arithmetic(op, x, y);
  double u = 0;
  double v = 0;
  if (to_double(a, u) && to_double(b, v)) return float_arithmetic(op, u, v);
  if (op == Operator::add && a.is_string() && b.is_string()) return add_strings(a, b, budget);
  if (op == Operator::modulo && a.is_string()) {
    b.require_defined();
    return Value::string(percent_format(a.text(), b, budget));
  }
  if (op == Operator::multiply && repeatable(a) && b_integer) return repeat(a, y, budget);
  if (op == Operator::multiply && repeatable(b) && a_integer) return repeat(b, x, budget);
  const List* list_a = a.get<List>();
  const List* list_b = b.get<List>();
  if (op == Operator::add && list_a != nullptr && list_b != nullptr && list_a->kind == list_b->kind && repeatable(a)) {
    budget.produce((list_a->items.size() + list_b->items.size()) * sizeof(Value));
    std::vector<Value> items = list_a->items;
    items.insert(items.end(), list_b->items.begin(), list_b->items.end());
    return Value::sequence({list_a->kind, std::move(items)});
  }
  mismatch(op, a, b);
}

Value negate(const Value& value) {
  value.require_defined();
  std::int64_t integer = 0;
  if (to_integer(value, integer)) return integer_arithmetic(Operator::subtract, 0, integer);
  const auto* number = value.get<double>();
  check(number != nullptr, ErrorCode::invalid_argument, "[chat_template] bad operand type for unary -: '",
        value.type_name(), "'");
  return Value::floating(-*number);
}

bool contains(const Value& container, const Value& item, Budget& budget) {
  if (container.is_string()) {
    item.require_defined();
    check(item.is_string(), ErrorCode::invalid_argument, "[chat_template] 'in <string>' requires a string, not ",
          item.type_name());
    charge_search(container.text(), item.text(), budget);
    return container.text().find(item.text()) != std::string::npos;
  }
  if (const Dict* dict = container.get<Dict>()) return dict->find(item) != nullptr;
  const auto items = iterate(container, budget);
  for (const Value& candidate : items)
    if (equal(candidate, item, budget)) return true;
  return false;
}

bool compare(Comparator comparator, const Value& a, const Value& b, Budget& budget) {
  const auto is_nan = [](const Value& value) {
    const auto* number = value.get<double>();
    return number != nullptr && std::isnan(*number);
  };
  switch (comparator) {
    case Comparator::equal: return equal(a, b, budget);
    case Comparator::not_equal: return !equal(a, b, budget);
    case Comparator::less: return less(a, b, budget);
    case Comparator::greater: return less(b, a, budget);
    case Comparator::less_equal: return !less(b, a, budget) && !is_nan(a) && !is_nan(b);
    case Comparator::greater_equal: return !less(a, b, budget) && !is_nan(a) && !is_nan(b);
    case Comparator::in: return contains(b, a, budget);
    case Comparator::not_in: return !contains(b, a, budget);
  }
  return false;
}

Value slice(const Value& object, const Value& start, const Value& stop, const Value& step, Budget& budget) {
  object.require_defined();
  const List* list = object.get<List>();
  check(object.is_string() || (list != nullptr && list->indexable()), ErrorCode::invalid_argument, "[chat_template] '",
        object.type_name(), "' object cannot be sliced");
  const auto bound = [](const Value& value, std::int64_t otherwise) {
    std::int64_t result = otherwise;
    value.require_defined();
    check(value.is_none() || to_integer(value, result), ErrorCode::invalid_argument,
          "[chat_template] slice indices must be integers or None");
    return result;
  };
  std::vector<std::size_t> offsets;
  if (object.is_string()) {
    budget.produce((object.text().size() + 1) * sizeof(std::size_t));
    offsets = point_offsets(object.text());
  }
  const auto size = static_cast<std::int64_t>(object.is_string() ? offsets.size() - 1 : list->items.size());
  const std::int64_t stride = bound(step, 1);
  check(stride != 0, ErrorCode::invalid_argument, "[chat_template] slice step cannot be zero");
  const bool forward = stride > 0;
  const auto place = [&](const Value& value, std::int64_t otherwise) {
    if (value.is_none()) return otherwise;
    const std::int64_t index = bound(value, 0);
    if (index < -size) return forward ? std::int64_t{0} : std::int64_t{-1};
    return index < 0 ? index + size : std::min(index, forward ? size : size - 1);
  };
  const std::int64_t first = place(start, forward ? 0 : size - 1);
  const std::int64_t last = place(stop, forward ? size : -1);
  std::string text;
  std::vector<Value> items;
  const std::int64_t span = forward ? last - first : first - last;
  const std::uint64_t magnitude = forward ? static_cast<std::uint64_t>(stride) : 0 - static_cast<std::uint64_t>(stride);
  const std::uint64_t count = span <= 0 ? 0 : (static_cast<std::uint64_t>(span) - 1) / magnitude + 1;
  budget.step(count / 16);
  budget.produce(count * (object.is_string() ? 1 : sizeof(Value)));
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(first + static_cast<std::int64_t>(i) * stride);
    if (object.is_string())
      text.append(object.text(), offsets[at], offsets[at + 1] - offsets[at]);
    else
      items.push_back(list->items[at]);
  }
  if (object.is_string()) return Value::string(std::move(text), object.is_markup());
  return Value::sequence({list->kind == List::Kind::range ? List::Kind::list : list->kind, std::move(items)});
}

}  // namespace trustformers::jinja
