// Dequantisation of the IQ1, IQ2 and IQ3 formats: points of a code book, signs, and scales of few bits.
#include <bit>
#include <cstring>

#include "blocks.h"
#include "iq_grids.h"

namespace trustformers {
namespace {

/// Eight sign bits of which seven are stored: the last makes the number of minus signs even.
unsigned full_signs(unsigned seven) { return seven | (static_cast<unsigned>(std::popcount(seven) & 1) << 7); }

float with_sign(float value, unsigned signs, int i) { return (signs >> i) & 1 ? -value : value; }

/// scale * level * sign for the 8 coordinates of an entry of 2-bit indices.
void decode_iq2(float scale, unsigned entry, unsigned signs, float* out) {
  for (int i = 0; i < 8; ++i) out[i] = with_sign(scale * iq2_levels[(entry >> (2 * i)) & 3], signs, i);
}

/// The same for 4 coordinates of 3 bits, with the signs that start at bit `first`.
void decode_iq3(float scale, const std::array<float, 8>& levels, unsigned entry, unsigned signs, int first,
                float* out) {
  for (int i = 0; i < 4; ++i) out[i] = with_sign(scale * levels[(entry >> (3 * i)) & 7], signs, first + i);
}

/// scale * (level + shift) for the 8 coordinates of an entry of IQ1.
void decode_iq1(float scale, float shift, unsigned entry, float* out) {
  for (int i = 0; i < 8; ++i) out[i] = scale * (iq1_levels[(entry >> (2 * i)) & 3] + shift);
}

unsigned nibble(const std::uint8_t* bytes, int i) { return (bytes[i / 2] >> (i % 2 * 4)) & 15u; }

}  // namespace

void dequantize_block(const BlockIQ2XXS& block, float* out) {
  const float d = to_float(block.d);
  for (int group = 0; group < 8; ++group, out += 32) {
    std::uint32_t words[2];
    std::memcpy(words, block.qs + group * 4, sizeof(words));
    const float scale = d * (0.5f + static_cast<float>(words[1] >> 28)) * 0.25f;
    for (int part = 0; part < 4; ++part)
      decode_iq2(scale, iq2_xxs_grid[(words[0] >> (8 * part)) & 255], full_signs((words[1] >> (7 * part)) & 127),
                 out + part * 8);
  }
}

void dequantize_block(const BlockIQ2XS& block, float* out) {
  const float d = to_float(block.d);
  for (int part = 0; part < 32; ++part) {
    const float scale = d * (0.5f + static_cast<float>(nibble(block.scales, part / 2))) * 0.25f;
    const unsigned code = block.qs[part];
    decode_iq2(scale, iq2_xs_grid[code & 511], full_signs(code >> 9), out + part * 8);
  }
}

void dequantize_block(const BlockIQ2S& block, float* out) {
  const float d = to_float(block.d);
  for (int part = 0; part < 32; ++part) {
    const float scale = d * (0.5f + static_cast<float>(nibble(block.scales, part / 2))) * 0.25f;
    const unsigned high = (block.qh[part / 4] >> (part % 4 * 2)) & 3u;
    decode_iq2(scale, iq2_s_grid[block.qs[part] | (high << 8)], block.signs[part], out + part * 8);
  }
}

void dequantize_block(const BlockIQ3XXS& block, float* out) {
  const float d = to_float(block.d);
  for (int group = 0; group < 8; ++group) {
    std::uint32_t word;
    std::memcpy(&word, block.signs_and_scales + group * 4, sizeof(word));
    const float scale = d * (0.5f + static_cast<float>(word >> 28)) * 0.5f;
    for (int part = 0; part < 8; ++part) {
      const unsigned signs = full_signs((word >> (part / 2 * 7)) & 127);
      decode_iq3(scale, iq3_xxs_levels, iq3_xxs_grid[block.qs[group * 8 + part]], signs, part % 2 * 4,
                 out + group * 32 + part * 4);
    }
  }
}

void dequantize_block(const BlockIQ3S& block, float* out) {
  const float d = to_float(block.d);
  for (int part = 0; part < 64; ++part) {
    const float scale = d * static_cast<float>(1 + 2 * nibble(block.scales, part / 8));
    const unsigned high = (block.qh[part / 8] >> (part % 8)) & 1u;
    decode_iq3(scale, iq3_s_levels, iq3_s_grid[block.qs[part] | (high << 8)], block.signs[part / 2], part % 2 * 4,
               out + part * 4);
  }
}

void dequantize_block(const BlockIQ1S& block, float* out) {
  const float d = to_float(block.d);
  for (int part = 0; part < 32; ++part) {
    const unsigned word = block.qh[part / 4];
    const float scale = d * static_cast<float>(2 * ((word >> 12) & 7) + 1);
    const unsigned high = (word >> (part % 4 * 3)) & 7;
    decode_iq1(scale, word & 0x8000 ? -0.125f : 0.125f, iq1_grid[block.qs[part] | (high << 8)], out + part * 8);
  }
}

void dequantize_block(const BlockIQ1M& block, float* out) {
  unsigned bits = 0;
  for (int i = 0; i < 4; ++i) bits |= static_cast<unsigned>(block.scales[i] >> 12) << (4 * i);
  const float d = to_float(f16{static_cast<std::uint16_t>(bits)});
  for (int part = 0; part < 32; ++part) {
    const int group = part / 2;  // 16 elements share a scale
    const float scale = d * static_cast<float>(2 * ((block.scales[group / 4] >> (group % 4 * 3)) & 7) + 1);
    const unsigned high = nibble(block.qh, part);
    decode_iq1(scale, high & 8 ? -0.125f : 0.125f, iq1_grid[block.qs[part] | ((high & 7) << 8)], out + part * 8);
  }
}

}  // namespace trustformers
