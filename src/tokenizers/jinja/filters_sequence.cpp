// Filters over lists, dictionaries and whatever can be iterated.
#include <algorithm>

#include "arguments.h"
#include "builtins.h"
#include "merge_sort.h"
#include "operators.h"
#include "print.h"
#include "text.h"

namespace trustformers::jinja {
namespace {

CallArguments rest_of(const CallArguments& given, std::size_t from) {
  CallArguments rest;
  const auto begin = static_cast<std::ptrdiff_t>(std::min(from, given.positional.size()));
  rest.positional.assign(given.positional.begin() + begin, given.positional.end());
  rest.named = given.named;
  return rest;
}

// What sorting and comparing look at: the attribute if one is named, in lower case unless case matters.
Value sort_key(const Value& item, const Value& name, bool case_sensitive) {
  Value key = name.is_none() ? item : walk_attribute(item, name);
  return key.is_string() && !case_sensitive ? Value::string(to_lower(key.text())) : key;
}

std::vector<Value> sorted(Interpreter& interpreter, std::vector<Value> items, bool reverse,
                          const std::function<Value(const Value&)>& key) {
  std::vector<std::pair<Value, Value>> keyed;
  for (Value& item : items) {
    Value item_key = key(item);
    keyed.emplace_back(std::move(item_key), std::move(item));
  }
  Budget& budget = interpreter.budget();
  merge_sort(keyed, [&](const auto& a, const auto& b) {
    return reverse ? less(b.first, a.first, budget) : less(a.first, b.first, budget);
  });
  std::vector<Value> result;
  for (auto& entry : keyed) result.push_back(std::move(entry.second));
  return result;
}

Value sort(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("sort", given, {"reverse", "case_sensitive", "attribute"});
  const bool case_sensitive = arguments.flag(1, false);
  const Value names = arguments.value(2, Value());
  std::vector<Value> parts;  // "a,b" sorts by a, then by b
  if (names.is_string())
    for (const std::string_view part : split(names.text(), ",", -1)) parts.push_back(Value::string(part));
  else
    parts.push_back(names);
  return Value::list(sorted(interpreter, iterate(value, interpreter.budget()).items(), arguments.flag(0, false),
                            [&](const Value& item) {
                              if (parts.size() == 1) return sort_key(item, parts.front(), case_sensitive);
                              std::vector<Value> keys;
                              for (const Value& part : parts) keys.push_back(sort_key(item, part, case_sensitive));
                              return Value::list(std::move(keys));
                            }));
}

const Dict& mapping(const Value& value, std::string_view filter) {
  value.require_defined();
  const Dict* dict = value.get<Dict>();
  check(dict != nullptr, ErrorCode::invalid_argument, "[chat_template] ", filter, " needs a mapping, got ",
        value.type_name());
  return *dict;
}

std::vector<Value> pairs_of(const Dict& dict) {
  std::vector<Value> pairs;
  for (const auto& [key, value] : dict.entries()) pairs.push_back(Value::tuple({key, value}));
  return pairs;
}

Value dictsort(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("dictsort", given, {"case_sensitive", "by", "reverse"});
  const std::string by = arguments.text(1, "key");
  check(by == "key" || by == "value", ErrorCode::invalid_argument,
        "[chat_template] dictsort sorts by 'key' or 'value', got '", by, "'");
  const bool case_sensitive = arguments.flag(0, false);
  return Value::list(
      sorted(interpreter, pairs_of(mapping(value, "dictsort")), arguments.flag(2, false), [&](const Value& pair) {
        return sort_key(pair.get<List>()->items[by == "key" ? 0 : 1], Value(), case_sensitive);
      }));
}

Value items(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("items", given, {});
  if (value.is_undefined()) return Value::generator({});
  interpreter.budget().step(mapping(value, "items").size());
  return Value::generator(pairs_of(mapping(value, "items")));
}

Value unique(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("unique", given, {"case_sensitive", "attribute"});
  const auto source = iterate(value, interpreter.budget());
  Dict seen;
  std::vector<Value> kept;
  for (const Value& item : source) {
    const Value key = sort_key(item, arguments.value(1, Value()), arguments.flag(0, false));
    if (seen.find(key) != nullptr) continue;
    seen.set(key, Value());
    kept.push_back(item);
  }
  return Value::generator(std::move(kept));
}

template <bool smallest>
Value extreme(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments(smallest ? "min" : "max", given, {"case_sensitive", "attribute"});
  const auto source = iterate(value, interpreter.budget());
  if (source.empty()) return Value::undefined("no aggregated item, sequence was empty");
  const auto key = [&](const Value& item) {
    return sort_key(item, arguments.value(1, Value()), arguments.flag(0, false));
  };
  std::size_t best = 0;
  for (std::size_t i = 1; i < source.size(); ++i) {
    const Value challenger = key(source[i]);
    const Value champion = key(source[best]);
    const bool wins =
        smallest ? less(challenger, champion, interpreter.budget()) : less(champion, challenger, interpreter.budget());
    if (wins) best = i;
  }
  return source[best];
}

Value sum(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("sum", given, {"attribute", "start"});
  Value total = arguments.value(1, Value::integer(0));
  for (const Value& item : iterate(value, interpreter.budget()))
    total = arithmetic(Operator::add, total, arguments.has(0) ? walk_attribute(item, arguments.value(0)) : item,
                       interpreter.budget());
  return total;
}

Value first(Interpreter& interpreter, const Value& value, const CallArguments&) {
  const List* list = value.get<List>();
  if (list != nullptr && list->kind == List::Kind::generator && list->taken < list->items.size())
    return list->items[list->taken++];  // takes one, leaves the rest
  const auto source = iterate(value, interpreter.budget());
  return source.empty() ? Value::undefined("no first item, sequence was empty") : source[0];
}

Value last(Interpreter& interpreter, const Value& value, const CallArguments&) {
  const auto source = iterate(value, interpreter.budget());
  return source.empty() ? Value::undefined("no last item, sequence was empty") : source[source.size() - 1];
}

Value length(Interpreter&, const Value& value, const CallArguments&) {
  std::size_t size = 0;
  if (value.is_string()) {
    size = count_code_points(value.text());
  } else if (const Dict* dict = value.get<Dict>()) {
    size = dict->size();
  } else if (const List* list = value.get<List>(); list != nullptr && list->kind != List::Kind::generator) {
    size = list->items.size();
  } else {
    check(value.is_undefined(), ErrorCode::invalid_argument, "[chat_template] object of type '", value.type_name(),
          "' has no len()");
  }
  return Value::integer(static_cast<std::int64_t>(size));
}

Value list(Interpreter& interpreter, const Value& value, const CallArguments&) {
  return Value::list(iterate(value, interpreter.budget()).items());
}

Value reverse(Interpreter& interpreter, const Value& value, const CallArguments&) {
  if (value.is_string()) return slice(value, Value(), Value(), Value::integer(-1), interpreter.budget());
  std::vector<Value> result = iterate(value, interpreter.budget()).items();
  std::reverse(result.begin(), result.end());
  return Value::generator(std::move(result));
}

Value join(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("join", given, {"d", "attribute"});
  Budget& budget = interpreter.budget();
  const std::string separator = arguments.find(0) == nullptr ? "" : to_text(*arguments.find(0), budget);
  std::string result;
  bool first_item = true;
  for (const Value& item : iterate(value, budget)) {
    const std::string part = to_text(arguments.has(1) ? walk_attribute(item, arguments.value(1)) : item, budget);
    budget.produce(part.size() + separator.size());
    if (!std::exchange(first_item, false)) result += separator;
    result += part;
  }
  return Value::string(std::move(result));
}

Value batch(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("batch", given, {"linecount", "fill_with"});
  const std::int64_t count = arguments.integer(0);
  check(count > 0, ErrorCode::invalid_argument, "[chat_template] batch needs a positive number, got ", count);
  const auto width = static_cast<std::size_t>(count);
  std::vector<Value> rows;
  std::vector<Value> row;
  for (const Value& item : iterate(value, interpreter.budget())) {
    if (row.size() == width) rows.push_back(Value::list(std::exchange(row, {})));
    row.push_back(item);
  }
  if (!row.empty()) {
    if (arguments.has(1) && row.size() < width) {
      interpreter.budget().produce(width);  // so that the product below cannot overflow
      interpreter.budget().produce(width * sizeof(Value));
      row.resize(width, arguments.value(1));
    }
    rows.push_back(Value::list(std::move(row)));
  }
  return Value::generator(std::move(rows));
}

// [(value of the attribute, [items]), ...] in the order of the values.
Value groupby(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("groupby", given, {"attribute", "default", "case_sensitive"});
  const Value& name = arguments.value(0);
  const bool case_sensitive = arguments.flag(2, false);
  const auto key_of = [&](const Value& item, bool fold) {
    Value key = walk_attribute(item, name);
    if (key.is_undefined() && arguments.has(1)) key = arguments.value(1);
    return fold && key.is_string() ? Value::string(to_lower(key.text())) : key;
  };
  const auto fold_key = [&](const Value& item) { return key_of(item, !case_sensitive); };
  const std::vector<Value> items = sorted(interpreter, iterate(value, interpreter.budget()).items(), false, fold_key);
  std::vector<Value> groups;
  for (std::size_t begin = 0, end; begin < items.size(); begin = end) {
    for (end = begin + 1;
         end < items.size() && equal(fold_key(items[begin]), fold_key(items[end]), interpreter.budget());)
      ++end;
    std::vector<Value> members(items.begin() + static_cast<std::ptrdiff_t>(begin),
                               items.begin() + static_cast<std::ptrdiff_t>(end));
    List group{List::Kind::tuple, {key_of(items[begin], false), Value::list(std::move(members))}};
    group.label = "group";
    groups.push_back(Value::sequence(std::move(group)));
  }
  return Value::list(std::move(groups));
}

// So many columns, the first ones perhaps longer by one.
Value columns(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("slice", given, {"slices", "fill_with"});
  const std::vector<Value> items = iterate(value, interpreter.budget()).items();
  const std::int64_t count = arguments.integer(0);
  check(count > 0, ErrorCode::invalid_argument, "[chat_template] slice needs a positive number, got ", count);
  const auto size = static_cast<std::int64_t>(items.size());
  interpreter.budget().produce(static_cast<std::size_t>(count));  // so that the product below cannot overflow
  interpreter.budget().produce(static_cast<std::size_t>(count) * sizeof(Value));
  std::vector<Value> result;
  for (std::int64_t i = 0, begin = 0; i < count; ++i) {
    const std::int64_t end = begin + size / count + (i < size % count ? 1 : 0);
    std::vector<Value> column(items.data() + begin, items.data() + end);
    if (arguments.has(1) && i >= size % count) column.push_back(arguments.value(1));
    result.push_back(Value::list(std::move(column)));
    begin = end;
  }
  return Value::generator(std::move(result));
}

Value attr(Interpreter&, const Value& value, const CallArguments& given) {
  const Arguments arguments("attr", given, {"name"});
  return own_attribute(value, arguments.text(0));
}

Value map(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  std::vector<Value> result;
  const auto source = iterate(value, interpreter.budget());
  if (given.positional.empty()) {
    const Arguments arguments("map", given, {"attribute", "default"});
    for (const Value& item : source) {
      Value member = walk_attribute(item, arguments.value(0));
      if (member.is_undefined() && arguments.has(1)) member = arguments.value(1);
      result.push_back(std::move(member));
    }
  } else {
    check(given.positional.front().is_string(), ErrorCode::invalid_argument,
          "[chat_template] map needs the name of a filter");
    const CallArguments rest = rest_of(given, 1);
    for (const Value& item : source)
      result.push_back(interpreter.apply_filter(given.positional.front().text(), item, rest));
  }
  return Value::generator(std::move(result));
}

// select, reject, selectattr and rejectattr: keep what passes a test (the truth, when none is named).
template <bool wanted, bool by_attribute>
Value choose(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  constexpr std::size_t name_at = by_attribute ? 1 : 0;
  check(given.positional.size() >= name_at, ErrorCode::invalid_argument,
        "[chat_template] missing parameter for attribute name");
  const bool tested = given.positional.size() > name_at;
  check(!tested || given.positional[name_at].is_string(), ErrorCode::invalid_argument,
        "[chat_template] the name of a test must be a string");
  const CallArguments rest = rest_of(given, name_at + 1);
  std::vector<Value> kept;
  for (const Value& item : iterate(value, interpreter.budget())) {
    const Value subject = by_attribute ? walk_attribute(item, given.positional.front()) : item;
    const bool passes =
        tested ? interpreter.apply_test(given.positional[name_at].text(), subject, rest) : subject.truthy();
    if (passes == wanted) kept.push_back(item);
  }
  return Value::generator(std::move(kept));
}

constexpr Named<FilterFunction> sequence_filters[] = {{"sort", sort},
                                                      {"dictsort", dictsort},
                                                      {"items", items},
                                                      {"unique", unique},
                                                      {"min", extreme<true>},
                                                      {"max", extreme<false>},
                                                      {"sum", sum},
                                                      {"first", first},
                                                      {"last", last},
                                                      {"length", length},
                                                      {"count", length},
                                                      {"list", list},
                                                      {"reverse", reverse},
                                                      {"join", join},
                                                      {"batch", batch},
                                                      {"slice", columns},
                                                      {"groupby", groupby},
                                                      {"attr", attr},
                                                      {"map", map},
                                                      {"select", choose<true, false>},
                                                      {"reject", choose<false, false>},
                                                      {"selectattr", choose<true, true>},
                                                      {"rejectattr", choose<false, true>}};

}  // namespace

FilterFunction find_sequence_filter(std::string_view name) {
  return find_named<FilterFunction>(sequence_filters, name);
}

Value walk_attribute(const Value& value, const Value& name) {
  if (!name.is_string()) return subscript(value, name);
  Value result = value;
  for (const std::string_view part : split(name.text(), ".", -1)) {
    const bool number =
        !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string_view::npos;
    std::int64_t index = 0;
    if (number)
      for (const char digit : part) index = index * 10 + (digit - '0');
    result = subscript(result, number ? Value::integer(index) : Value::string(part));
  }
  return result;
}

}  // namespace trustformers::jinja
