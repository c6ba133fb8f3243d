#include "base/rng.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

namespace trustformers {
namespace {

using Words = std::array<std::uint32_t, 4>;

TEST_CASE("base: philox4x32-10 gives the known answers of Random123") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t ones = 0xffffffff;
  CHECK(philox4x32({ones, ones, ones, ones}, {ones, ones}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("base: random words are laid out by position, stream and seed") {
  const std::uint64_t seed = 0x0123456789abcdef, stream = 0xfedcba9876543210;
  const Philox random(seed, stream);
  for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{7}, (std::uint64_t{5} << 34) + 2}) {
    const std::uint64_t position = index / 4;
    const auto words = philox4x32(
        {static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32), 0x76543210, 0xfedcba98},
        {0x89abcdef, 0x01234567});
    CHECK(random.bits(index) == words[index % 4]);
    CHECK(random.uniform(index) == static_cast<float>(words[index % 4] >> 8) / 16777216.0f);
  }
  CHECK(Philox(1, 0).bits(0) != Philox(1, 1).bits(0));
  CHECK(Philox(1, 0).bits(0) != Philox(2, 0).bits(0));
}

TEST_CASE("base: uniform numbers lie in [0, 1) with the moments of the distribution") {
  const Philox random(42);
  constexpr int count = 200000;
  double sum = 0, squares = 0, sum_double = 0;
  std::set<double> different;
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    const float value = random.uniform(index);
    const double fine = random.uniform_double(index);
    REQUIRE((value >= 0.0f && value < 1.0f));
    REQUIRE((fine >= 0.0 && fine < 1.0));
    sum += value;
    squares += static_cast<double>(value) * value;
    sum_double += fine;
    different.insert(fine);
  }
  CHECK(std::abs(sum / count - 0.5) < 0.003);  // 4.6 standard errors
  CHECK(std::abs(squares / count - 1.0 / 3) < 0.003);
  CHECK(std::abs(sum_double / count - 0.5) < 0.003);
  CHECK(different.size() == count);
}

TEST_CASE("base: normal numbers have the moments of the distribution and depend on their index alone") {
  const Philox random(7, 3);
  constexpr int count = 200000;
  double sum = 0, squares = 0, cubes = 0, fourths = 0, neighbours = 0, previous = 0;
  for (int i = 0; i < count; ++i) {
    const double value = random.normal(static_cast<std::uint64_t>(i));
    REQUIRE(std::isfinite(value));
    sum += value;
    squares += value * value;
    cubes += value * value * value;
    fourths += value * value * value * value;
    neighbours += value * previous;
    previous = value;
  }
  CHECK(std::abs(sum / count) < 0.01);
  CHECK(std::abs(squares / count - 1) < 0.015);
  CHECK(std::abs(cubes / count) < 0.04);
  CHECK(std::abs(fourths / count - 3) < 0.1);
  CHECK(std::abs(neighbours / count) < 0.01);
  CHECK(random.normal(12345) == Philox(7, 3).normal(12345));
}

}  // namespace
}  // namespace trustformers
