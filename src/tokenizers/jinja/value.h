// The values a template computes with: Python's, as far as chat templates see them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "../../base/json.h"
#include "limits.h"

namespace trustformers::jinja {

class Dict;
class Interpreter;
class Value;
struct CallArguments;
struct List;
struct LoopState;
struct Namespace;

/// A name or member that is not there: prints as nothing, is false and empty; all else raises `reason`.
struct Undefined {
  std::shared_ptr<const std::string> reason;
};

/// A string of Unicode code points, kept as UTF-8. Markup (made by the filter `safe`) escapes what is added to it.
struct Text {
  std::shared_ptr<const std::string> bytes;
  bool markup = false;
};

/// A function, a macro or a bound method.
struct Callable {
  std::string name;
  std::function<Value(Interpreter&, const CallArguments&)> call;
};

class Value {
 public:
  Value() = default;  // None
  static Value undefined(std::string reason);
  static Value boolean(bool value) { return Value(value); }
  static Value integer(std::int64_t value) { return Value(value); }
  static Value floating(double value) { return Value(value); }
  static Value string(std::string bytes, bool markup = false);
  static Value string(std::string_view bytes, bool markup = false) { return string(std::string(bytes), markup); }
  static Value string(const char* bytes) { return string(std::string(bytes)); }
  static Value list(std::vector<Value> items);
  static Value tuple(std::vector<Value> items);
  /// What Python makes lazily (`map`, `select`, ...): true even when empty, without length, gone once iterated.
  static Value generator(std::vector<Value> items);
  static Value sequence(List list);
  static Value dict(Dict dict);
  static Value callable(std::string name, std::function<Value(Interpreter&, const CallArguments&)> call);
  explicit Value(std::shared_ptr<Namespace> value) : data_(std::move(value)) {}
  explicit Value(std::shared_ptr<LoopState> value) : data_(std::move(value)) {}
  /// Errors: out_of_range when nested deeper than max_value_depth.
  static Value from_json(const Json& json);

  /// The value's part of type T, or nullptr when it is of another type.
  template <class T>
  const T* get() const {
    if constexpr (std::is_same_v<T, List> || std::is_same_v<T, Dict>) {
      const auto* pointer = std::get_if<std::shared_ptr<const T>>(&data_);
      return pointer == nullptr ? nullptr : pointer->get();
    } else {
      return std::get_if<T>(&data_);
    }
  }
  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_string() const { return std::holds_alternative<Text>(data_); }
  bool is_markup() const { return is_string() && std::get<Text>(data_).markup; }
  /// The bytes of a string. Only for strings.
  const std::string& text() const { return *std::get<Text>(data_).bytes; }
  std::shared_ptr<const List> list_pointer() const { return std::get<std::shared_ptr<const List>>(data_); }

  bool truthy() const;
  /// As Python names it: "str", "NoneType", ...
  std::string_view type_name() const;
  /// Of lists and dicts inside lists and dicts; 0 for anything else.
  int depth() const;
  /// Throws the reason (ErrorCode::invalid_argument) when this is undefined.
  void require_defined() const;

 private:
  using Data = std::variant<std::monostate, Undefined, bool, std::int64_t, double, Text, std::shared_ptr<const List>,
                            std::shared_ptr<const Dict>, std::shared_ptr<Namespace>, std::shared_ptr<const Callable>,
                            std::shared_ptr<LoopState>>;
  template <class T>
  explicit Value(T value) : data_(std::move(value)) {}

  Data data_;
};

/// A list and everything that behaves like one in some ways. Immutable, as the sandbox of transformers demands.
struct List {
  enum class Kind { list, tuple, range, generator, view };
  Kind kind = Kind::list;
  std::vector<Value> items;
  std::string label = {};  // range: its text; view: the name of its type ("dict_items"); tuple: "group" of groupby
  mutable std::size_t taken = 0;  // generator: how many items were handed out
  int depth = 1;

  bool indexable() const { return kind != Kind::generator && kind != Kind::view; }
};

/// An insertion-ordered dictionary. Keys are None, booleans, numbers and strings, with Python's equality (1 == 1.0).
class Dict {
 public:
  using Entry = std::pair<Value, Value>;
  /// Replaces the value of an equal key. Errors: invalid_argument when the key is undefined, unsupported when it is of
  /// another type than those above.
  void set(const Value& key, Value value);
  void set(std::string_view key, Value value) { set(Value::string(key), std::move(value)); }
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  const std::vector<Entry>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  int depth() const { return depth_; }
  static bool hashable(const Value& key);

 private:
  template <class Key>
  std::size_t place_of(std::size_t hash, const Key& key) const;  // size() when absent

  std::vector<Entry> entries_;
  std::unordered_multimap<std::size_t, std::size_t> index_;  // hash of the key -> its place
  int depth_ = 1;
};

/// The one kind of object a template can change: `set ns.name = value`.
struct Namespace {
  std::vector<std::pair<std::string, Value>> members;
  const Value* find(std::string_view name) const;
  void set(std::string_view name, Value value);
};

/// What `loop` stands for in the body of a for statement. The statement empties it when it ends.
struct LoopState {
  std::shared_ptr<const List> items;
  std::size_t index = 0;
  std::vector<Value> changed;
  bool changed_called = false;
  int depth = 1;
  /// Of a recursive loop: its body for other items, as text. Empty otherwise.
  std::function<Value(Interpreter&, const Value& items)> recurse = {};
};

/// The arguments of one call, filter or test.
struct CallArguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

/// Python's ==. Never fails except on the budget.
bool equal(const Value& a, const Value& b, Budget& budget);
/// Python's < for numbers, strings, lists and tuples. Errors: invalid_argument for other pairs.
bool less(const Value& a, const Value& b, Budget& budget);

/// Elements in order; keeps alive what holds them, so that a loop may run over the result of iterate() directly.
class Elements {
 public:
  explicit Elements(std::shared_ptr<const List> list) : list_(std::move(list)) {}
  const std::vector<Value>& items() const& { return list_->items; }
  std::vector<Value> items() && { return list_->items; }
  std::size_t size() const { return list_->items.size(); }
  bool empty() const { return list_->items.empty(); }
  const Value& operator[](std::size_t i) const { return list_->items[i]; }
  std::vector<Value>::const_iterator begin() const { return list_->items.begin(); }
  std::vector<Value>::const_iterator end() const { return list_->items.end(); }
  const std::shared_ptr<const List>& list() const { return list_; }

 private:
  std::shared_ptr<const List> list_;
};

/// The elements that Python's iter() gives (the code points of a string, the keys of a dict, nothing for undefined).
/// Errors: invalid_argument when it cannot be iterated.
Elements iterate(const Value& value, Budget& budget);

/// Pays for searching `part` in `text`.
void charge_search(std::string_view text, std::string_view part, Budget& budget);

/// A number as double (booleans are 0 and 1); false when the value is no number.
bool to_double(const Value& value, double& result);
/// A boolean or an integer; false when it is neither.
bool to_integer(const Value& value, std::int64_t& result);

}  // namespace trustformers::jinja
