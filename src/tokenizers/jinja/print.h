// How Python writes values as text: str(), repr() and json.dumps().
#pragma once

#include <optional>
#include <string>

#include "value.h"

namespace trustformers::jinja {

/// str(value), which is also what `{{ value }}` prints.
std::string to_text(const Value& value, Budget& budget);
/// repr(value).
std::string to_repr(const Value& value, Budget& budget);
/// repr of a float: the shortest digits that read back equal, with an exponent below 1e-4 and from 1e16 on.
std::string float_repr(double value);

struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent;  // of one level; unset: all on one line
  std::string item_separator = ", ";  // "," where indent is set, unless the template says otherwise
  std::string key_separator = ": ";
};
/// json.dumps(value). Errors: invalid_argument for what JSON has no form for.
std::string to_json(const Value& value, const JsonStyle& style, Budget& budget);

}  // namespace trustformers::jinja
