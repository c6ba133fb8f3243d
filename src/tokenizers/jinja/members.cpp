// What follows a dot or stands in brackets.
#include <algorithm>
#include <optional>

#include "interpreter.h"
#include "operators.h"
#include "text.h"

namespace trustformers::jinja {
namespace {

// How Jinja2 names an object in the text of an undefined member.
std::string owner(const Value& object) {
  return object.is_none() ? "None" : std::string(object.type_name()) + " object";
}

std::optional<std::size_t> element_index(const Value& key, std::size_t size) {
  std::int64_t index = 0;
  if (!to_integer(key, index)) return std::nullopt;
  const auto length = static_cast<std::int64_t>(size);
  if (index < -length || index >= length) return std::nullopt;
  return static_cast<std::size_t>(index < 0 ? index + length : index);
}

std::optional<Value> element(const Value& object, const Value& key) {
  if (const Dict* dict = object.get<Dict>()) {
    if (const Value* found = dict->find(key)) return *found;
  } else if (const List* list = object.get<List>()) {
    if (!list->indexable()) return std::nullopt;
    if (const auto index = element_index(key, list->items.size())) return list->items[*index];
  } else if (object.is_string()) {
    std::int64_t index = 0;
    if (!to_integer(key, index)) return std::nullopt;
    const std::string& text = object.text();
    if (const auto place = element_index(key, count_code_points(text))) {
      std::size_t at = 0;
      for (std::size_t i = 0; i < *place; ++i) at += point_size(text, at);
      return Value::string(std::string_view(text).substr(at, point_size(text, at)));
    }
  }
  return std::nullopt;
}

Value loop_cycle(const std::shared_ptr<LoopState>& loop, const CallArguments& given) {
  check(!given.positional.empty(), ErrorCode::invalid_argument, "[chat_template] no items for cycling given");
  return given.positional[loop->index % given.positional.size()];
}

// Whether the arguments differ from those of the last call.
Value loop_changed(Interpreter& interpreter, const std::shared_ptr<LoopState>& loop, const CallArguments& given) {
  bool same = loop->changed_called && loop->changed.size() == given.positional.size();
  for (std::size_t i = 0; same && i < loop->changed.size(); ++i)
    same = equal(loop->changed[i], given.positional[i], interpreter.budget());
  loop->changed_called = true;
  if (loop->items != nullptr) loop->changed = given.positional;
  return Value::boolean(!same);
}

std::optional<Value> loop_member(const std::shared_ptr<LoopState>& loop, std::string_view name) {
  if (loop->items == nullptr) return std::nullopt;
  const auto index = static_cast<std::int64_t>(loop->index);
  const auto length = static_cast<std::int64_t>(loop->items->items.size());
  if (name == "index") return Value::integer(index + 1);
  if (name == "index0") return Value::integer(index);
  if (name == "revindex") return Value::integer(length - index);
  if (name == "revindex0") return Value::integer(length - index - 1);
  if (name == "first") return Value::boolean(index == 0);
  if (name == "last") return Value::boolean(index + 1 == length);
  if (name == "length") return Value::integer(length);
  if (name == "depth") return Value::integer(loop->depth);
  if (name == "depth0") return Value::integer(loop->depth - 1);
  if (name == "previtem")
    return index > 0 ? loop->items->items[loop->index - 1] : Value::undefined("there is no previous item");
  if (name == "nextitem")
    return index + 1 < length ? loop->items->items[loop->index + 1] : Value::undefined("there is no next item");
  if (name == "cycle")
    return Value::callable("loop.cycle",
                           [loop](Interpreter&, const CallArguments& given) { return loop_cycle(loop, given); });
  if (name == "changed")
    return Value::callable("loop.changed", [loop](Interpreter& interpreter, const CallArguments& given) {
      return loop_changed(interpreter, loop, given);
    });
  return std::nullopt;
}

// What Python's getattr() finds.
std::optional<Value> member(const Value& object, std::string_view name) {
  if (const auto* space = object.get<std::shared_ptr<Namespace>>()) {
    if (const Value* found = (*space)->find(name)) return *found;
    return std::nullopt;
  }
  if (const auto* loop = object.get<std::shared_ptr<LoopState>>()) return loop_member(*loop, name);
  if (const auto* function = object.get<std::shared_ptr<const Callable>>()) {
    if (name == "name") return Value::string((*function)->name);
    return std::nullopt;
  }
  if (const List* list = object.get<List>(); list != nullptr && list->label == "group") {
    if (name == "grouper") return list->items[0];
    if (name == "list") return list->items[1];
  }
  Value method = bound_method(object, name);
  if (method.is_undefined()) return std::nullopt;
  return method;
}

}  // namespace

Value own_attribute(const Value& object, std::string_view name) {
  object.require_defined();
  if (auto found = member(object, name)) return *found;
  return Value::undefined("'" + owner(object) + "' has no attribute '" + std::string(name) + "'");
}

Value attribute(const Value& object, std::string_view name) {
  object.require_defined();
  if (auto found = member(object, name)) return *found;
  if (const Dict* dict = object.get<Dict>())
    if (const Value* found = dict->find(name)) return *found;
  return Value::undefined("'" + owner(object) + "' has no attribute '" + std::string(name) + "'");
}

Value subscript(const Value& object, const Value& key) {
  object.require_defined();
  if (auto found = element(object, key)) return *found;
  if (!key.is_string()) return Value::undefined(owner(object) + " has no such element");
  if (auto found = member(object, key.text())) return *found;
  return Value::undefined("'" + owner(object) + "' has no attribute '" + key.text() + "'");
}

}  // namespace trustformers::jinja
