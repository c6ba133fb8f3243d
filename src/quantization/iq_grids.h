// Code books of the IQ block formats. An entry is a point of a small lattice: its coordinates are indices of 2 bits
// (8 coordinates) or 3 bits (4 coordinates), the first one lowest; the levels they stand for are listed beside each
// book.
#pragma once

#include <array>
#include <cstdint>

namespace trustformers {

inline constexpr std::array<float, 4> iq2_levels = {8, 25, 43, 0};  // 2 bits; the last index does not occur
extern const std::array<std::uint16_t, 256> iq2_xxs_grid;
extern const std::array<std::uint16_t, 512> iq2_xs_grid;
extern const std::array<std::uint16_t, 1024> iq2_s_grid;

inline constexpr std::array<float, 8> iq3_xxs_levels = {4, 12, 20, 28, 36, 44, 52, 62};  // 3 bits
extern const std::array<std::uint16_t, 256> iq3_xxs_grid;

inline constexpr std::array<float, 8> iq3_s_levels = {1, 3, 5, 7, 9, 11, 13, 15};  // 3 bits
extern const std::array<std::uint16_t, 512> iq3_s_grid;

inline constexpr std::array<float, 4> iq1_levels = {-1, 0, 1, 0};  // 2 bits; the last index does not occur
extern const std::array<std::uint16_t, 2048> iq1_grid;

}  // namespace trustformers
