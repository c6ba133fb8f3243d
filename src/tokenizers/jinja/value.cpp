#include "value.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "text.h"

namespace trustformers::jinja {
namespace {

int deepest(const std::vector<Value>& items) {
  int depth = 0;
  for (const Value& item : items) depth = std::max(depth, item.depth());
  return depth;
}

int checked_depth(int depth) {
  check(depth <= max_value_depth, ErrorCode::out_of_range, "[chat_template] a value nested deeper than ",
        max_value_depth, " levels");
  return depth;
}

std::size_t hash_of(const Value& key) {
  if (key.is_string()) return std::hash<std::string_view>()(key.text());
  double number = 0;
  if (to_double(key, number)) return std::hash<double>()(number);
  return 0;
}

bool same_key(const Value& key, std::string_view name) { return key.is_string() && key.text() == name; }

bool same_key(const Value& a, const Value& b) {
  if (b.is_string()) return same_key(a, std::string_view(b.text()));
  if (a.is_string()) return false;
  if (a.is_none() || b.is_none()) return a.is_none() && b.is_none();
  std::int64_t x = 0;
  std::int64_t y = 0;
  if (to_integer(a, x) && to_integer(b, y)) return x == y;
  double u = 0;
  double v = 0;
  return to_double(a, u) && to_double(b, v) && u == v;
}

}  // namespace

Value Value::undefined(std::string reason) {
  return Value(Undefined{std::make_shared<const std::string>(std::move(reason))});
}
Value Value::string(std::string bytes, bool markup) {
  return Value(Text{std::make_shared<const std::string>(std::move(bytes)), markup});
}
Value Value::list(std::vector<Value> items) { return sequence({List::Kind::list, std::move(items)}); }
Value Value::tuple(std::vector<Value> items) { return sequence({List::Kind::tuple, std::move(items)}); }
Value Value::generator(std::vector<Value> items) { return sequence({List::Kind::generator, std::move(items)}); }
Value Value::sequence(List list) {
  list.depth = checked_depth(1 + deepest(list.items));
  return Value(std::make_shared<const List>(std::move(list)));
}
Value Value::dict(Dict dict) {
  checked_depth(dict.depth());
  return Value(std::make_shared<const Dict>(std::move(dict)));
}
Value Value::callable(std::string name, std::function<Value(Interpreter&, const CallArguments&)> call) {
  return Value(std::make_shared<const Callable>(Callable{std::move(name), std::move(call)}));
}

Value Value::from_json(const Json& json) {
  if (json.is_null()) return {};
  if (json.is_bool()) return boolean(json.as_bool());
  if (json.is_int()) return integer(json.as_int());
  if (json.is_number()) return floating(json.as_double());
  if (json.is_string()) return string(std::string_view(json.as_string()));
  if (json.is_array()) {
    std::vector<Value> items;
    items.reserve(json.size());
    for (const Json& item : json.as_array()) items.push_back(from_json(item));
    return list(std::move(items));
  }
  Dict members;
  for (const auto& [key, item] : json.as_object()) members.set(key, from_json(item));
  return dict(std::move(members));
}

bool Value::truthy() const {
  return std::visit(
      [](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::monostate> || std::is_same_v<T, Undefined>) {
          return false;
        } else if constexpr (std::is_arithmetic_v<T>) {
          return value != T{};
        } else if constexpr (std::is_same_v<T, Text>) {
          return !value.bytes->empty();
        } else if constexpr (std::is_same_v<T, std::shared_ptr<const List>>) {
          return value->kind == List::Kind::generator || !value->items.empty();
        } else if constexpr (std::is_same_v<T, std::shared_ptr<const Dict>>) {
          return value->size() != 0;
        } else {
          return true;
        }
      },
      data_);
}

std::string_view Value::type_name() const {
  if (is_none()) return "NoneType";
  if (is_undefined()) return "Undefined";
  if (is_bool()) return "bool";
  if (get<std::int64_t>() != nullptr) return "int";
  if (get<double>() != nullptr) return "float";
  if (is_string()) return is_markup() ? "Markup" : "str";
  if (get<Dict>() != nullptr) return "dict";
  if (const List* list = get<List>()) {
    switch (list->kind) {
      case List::Kind::list: return "list";
      case List::Kind::tuple: return "tuple";
      case List::Kind::range: return "range";
      case List::Kind::generator: return "generator";
      case List::Kind::view: return list->label;
    }
  }
  if (get<std::shared_ptr<Namespace>>() != nullptr) return "Namespace";
  if (get<std::shared_ptr<LoopState>>() != nullptr) return "LoopContext";
  return "function";
}

int Value::depth() const {
  if (const List* list = get<List>()) return list->depth;
  if (const Dict* dict = get<Dict>()) return dict->depth();
  return 0;
}

void Value::require_defined() const {
  if (const auto* missing = get<Undefined>()) fail(ErrorCode::invalid_argument, "[chat_template] ", *missing->reason);
}

bool Dict::hashable(const Value& key) {
  double number = 0;
  return key.is_none() || key.is_string() || to_double(key, number);
}

template <class Key>
std::size_t Dict::place_of(std::size_t hash, const Key& key) const {
  constexpr std::size_t indexed_from = 16;  // below it a scan is faster than hashing
  if (entries_.size() < indexed_from) {
    for (std::size_t place = 0; place < entries_.size(); ++place)
      if (same_key(entries_[place].first, key)) return place;
    return entries_.size();
  }
  const auto [begin, end] = index_.equal_range(hash);
  for (auto found = begin; found != end; ++found)
    if (same_key(entries_[found->second].first, key)) return found->second;
  return entries_.size();
}

const Value* Dict::find(const Value& key) const {
  if (!hashable(key)) return nullptr;
  const std::size_t place = place_of(hash_of(key), key);
  return place == entries_.size() ? nullptr : &entries_[place].second;
}

const Value* Dict::find(std::string_view key) const {
  const std::size_t place = place_of(std::hash<std::string_view>()(key), key);
  return place == entries_.size() ? nullptr : &entries_[place].second;
}

void Dict::set(const Value& key, Value value) {
  key.require_defined();
  check(hashable(key), ErrorCode::unsupported, "[chat_template] a dictionary key of type ", key.type_name());
  depth_ = std::max(depth_, 1 + value.depth());
  const std::size_t hash = hash_of(key);
  const std::size_t place = place_of(hash, key);
  if (place < entries_.size()) {
    entries_[place].second = std::move(value);
    return;
  }
  index_.emplace(hash, place);
  entries_.emplace_back(key, std::move(value));
}

const Value* Namespace::find(std::string_view name) const {
  for (const auto& [key, value] : members)
    if (key == name) return &value;
  return nullptr;
}

void Namespace::set(std::string_view name, Value value) {
  for (auto& [key, known] : members) {
    if (key == name) {
      known = std::move(value);
      return;
    }
  }
  members.emplace_back(std::string(name), std::move(value));
}

bool to_integer(const Value& value, std::int64_t& result) {
  if (const auto* number = value.get<std::int64_t>()) {
    result = *number;
  } else if (const auto* flag = value.get<bool>()) {
    result = *flag ? 1 : 0;
  } else {
    return false;
  }
  return true;
}

bool to_double(const Value& value, double& result) {
  std::int64_t integer = 0;
  if (to_integer(value, integer)) {
    result = static_cast<double>(integer);
  } else if (const auto* number = value.get<double>()) {
    result = *number;
  } else {
    return false;
  }
  return true;
}

bool equal(const Value& a, const Value& b, Budget& budget) {
  budget.step();
  if (a.is_undefined() || b.is_undefined()) return a.is_undefined() && b.is_undefined();
  const List* list_a = a.get<List>();
  const List* list_b = b.get<List>();
  if (list_a != nullptr && list_b != nullptr) {
    if (list_a == list_b) return true;
    if (list_a->kind != list_b->kind || list_a->kind == List::Kind::generator) return false;
    if (list_a->items.size() != list_b->items.size()) return false;
    for (std::size_t i = 0; i < list_a->items.size(); ++i)
      if (!equal(list_a->items[i], list_b->items[i], budget)) return false;
    return true;
  }
  const Dict* dict_a = a.get<Dict>();
  const Dict* dict_b = b.get<Dict>();
  if (dict_a != nullptr && dict_b != nullptr) {
    if (dict_a == dict_b) return true;
    if (dict_a->size() != dict_b->size()) return false;
    for (const auto& [key, value] : dict_a->entries()) {
      const Value* other = dict_b->find(key);
      if (other == nullptr || !equal(value, *other, budget)) return false;
    }
    return true;
  }
  if (Dict::hashable(a) && Dict::hashable(b)) return same_key(a, b);
  if (const auto* space = a.get<std::shared_ptr<Namespace>>()) {
    const auto* other = b.get<std::shared_ptr<Namespace>>();
    return other != nullptr && *space == *other;
  }
  if (const auto* function = a.get<std::shared_ptr<const Callable>>()) {
    const auto* other = b.get<std::shared_ptr<const Callable>>();
    return other != nullptr && *function == *other;
  }
  return false;
}

bool less(const Value& a, const Value& b, Budget& budget) {
  budget.step();
  a.require_defined();
  b.require_defined();
  if (a.is_string() && b.is_string()) return a.text() < b.text();
  std::int64_t x = 0;
  std::int64_t y = 0;
  if (to_integer(a, x) && to_integer(b, y)) return x < y;
  double u = 0;
  double v = 0;
  if (to_double(a, u) && to_double(b, v)) return u < v;
  const List* list_a = a.get<List>();
  const List* list_b = b.get<List>();
  if (list_a != nullptr && list_b != nullptr && list_a->kind == list_b->kind &&
      (list_a->kind == List::Kind::list || list_a->kind == List::Kind::tuple)) {
    const std::size_t shared = std::min(list_a->items.size(), list_b->items.size());
    for (std::size_t i = 0; i < shared; ++i)
      if (!equal(list_a->items[i], list_b->items[i], budget)) return less(list_a->items[i], list_b->items[i], budget);
    return list_a->items.size() < list_b->items.size();
  }
  fail(ErrorCode::invalid_argument, "[chat_template] '<' not supported between instances of '", a.type_name(),
       "' and '", b.type_name(), "'");
}

void charge_search(std::string_view text, std::string_view part, Budget& budget) {
  // A search compares up to text * part bytes, and typical ones about text.
  budget.step(1 + text.size() / 64 + text.size() / 64 * (std::min(part.size(), text.size()) / 64));
}

Elements iterate(const Value& value, Budget& budget) {
  if (const List* list = value.get<List>()) {
    budget.step(list->items.size());
    if (list->kind != List::Kind::generator) return Elements(value.list_pointer());
    const auto from = static_cast<std::ptrdiff_t>(std::min(list->taken, list->items.size()));
    list->taken = list->items.size();
    if (from == 0) return Elements(value.list_pointer());
    return Elements(Value::list({list->items.begin() + from, list->items.end()}).list_pointer());
  }
  std::vector<Value> items;
  if (value.is_string()) {
    const std::string_view text = value.text();
    budget.produce(text.size() * (sizeof(Value) + 64));
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = point_size(text, at);
      items.push_back(Value::string(text.substr(at, size)));
      at += size;
    }
  } else if (const Dict* dict = value.get<Dict>()) {
    for (const Dict::Entry& entry : dict->entries()) items.push_back(entry.first);
  } else {
    check(value.is_undefined(), ErrorCode::invalid_argument, "[chat_template] '", value.type_name(),
          "' object is not iterable");
  }
  budget.step(items.size());
  return Elements(Value::list(std::move(items)).list_pointer());
}

}  // namespace trustformers::jinja
