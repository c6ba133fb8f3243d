// Floating-point numbers as text. std::to_chars does the same, with tables that would be a thirtieth of a WebAssembly
// module.
#pragma once

#include <string>

namespace trustformers {

/// printf's %.*f, %.*e or %.*g as `form` says, with a point whatever the locale; at most 100 digits of precision.
std::string number_text(double value, char form, int precision);

/// The fewest digits that read back as a positive finite number, and of those the closest: d.ddd × 10^exponent.
struct ShortestDigits {
  std::string digits;  // without the point; the last one is not 0, except in "0"
  int exponent = 0;
};
ShortestDigits shortest_digits(double value);

}  // namespace trustformers
