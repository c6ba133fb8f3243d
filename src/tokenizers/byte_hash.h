// A hash of byte strings, eight bytes at a time.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace trustformers {

/// The number stays in this process, so the order of bytes does not matter.
inline std::uint32_t byte_hash(std::string_view text) {
  constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15u;
  const auto load = [](const char* from, auto word) -> std::uint64_t {
    std::memcpy(&word, from, sizeof(word));
    return word;
  };
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t h = left * 0xD6E8FEB86659FD93u;
  const auto mix = [&](std::uint64_t word) {
    h = (h ^ word) * multiplier;
    h ^= h >> 32;
  };
  for (; left > 8; at += 8, left -= 8) mix(load(at, std::uint64_t{}));
  if (left >= 4) {  // both ends, which may overlap
    mix(load(at, std::uint32_t{}) << 32 | load(at + left - 4, std::uint32_t{}));
  } else if (left > 0) {
    mix(load(at, std::uint8_t{}) << 16 | load(at + left / 2, std::uint8_t{}) << 8 |
        load(at + left - 1, std::uint8_t{}));
  }
  h *= multiplier;
  return static_cast<std::uint32_t>(h >> 32);
}

}  // namespace trustformers
