// The tests of `value is test`.
#include <utility>

#include "arguments.h"
#include "builtins.h"
#include "operators.h"
#include "text.h"

namespace trustformers::jinja {
namespace {

bool is_number(const Value& value) {
  double number = 0;
  return to_double(value, number);
}
bool is_integer(const Value& value) { return value.get<std::int64_t>() != nullptr; }

bool iterable(const Value& value) {
  return value.is_undefined() || value.is_string() || value.get<List>() != nullptr || value.get<Dict>() != nullptr;
}
bool sequence(const Value& value) {
  const List* list = value.get<List>();
  return list != nullptr ? list->indexable() : iterable(value);
}

bool same(const Value& a, const Value& b, Budget& budget) {
  if (a.get<List>() != nullptr || a.get<Dict>() != nullptr)
    return a.get<List>() == b.get<List>() && a.get<Dict>() == b.get<Dict>();
  return a.type_name() == b.type_name() && equal(a, b, budget);
}

std::int64_t integer_of(const Value& value) {
  value.require_defined();
  std::int64_t number = 0;
  check(to_integer(value, number), ErrorCode::invalid_argument, "[chat_template] expected an integer, got ",
        value.type_name());
  return number;
}

// Whether all letters are of one case, and there is a letter.
bool all_case(const Value& value, bool (*wanted)(char32_t), bool (*other)(char32_t)) {
  if (!value.is_string()) return false;
  bool found = false;
  const std::string& text = value.text();
  for (std::size_t at = 0; at < text.size(); at += point_size(text, at)) {
    if (other(point_at(text, at))) return false;
    found = found || wanted(point_at(text, at));
  }
  return found;
}

template <Comparator comparator>
bool compares(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("the test", given, {"other"});
  return compare(comparator, value, arguments.value(0), interpreter.budget());
}

// A test of the value alone.
template <bool (*holds)(const Value&)>
bool plain(Interpreter&, const Value& value, const CallArguments& given) {
  const Arguments arguments("the test", given, {});
  return holds(value);
}

constexpr Named<TestFunction> tests[] = {
    {"defined", plain<[](const Value& v) { return !v.is_undefined(); }>},
    {"undefined", plain<[](const Value& v) { return v.is_undefined(); }>},
    {"none", plain<[](const Value& v) { return v.is_none(); }>},
    {"boolean", plain<[](const Value& v) { return v.is_bool(); }>},
    {"true", plain<[](const Value& v) { return v.is_bool() && v.truthy(); }>},
    {"false", plain<[](const Value& v) { return v.is_bool() && !v.truthy(); }>},
    {"integer", plain<is_integer>},
    {"float", plain<[](const Value& v) { return v.get<double>() != nullptr; }>},
    {"number", plain<is_number>},
    {"string", plain<[](const Value& v) { return v.is_string(); }>},
    {"mapping", plain<[](const Value& v) { return v.get<Dict>() != nullptr; }>},
    {"sequence", plain<sequence>},
    {"iterable", plain<iterable>},
    {"callable", plain<[](const Value& v) { return v.get<std::shared_ptr<const Callable>>() != nullptr; }>},
    {"escaped", plain<[](const Value& v) { return v.is_markup(); }>},
    {"odd", plain<[](const Value& v) { return integer_of(v) % 2 != 0; }>},
    {"even", plain<[](const Value& v) { return integer_of(v) % 2 == 0; }>},
    {"upper", plain<[](const Value& v) { return all_case(v, is_upper, is_lower); }>},
    {"lower", plain<[](const Value& v) { return all_case(v, is_lower, is_upper); }>},
    {"divisibleby",
     [](Interpreter& interpreter, const Value& v, const CallArguments& given) {
       const Arguments arguments("divisibleby", given, {"num"});
       const Value rest = arithmetic(Operator::modulo, v, arguments.value(0), interpreter.budget());
       return !rest.truthy();
     }},
    {"sameas",
     [](Interpreter& interpreter, const Value& v, const CallArguments& given) {
       return same(v, Arguments("sameas", given, {"other"}).value(0), interpreter.budget());
     }},
    {"filter", [](Interpreter&, const Value& v,
                  const CallArguments&) { return v.is_string() && find_filter(v.text()) != nullptr; }},
    {"test", [](Interpreter&, const Value& v,
                const CallArguments&) { return v.is_string() && find_test(v.text()) != nullptr; }},
    {"in", compares<Comparator::in>},
    {"equalto", compares<Comparator::equal>},
    {"eq", compares<Comparator::equal>},
    {"==", compares<Comparator::equal>},
    {"ne", compares<Comparator::not_equal>},
    {"!=", compares<Comparator::not_equal>},
    {"lessthan", compares<Comparator::less>},
    {"lt", compares<Comparator::less>},
    {"<", compares<Comparator::less>},
    {"le", compares<Comparator::less_equal>},
    {"<=", compares<Comparator::less_equal>},
    {"greaterthan", compares<Comparator::greater>},
    {"gt", compares<Comparator::greater>},
    {">", compares<Comparator::greater>},
    {"ge", compares<Comparator::greater_equal>},
    {">=", compares<Comparator::greater_equal>},
};

}  // namespace

TestFunction find_test(std::string_view name) { return find_named<TestFunction>(tests, name); }

}  // namespace trustformers::jinja
