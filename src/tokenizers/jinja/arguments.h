// Binds the arguments of a call to the parameters of a built-in function, as Python does.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "value.h"

namespace trustformers::jinja {

class Arguments {
 public:
  /// Errors: invalid_argument for too many arguments, unknown names, and names given twice.
  Arguments(std::string_view function, const CallArguments& given, std::initializer_list<std::string_view> parameters);

  /// The argument of parameter `place`, or nullptr when it was not given.
  const Value* find(std::size_t place) const { return bound_[place]; }
  bool has(std::size_t place) const { return bound_[place] != nullptr && !bound_[place]->is_none(); }
  /// Each with the value for an argument that was not given, or None where has() treats it so. Errors: invalid_argument
  /// when the argument is missing (no fallback) or of another type.
  const Value& value(std::size_t place) const;
  Value value(std::size_t place, const Value& fallback) const;
  const std::string& text(std::size_t place) const;
  std::string text(std::size_t place, std::string_view fallback) const;
  std::int64_t integer(std::size_t place) const;
  std::int64_t integer(std::size_t place, std::int64_t fallback) const;
  bool flag(std::size_t place, bool fallback) const;

 private:
  [[noreturn]] void wrong_type(std::size_t place, std::string_view expected) const;

  std::string function_;
  std::vector<std::string_view> parameters_;
  std::vector<const Value*> bound_;
};

}  // namespace trustformers::jinja
