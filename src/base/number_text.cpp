#include "number_text.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace trustformers {
namespace {

/// One more in the last digit.
void count_up(std::string& digits, int& exponent) {
  const std::size_t last = digits.find_last_not_of('9');
  if (last == std::string::npos) {
    digits.assign(digits.size(), '0');
    digits[0] = '1';
    ++exponent;
    return;
  }
  ++digits[last];
  for (std::size_t i = last + 1; i < digits.size(); ++i) digits[i] = '0';
}

/// Without a point, which a locale might spell differently.
double read(const std::string& digits, int exponent) {
  const std::string text = digits + 'e' + std::to_string(exponent - static_cast<int>(digits.size()) + 1);
  return std::strtod(text.c_str(), nullptr);
}

}  // namespace

std::string number_text(double value, char form, int precision) {
  const char format[] = {'%', '.', '*', form, '\0'};
  std::array<char, 512> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, precision, value);
  std::string text(buffer.data(), static_cast<std::size_t>(length));
  if (!std::isfinite(value)) return text;
  if (const std::size_t point = text.find_first_not_of("+-0123456789e"); point != std::string::npos)
    text.replace(point, text.find_first_of("0123456789", point) - point, ".");
  return text;
}

ShortestDigits shortest_digits(double value) {
  if (value == 0) return {"0", 0};
  using Limits = std::numeric_limits<double>;
  // Decimals of 15 digits survive a double, so that shorter ones show as zeros at the end; below the normal range they
  // need not.
  for (int count = value < Limits::min() ? 1 : Limits::digits10;; ++count) {
    const std::string text = number_text(value, 'e', count - 1);
    const std::size_t mark = text.find('e');
    ShortestDigits out{text.substr(0, 1), std::atoi(text.c_str() + mark + 1)};
    if (mark > 2) out.digits += text.substr(2, mark - 2);
    bool equal = count == Limits::max_digits10 || read(out.digits, out.exponent) == value;
    if (!equal) {
      // The gap below a power of two is half of that above: the closest decimal may lie in the wrong one.
      count_up(out.digits, out.exponent);
      equal = read(out.digits, out.exponent) == value;
    }
    if (!equal) continue;
    out.digits.erase(out.digits.find_last_not_of('0') + 1);
    return out;
  }
}

}  // namespace trustformers
