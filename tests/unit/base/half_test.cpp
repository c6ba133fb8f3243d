#include "base/half.h"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

namespace trustformers {
namespace {

/// The value of a small float format computed from its definition, in double.
double value_of(std::uint32_t bits, int exponent_bits, int fraction_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  const double fraction = bits & ((1u << fraction_bits) - 1);
  const double sign = (bits >> (exponent_bits + fraction_bits)) & 1u ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1)
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign * std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
}

template <class Half, Half (*narrow)(float), int exponent_bits, int fraction_bits>
void check_format() {
  constexpr std::uint32_t infinity = ((1u << exponent_bits) - 1) << fraction_bits;
  int wrong = 0;
  const auto expect = [&](float value, std::uint32_t bits) {
    if (narrow(value).bits != bits || narrow(-value).bits != (bits | 0x8000u)) ++wrong;
  };
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const float value = to_float(Half{static_cast<std::uint16_t>(bits)});
    const double wanted = value_of(bits, exponent_bits, fraction_bits);
    if (std::isnan(wanted)) {
      wrong += !std::isnan(value) || !std::isnan(to_float(narrow(value)));
      continue;
    }
    wrong += static_cast<double>(value) != wanted || std::signbit(value) != std::signbit(wanted);
    wrong += narrow(value).bits != bits;
  }
  CHECK(wrong == 0);
  // Between neighbours: halves go to the even one, everything else to the nearer one; the last interval ends at
  // what would be the next power of two, whose lower half belongs to the largest finite number.
  for (std::uint32_t bits = 0; bits < infinity; ++bits) {
    const double low = value_of(bits, exponent_bits, fraction_bits);
    const double high = bits + 1 < infinity ? value_of(bits + 1, exponent_bits, fraction_bits)
                                            : 2 * low - value_of(bits - 1, exponent_bits, fraction_bits);
    const auto middle = static_cast<float>(low / 2 + high / 2);
    REQUIRE(static_cast<double>(middle) == low / 2 + high / 2);
    expect(middle, bits % 2 == 0 ? bits : bits + 1);
    expect(std::nextafterf(middle, 0.0f), bits);
    if (std::isfinite(std::nextafterf(middle, INFINITY))) expect(std::nextafterf(middle, INFINITY), bits + 1);
  }
  CHECK(wrong == 0);
  expect(std::numeric_limits<float>::infinity(), infinity);
  expect(std::numeric_limits<float>::max(), infinity);
  CHECK(wrong == 0);
}

TEST_CASE("base: every f16 converts exactly and every rounding goes to the nearest even") {
  check_format<f16, to_f16, 5, 10>();
  CHECK(to_f16(std::numeric_limits<float>::denorm_min()).bits == 0);
  CHECK(to_f16(-0.0f).bits == 0x8000);
}

TEST_CASE("base: every bf16 converts exactly and every rounding goes to the nearest even") {
  check_format<bf16, to_bf16, 8, 7>();
  CHECK(to_bf16(-0.0f).bits == 0x8000);
}

TEST_CASE("base: NaN stays NaN with its sign in both formats") {
  for (const std::uint32_t bits : {0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0xff800001u, 0xffffffffu, 0x7f80ffffu}) {
    const float value = std::bit_cast<float>(bits);
    CHECK(std::isnan(to_float(to_f16(value))));
    CHECK(std::isnan(to_float(to_bf16(value))));
    CHECK((to_f16(value).bits >> 15) == (bits >> 31));
    CHECK((to_bf16(value).bits >> 15) == (bits >> 31));
  }
}

}  // namespace
}  // namespace trustformers
