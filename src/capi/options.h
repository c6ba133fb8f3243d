// Options as JSON text: every name must be known, every value of its type.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../base/json.h"
#include "../tensor/tensor.h"

namespace trustformers::capi {

/// Errors of the getters are invalid_argument: "[op] expected "dims" to be …, got …".
class Options {
 public:
  /// `text` NULL or empty: no options. `known` are the names divided by blanks. Errors: parse, and invalid_argument for
  /// unknown names, listing the known ones.
  Options(const char* text, std::string_view where, std::string_view known);

  const Json* find(std::string_view name) const { return json_.find(name); }
  bool has(std::string_view name) const;  // and not null
  bool flag(std::string_view name, bool absent) const;
  std::int64_t integer(std::string_view name, std::int64_t absent) const;
  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name, double absent) const;
  double number(std::string_view name) const;
  std::string text(std::string_view name, std::string_view absent) const;
  std::vector<std::string> texts(std::string_view name) const;
  /// A number or a list of numbers; empty when absent.
  Shape integers(std::string_view name) const;
  Shape shape(std::string_view name) const;
  DType dtype(std::string_view name, DType absent) const;
  [[noreturn]] void fail_type(std::string_view name, std::string_view expected) const;

 private:
  Json json_;
  std::string_view where_;
};

/// "f32", ...; errors: invalid_argument naming `where`.
DType parse_dtype(std::string_view name, std::string_view where);

}  // namespace trustformers::capi
