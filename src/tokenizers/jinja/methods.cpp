// The methods of Python's strings, dictionaries and lists that a template may call.
#include <algorithm>

#include "arguments.h"
#include "builtins.h"
#include "interpreter.h"
#include "operators.h"
#include "print.h"
#include "text.h"

namespace trustformers::jinja {
namespace {

using Method = Value (*)(Interpreter& interpreter, const Value& self, const CallArguments& given);

Value texts(Interpreter& interpreter, const std::vector<std::string_view>& parts) {
  interpreter.budget().produce(parts.size() * (sizeof(Value) + 64));
  std::vector<Value> items;
  for (const std::string_view part : parts) {
    interpreter.budget().produce(part.size());
    items.push_back(Value::string(part));
  }
  return Value::list(std::move(items));
}

template <Side side>
Value strip_method(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  const Arguments arguments("strip", given, {"chars"});
  interpreter.budget().produce(self.text().size());
  if (!arguments.has(0)) return Value::string(strip(self.text(), side), self.is_markup());
  const std::string_view set = arguments.text(0);
  charge_search(self.text(), set, interpreter.budget());
  return Value::string(strip(self.text(), side, &set), self.is_markup());
}

template <bool from_right>
Value split_method(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  const Arguments arguments("split", given, {"sep", "maxsplit"});
  const std::int64_t max_splits = arguments.integer(1, -1);
  if (!arguments.has(0)) {
    check(!from_right || max_splits < 0, ErrorCode::unsupported,
          "[chat_template] rsplit without a separator and with maxsplit");
    return texts(interpreter, split_spaces(self.text(), max_splits));
  }
  const std::string& separator = arguments.text(0);
  check(!separator.empty(), ErrorCode::invalid_argument, "[chat_template] empty separator");
  charge_search(self.text(), separator, interpreter.budget());
  return texts(interpreter, from_right ? split_from_right(self.text(), separator, max_splits)
                                       : split(self.text(), separator, max_splits));
}

Value splitlines(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  return texts(interpreter, split_lines(self.text(), Arguments("splitlines", given, {"keepends"}).flag(0, false)));
}

template <bool from_right>
Value partition(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  const std::string separator = Arguments("partition", given, {"sep"}).text(0);
  check(!separator.empty(), ErrorCode::invalid_argument, "[chat_template] empty separator");
  charge_search(self.text(), separator, interpreter.budget());
  interpreter.budget().produce(self.text().size());
  const std::string& text = self.text();
  const std::size_t found = from_right ? text.rfind(separator) : text.find(separator);
  if (found == std::string::npos) {
    const Value empty = Value::string("");
    return from_right ? Value::tuple({empty, empty, self}) : Value::tuple({self, empty, empty});
  }
  return Value::tuple({Value::string(text.substr(0, found)), Value::string(separator),
                       Value::string(text.substr(found + separator.size()))});
}

// self[start:end], for the methods that take bounds.
Value part_of(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  if (!arguments.has(1) && !arguments.has(2)) return self;
  return slice(self, arguments.value(1, Value()), arguments.value(2, Value()), Value(), interpreter.budget());
}

template <bool at_start>
Value affix_method(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  const Arguments arguments(at_start ? "startswith" : "endswith", given, {"affix", "start", "end"});
  const Value part = part_of(interpreter, self, arguments);
  const std::string_view text = part.text();
  const auto holds = [&](const Value& affix) {
    affix.require_defined();
    check(affix.is_string(), ErrorCode::invalid_argument, "[chat_template] ", at_start ? "startswith" : "endswith",
          " needs a string or a tuple of strings, got ", affix.type_name());
    return at_start ? text.starts_with(affix.text()) : text.ends_with(affix.text());
  };
  const Value& wanted = arguments.value(0);
  const List* choices = wanted.get<List>();
  if (choices == nullptr || choices->kind != List::Kind::tuple) return Value::boolean(holds(wanted));
  interpreter.budget().step(choices->items.size());
  return Value::boolean(std::any_of(choices->items.begin(), choices->items.end(), holds));
}

enum class Find { find, index, rfind, rindex };
template <Find kind>
Value find_method(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  const Arguments arguments("find", given, {"sub", "start", "end"});
  const std::string& sub = arguments.text(0);
  const Value part = part_of(interpreter, self, arguments);
  charge_search(part.text(), sub, interpreter.budget());
  const bool backward = kind == Find::rfind || kind == Find::rindex;
  const std::size_t found = backward ? part.text().rfind(sub) : part.text().find(sub);
  if (found == std::string::npos) {
    check(kind == Find::find || kind == Find::rfind, ErrorCode::invalid_argument,
          "[chat_template] substring not found");
    return Value::integer(-1);
  }
  auto place = static_cast<std::int64_t>(count_code_points(std::string_view(part.text()).substr(0, found)));
  if (arguments.has(1)) {
    const auto size = static_cast<std::int64_t>(count_code_points(self.text()));
    const std::int64_t start = arguments.integer(1);
    place += start < 0 ? std::max<std::int64_t>(0, start + size) : start;
  }
  return Value::integer(place);
}

Value replace_method(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  const Arguments arguments("replace", given, {"old", "new", "count"});
  const std::string& from = arguments.text(0);
  const std::string& to = arguments.text(1);
  charge_search(self.text(), from, interpreter.budget());
  const std::uint64_t found = count_parts(self.text(), from);
  interpreter.budget().step(found / 16);
  interpreter.budget().produce(self.text().size());
  // Together at most found * to bytes more; checked by division, so that the product cannot overflow.
  if (found > 0 && !to.empty()) {
    interpreter.budget().produce(to.size());
    for (std::uint64_t i = 1; i < found; ++i) interpreter.budget().produce(to.size());
  }
  return Value::string(replace_all(self.text(), from, to, arguments.integer(2, -1)), self.is_markup());
}

Value count_text(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  const Arguments arguments("count", given, {"sub", "start", "end"});
  const Value part = part_of(interpreter, self, arguments);
  charge_search(part.text(), arguments.text(0), interpreter.budget());
  return Value::integer(static_cast<std::int64_t>(count_parts(part.text(), arguments.text(0))));
}

Value join_method(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  std::string result;
  bool first = true;
  for (const Value& item : iterate(Arguments("join", given, {"iterable"}).value(0), interpreter.budget())) {
    check(item.is_string(), ErrorCode::invalid_argument, "[chat_template] join: expected strings, got ",
          item.type_name());
    interpreter.budget().produce(item.text().size() + self.text().size());
    if (!std::exchange(first, false)) result += self.text();
    result += item.text();
  }
  return Value::string(std::move(result));
}

template <std::string (*function)(std::string_view)>
Value mapped_method(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  const Arguments arguments("the method", given, {});
  interpreter.budget().produce(self.text().size());
  return Value::string(function(self.text()), self.is_markup());
}

std::string swap_case(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = point_size(text, at);
    const std::string_view point = text.substr(at, size);
    result += is_upper(point_at(text, at)) ? to_lower(point) : to_upper(point);
    at += size;
  }
  return result;
}

template <bool (*holds)(char32_t)>
Value all_points(Interpreter&, const Value& self, const CallArguments&) {
  const std::string& text = self.text();
  for (std::size_t at = 0; at < text.size(); at += point_size(text, at))
    if (!holds(point_at(text, at))) return Value::boolean(false);
  return Value::boolean(!text.empty());
}

bool letter_or_digit(char32_t point) { return is_letter(point) || is_digit(point); }

// islower (wanted: lower) and isupper: some letter of the case, none of the other.
template <bool (*wanted)(char32_t), bool (*other)(char32_t)>
Value one_case(Interpreter&, const Value& self, const CallArguments&) {
  bool found = false;
  const std::string& text = self.text();
  for (std::size_t at = 0; at < text.size(); at += point_size(text, at)) {
    if (other(point_at(text, at))) return Value::boolean(false);
    found = found || wanted(point_at(text, at));
  }
  return Value::boolean(found);
}

enum class Align { left, right, center, zeros };
template <Align align>
Value align_method(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  const Arguments arguments("the method", given, {"width", "fillchar"});
  const std::int64_t width = arguments.integer(0);
  const std::string fill = align == Align::zeros ? "0" : arguments.text(1, " ");
  check(count_code_points(fill) == 1, ErrorCode::invalid_argument,
        "[chat_template] the fill character must be exactly one character long");
  const auto size = static_cast<std::int64_t>(count_code_points(self.text()));
  if (width <= size) return self;
  const auto missing = static_cast<std::uint64_t>(width - size);
  interpreter.budget().produce(missing);
  interpreter.budget().produce(missing * 4 + self.text().size());
  // Python puts the odd one to the left when the width is odd.
  const std::uint64_t left = align == Align::left     ? 0
                             : align == Align::center ? missing / 2 + (missing & static_cast<std::uint64_t>(width) & 1u)
                                                      : missing;
  std::string result;
  std::string_view text = self.text();
  if (align == Align::zeros && (text.starts_with('-') || text.starts_with('+'))) {
    result = text.substr(0, 1);
    text.remove_prefix(1);
  }
  for (std::uint64_t i = 0; i < left; ++i) result += fill;
  result += text;
  for (std::uint64_t i = left; i < missing; ++i) result += fill;
  return Value::string(std::move(result));
}

template <bool at_start>
Value remove_affix(Interpreter&, const Value& self, const CallArguments& given) {
  const std::string affix = Arguments("removeprefix", given, {"affix"}).text(0);
  std::string_view text = self.text();
  if (at_start && text.starts_with(affix)) text.remove_prefix(affix.size());
  if (!at_start && text.ends_with(affix)) text.remove_suffix(affix.size());
  return Value::string(text);
}

Value view(std::string label, std::vector<Value> items) {
  return Value::sequence({List::Kind::view, std::move(items), std::move(label)});
}

Value dict_items(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  const Arguments arguments("items", given, {});
  std::vector<Value> items;
  for (const auto& [key, value] : self.get<Dict>()->entries()) items.push_back(Value::tuple({key, value}));
  interpreter.budget().step(items.size());
  return view("dict_items", std::move(items));
}

template <bool keys>
Value dict_side(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  const Arguments arguments(keys ? "keys" : "values", given, {});
  std::vector<Value> items;
  for (const auto& [key, value] : self.get<Dict>()->entries()) items.push_back(keys ? key : value);
  interpreter.budget().step(items.size());
  return view(keys ? "dict_keys" : "dict_values", std::move(items));
}

Value dict_get(Interpreter&, const Value& self, const CallArguments& given) {
  const Arguments arguments("get", given, {"key", "default"});
  const Value* found = self.get<Dict>()->find(arguments.value(0));
  return found != nullptr ? *found : arguments.value(1, Value());
}

Value copy(Interpreter&, const Value& self, const CallArguments&) { return self; }  // values never change

Value list_index(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  const Value wanted = Arguments("index", given, {"value"}).value(0);
  const std::vector<Value>& items = self.get<List>()->items;
  for (std::size_t i = 0; i < items.size(); ++i)
    if (equal(items[i], wanted, interpreter.budget())) return Value::integer(static_cast<std::int64_t>(i));
  fail(ErrorCode::invalid_argument, "[chat_template] the value is not in the list");
}

Value list_count(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  const Value wanted = Arguments("count", given, {"value"}).value(0);
  std::int64_t count = 0;
  for (const Value& item : self.get<List>()->items) count += equal(item, wanted, interpreter.budget()) ? 1 : 0;
  return Value::integer(count);
}

Value format_text(Interpreter& interpreter, const Value& self, const CallArguments& given) {
  return Value::string(brace_format(self.text(), given, interpreter.budget()));
}

Value changes_value(Interpreter&, const Value& self, const CallArguments&) {
  fail(ErrorCode::unsupported, "[chat_template] a method that changes a ", self.type_name(),
       ": only namespaces can be changed");
}

Value not_here(Interpreter&, const Value& self, const CallArguments&) {
  fail(ErrorCode::unsupported, "[chat_template] this method of ", self.type_name());
}

constexpr Named<Method> string_methods[] = {
    {"strip", strip_method<Side::both>},
    {"lstrip", strip_method<Side::left>},
    {"rstrip", strip_method<Side::right>},
    {"split", split_method<false>},
    {"rsplit", split_method<true>},
    {"splitlines", splitlines},
    {"partition", partition<false>},
    {"rpartition", partition<true>},
    {"startswith", affix_method<true>},
    {"endswith", affix_method<false>},
    {"find", find_method<Find::find>},
    {"rfind", find_method<Find::rfind>},
    {"index", find_method<Find::index>},
    {"rindex", find_method<Find::rindex>},
    {"replace", replace_method},
    {"count", count_text},
    {"join", join_method},
    {"upper", mapped_method<to_upper>},
    {"lower", mapped_method<to_lower>},
    {"title", mapped_method<title_case>},
    {"capitalize", mapped_method<capitalize>},
    {"swapcase", mapped_method<swap_case>},
    {"isspace", all_points<is_space>},
    {"isalpha", all_points<is_letter>},
    {"isdigit", all_points<is_digit>},
    {"isdecimal", all_points<is_digit>},
    {"isnumeric", all_points<is_digit>},
    {"isalnum", all_points<letter_or_digit>},
    {"islower", one_case<is_lower, is_upper>},
    {"isupper", one_case<is_upper, is_lower>},
    {"ljust", align_method<Align::left>},
    {"rjust", align_method<Align::right>},
    {"center", align_method<Align::center>},
    {"zfill", align_method<Align::zeros>},
    {"removeprefix", remove_affix<true>},
    {"removesuffix", remove_affix<false>},
    {"casefold", mapped_method<to_lower>},
    {"format", format_text},
    {"format_map", not_here},
    {"encode", not_here},
    {"translate", not_here},
    {"expandtabs", not_here},
    {"istitle", not_here},
};

constexpr Named<Method> dict_methods[] = {{"items", dict_items},
                                          {"keys", dict_side<true>},
                                          {"values", dict_side<false>},
                                          {"get", dict_get},
                                          {"copy", copy},
                                          {"update", changes_value},
                                          {"pop", changes_value},
                                          {"popitem", changes_value},
                                          {"setdefault", changes_value},
                                          {"clear", changes_value}};

constexpr Named<Method> list_methods[] = {
    {"index", list_index},     {"count", list_count},     {"copy", copy},
    {"append", changes_value}, {"extend", changes_value}, {"insert", changes_value},
    {"remove", changes_value}, {"pop", changes_value},    {"clear", changes_value},
    {"sort", changes_value},   {"reverse", changes_value}};

Value bound(std::span<const Named<Method>> methods, const Value& object, std::string_view name) {
  const Method method = find_named(methods, name);
  if (method == nullptr) return Value::undefined(std::string(name));
  return Value::callable(std::string(name), [object, method](Interpreter& interpreter, const CallArguments& given) {
    return method(interpreter, object, given);
  });
}

}  // namespace

Value bound_method(const Value& object, std::string_view name) {
  constexpr std::size_t tuple_methods = 2;
  if (object.is_string()) return bound(string_methods, object, name);
  if (object.get<Dict>() != nullptr) return bound(dict_methods, object, name);
  const List* list = object.get<List>();
  if (list != nullptr && list->kind == List::Kind::list) return bound(list_methods, object, name);
  if (list != nullptr && list->indexable()) return bound(std::span(list_methods).first(tuple_methods), object, name);
  return Value::undefined(std::string(name));
}

}  // namespace trustformers::jinja
