#include "rng.h"

#include <cmath>
#include <numbers>

namespace trustformers {
namespace {

std::array<std::uint32_t, 4> block(std::uint64_t seed, std::uint64_t stream, std::uint64_t position) {
  return philox4x32({static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32),
                     static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)},
                    {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
}

/// The upper 53 bits of two words, in [0, 2^53).
double mantissa(std::uint32_t low, std::uint32_t high) {
  return static_cast<double>(((std::uint64_t{high} << 32) | low) >> 11);
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t{0xd2511f53u} * counter[0];
    const std::uint64_t second = std::uint64_t{0xcd9e8d57u} * counter[2];
    counter = {static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(first)};
    key[0] += 0x9e3779b9u;
    key[1] += 0xbb67ae85u;
  }
  return counter;
}

std::uint32_t Philox::bits(std::uint64_t index) const { return block(seed_, stream_, index / 4)[index % 4]; }

float Philox::uniform(std::uint64_t index) const { return static_cast<float>(bits(index) >> 8) * 0x1p-24f; }

double Philox::uniform_double(std::uint64_t index) const {
  const auto words = block(seed_, stream_, index / 2);
  const auto at = static_cast<std::size_t>(2 * (index % 2));
  return mantissa(words[at], words[at + 1]) * 0x1p-53;
}

float Philox::normal(std::uint64_t index) const {
  const auto words = block(seed_, stream_, index);
  const double radius_uniform = (mantissa(words[0], words[1]) + 1) * 0x1p-53;  // in (0, 1]: its logarithm is finite
  const double angle = 2 * std::numbers::pi * (mantissa(words[2], words[3]) * 0x1p-53);
  return static_cast<float>(std::sqrt(-2 * std::log(radius_uniform)) * std::cos(angle));
}

}  // namespace trustformers
