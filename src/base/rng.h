// Counter-based random numbers (Philox4x32-10, Salmon et al. 2011): the same seed gives the same numbers on every
// backend and for every thread count, because element i depends on (seed, stream, i) alone.
#pragma once

#include <array>
#include <cstdint>

namespace trustformers {

/// The four 32-bit words of Philox4x32-10 for a 128-bit counter and a 64-bit key.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// A stream of random numbers addressed by position. All kinds of numbers are made from the same words (the counter is
/// {position low, position high, stream low, stream high}, the key is the seed): give each use its own stream.
class Philox {
 public:
  explicit Philox(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}
  /// Word index % 4 at position index / 4.
  std::uint32_t bits(std::uint64_t index) const;
  /// In [0, 1), 24 random bits.
  float uniform(std::uint64_t index) const;
  /// In [0, 1), 53 random bits.
  double uniform_double(std::uint64_t index) const;
  /// Standard normal (Box-Muller on the four words at position `index`, computed in double so that every backend rounds
  /// the same value).
  float normal(std::uint64_t index) const;

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
};

}  // namespace trustformers
