// The functions templates find without defining them: filters, tests and globals, as Jinja2 and transformers have them.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "interpreter.h"
#include "value.h"

namespace trustformers::jinja {

using FilterFunction = Value (*)(Interpreter& interpreter, const Value& value, const CallArguments& arguments);
using TestFunction = bool (*)(Interpreter& interpreter, const Value& value, const CallArguments& arguments);

template <class Function>
struct Named {
  std::string_view name;
  Function function;
};

/// nullptr when there is none of that name, here and below.
template <class Function>
Function find_named(std::span<const Named<Function>> table, std::string_view name) {
  for (const Named<Function>& entry : table)
    if (entry.name == name) return entry.function;
  return nullptr;
}

FilterFunction find_filter(std::string_view name);
TestFunction find_test(std::string_view name);
std::optional<Value> find_global(std::string_view name);

// The parts of find_filter.
FilterFunction find_text_filter(std::string_view name);
FilterFunction find_sequence_filter(std::string_view name);
FilterFunction find_layout_filter(std::string_view name);

/// `name` with dots walks into members: "function.name", "0.id".
Value walk_attribute(const Value& value, const Value& name);

}  // namespace trustformers::jinja
