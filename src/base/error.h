// Typed errors. The library reports every failure by throwing Error; it never prints, aborts or exits.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text.h"

namespace trustformers {

/// What kind of failure it is; stable numbers, because the C ABI hands them out.
enum class ErrorCode : int {
  invalid_argument = 1,  // a value the caller chose cannot be used
  shape_mismatch = 2,
  dtype_mismatch = 3,
  not_found = 4,     // a file, tensor, key or model that is not there
  io = 5,            // the operating system refused
  parse = 6,         // bytes that do not follow their format
  unsupported = 7,   // well formed, but not something this build can do
  out_of_range = 8,  // an index, id or position beyond its bound
  out_of_memory = 9,
  cancelled = 10,
  numeric = 11,  // NaN or infinity where a number is needed
  internal = 12  // a broken invariant of the library itself
};

std::string_view to_string(ErrorCode code);

/// An error with a code, a message `[where] what was expected, what came`, and context lines added on the way out.
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message);
  ErrorCode code() const noexcept { return code_; }
  /// The message without context.
  const std::string& message() const noexcept { return message_; }
  /// Innermost first: "while loading model.layers.3.mlp", "while opening model.safetensors".
  const std::vector<std::string>& context() const noexcept { return context_; }
  /// The message and all context in one text.
  const char* what() const noexcept override { return text_.c_str(); }
  void add_context(std::string line);

 private:
  ErrorCode code_;
  std::string message_;
  std::vector<std::string> context_;
  std::string text_;
};

template <class... Parts>
[[noreturn]] void fail(ErrorCode code, const Parts&... parts) {
  throw Error(code, str(parts...));
}

/// Throws when `condition` is false; the text is built only then.
template <class... Parts>
void check(bool condition, ErrorCode code, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail(code, parts...);
}

/// Runs `body`; an Error that leaves it gets the line `describe()` (made only then) added to its context.
template <class Describe, class Body>
decltype(auto) with_context(Describe&& describe, Body&& body) {
  try {
    return body();
  } catch (Error& error) {
    error.add_context(describe());
    throw;
  }
}

}  // namespace trustformers
