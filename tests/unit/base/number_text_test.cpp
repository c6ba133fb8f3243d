#include "base/number_text.h"

#include <doctest/doctest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "base/json.h"

namespace trustformers {
namespace {

std::string standard_scientific(double value) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr};
}

std::string standard_json(double value) {
  char buffer[64];
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string our_scientific(double value) {
  const auto [digits, exponent] = shortest_digits(value);
  std::string text = digits.substr(0, 1);
  if (digits.size() > 1) text += "." + digits.substr(1);
  const std::string magnitude = std::to_string(std::abs(exponent));
  return text + (exponent < 0 ? "e-" : "e+") + (magnitude.size() < 2 ? "0" : "") + magnitude;
}

void check_number(double value) {
  CAPTURE(value);
  CHECK(our_scientific(value) == standard_scientific(value));
  CHECK(Json(value).dump() == standard_json(value));
  CHECK(Json(-value).dump() == standard_json(-value));
}

TEST_CASE("base: numbers are written as std::to_chars writes them") {
  using Limits = std::numeric_limits<double>;
  for (const double value :
       {0.0, 1.0, 0.1, 1e15, 1e16, 1e22, 1e23, 9007199254740993.0, 9.999999999999999e22, 5e-324, 123456.0, 0.0001,
        0.00012, 100000.0, 99999.0, 2.2250738585072011e-308, Limits::max(), Limits::min(), Limits::epsilon()})
    check_number(value);
  for (int power = -1074; power < 1024; ++power) {  // the gap below is narrower
    const double value = std::ldexp(1.0, power);
    check_number(value);
    check_number(std::nextafter(value, 0.0));
    check_number(std::nextafter(value, Limits::infinity()));
  }
  for (int power = -323; power < 309; ++power)
    check_number(std::strtod(("1e" + std::to_string(power)).c_str(), nullptr));
  std::uint64_t state = 1;
  for (int i = 0; i < 20000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    if (const double value = std::bit_cast<double>((state ^ state >> 29) & ~(std::uint64_t{1} << 63));
        std::isfinite(value))
      check_number(value);
    check_number(static_cast<double>(state >> 40) / 1000);
    check_number(static_cast<double>(state >> (i % 60)));
  }
}

TEST_CASE("base: numbers are written with the digits asked for") {
  CHECK(number_text(2.5, 'f', 0) == "2");
  CHECK(number_text(-1234.5678, 'e', 3) == "-1.235e+03");
  CHECK(number_text(0.00001234, 'g', 6) == "1.234e-05");
  CHECK(number_text(std::numeric_limits<double>::infinity(), 'f', 3) == "inf");
}

}  // namespace
}  // namespace trustformers
