// The block formats of GGUF: their layouts in memory, and rows of them to and from float32.
// Layouts and rules are those of ggml's GGUF files; quantise and dequantise agree with the `gguf` package bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../tensor/dtype.h"

namespace trustformers {

// Where a comment says "halves", the low nibbles are the first half of the block and the high nibbles the second.
// d is the scale and m (or dmin) the scale of the minimum that is added (or subtracted).

struct BlockQ4_0 {  // d * (q - 8); halves
  f16 d;
  std::uint8_t qs[16];
};
struct BlockQ4_1 {  // d * q + m; halves
  f16 d, m;
  std::uint8_t qs[16];
};
struct BlockQ5_0 {  // d * (q - 16); halves, bit i of qh is bit 4 of element i
  f16 d;
  std::uint8_t qh[4];
  std::uint8_t qs[16];
};
struct BlockQ5_1 {  // d * q + m
  f16 d, m;
  std::uint8_t qh[4];
  std::uint8_t qs[16];
};
struct BlockQ8_0 {  // d * q
  f16 d;
  std::int8_t qs[32];
};
struct BlockQ2K {  // d * scale * q - dmin * minimum; 16 groups of 16, scale low nibble, minimum high nibble
  std::uint8_t scales[16];
  std::uint8_t qs[64];  // per 128 elements 32 bytes; 2 bits of a byte are elements 32 apart
  f16 d, dmin;
};
struct BlockQ3K {  // d * (scale - 32) * (q - 4 where the bit of hmask is 0)
  std::uint8_t hmask[32];
  std::uint8_t qs[64];
  std::uint8_t scales[12];  // 16 of 6 bits: low nibbles in 0..7, high pairs in 8..11
  f16 d;
};
struct BlockQ4K {  // d * scale * q - dmin * minimum; 8 groups of 32; see scale_min_k4
  f16 d, dmin;
  std::uint8_t scales[12];
  std::uint8_t qs[128];  // per 64 elements 32 bytes: low nibbles, then high nibbles
};
struct BlockQ5K {
  f16 d, dmin;
  std::uint8_t scales[12];
  std::uint8_t qh[32];  // bit g of byte i is bit 4 of element i of group g
  std::uint8_t qs[128];
};
struct BlockQ6K {  // d * scale * (q - 32); 16 groups of 16
  std::uint8_t ql[128];
  std::uint8_t qh[64];
  std::int8_t scales[16];
  f16 d;
};
struct BlockIQ1S {
  f16 d;
  std::uint8_t qs[32];
  std::uint16_t qh[8];  // per 32 elements: four times 3 high bits, 3 bits of scale, the sign of the shift
};
struct BlockIQ1M {
  std::uint8_t qs[32];
  std::uint8_t qh[16];
  std::uint16_t scales[4];  // 16 scales of 3 bits; the top nibbles together are d
};
struct BlockIQ2XXS {
  f16 d;
  std::uint16_t qs[32];  // per 32 elements: four bytes of indices, then four times 7 sign bits and 4 bits of scale
};
struct BlockIQ2XS {
  f16 d;
  std::uint16_t qs[32];  // 9 bits of index, 7 of signs
  std::uint8_t scales[8];
};
struct BlockIQ2S {
  f16 d;
  std::uint8_t qs[32];
  std::uint8_t signs[32];
  std::uint8_t qh[8];
  std::uint8_t scales[8];
};
struct BlockIQ3XXS {
  f16 d;
  std::uint8_t qs[64];
  std::uint8_t signs_and_scales[32];  // per 32 elements four bytes, as in IQ2_XXS
};
struct BlockIQ3S {
  f16 d;
  std::uint8_t qs[64];
  std::uint8_t qh[8];
  std::uint8_t signs[32];
  std::uint8_t scales[4];
};
struct BlockIQ4NL {  // d * iq4_levels[q]; halves
  f16 d;
  std::uint8_t qs[16];
};
struct BlockIQ4XS {  // d * (scale - 32) * iq4_levels[q]; 8 groups of 32, each in halves
  f16 d;
  std::uint16_t scales_h;
  std::uint8_t scales_l[4];
  std::uint8_t qs[128];
};
struct BlockTQ1_0 {  // d * (trit - 1); a byte holds ceil(x * 256 / 243) of five base-3 digits x
  std::uint8_t qs[48];
  std::uint8_t qh[4];  // four digits
  f16 d;
};
struct BlockTQ2_0 {  // d * (q - 1)
  std::uint8_t qs[64];
  f16 d;
};
struct BlockMXFP4 {  // 2^(e - 128) * fp4_levels[q]; halves
  std::uint8_t e;
  std::uint8_t qs[16];
};
struct BlockNVFP4 {  // four groups of 16, each with an unsigned E4M3 scale, half of which counts; halves in a group
  std::uint8_t d[4];
  std::uint8_t qs[32];
};

inline constexpr std::int8_t iq4_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};
/// Twice the values of E2M1 (OCP Microscaling Formats 1.0), so that they are whole.
inline constexpr std::int8_t fp4_levels[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/// Scale and minimum (6 bits each) of group `j` of 8, as Q4_K and Q5_K pack them.
struct ScaleMin {
  std::uint8_t scale, minimum;
};
inline ScaleMin scale_min_k4(const std::uint8_t* scales, int j) {
  if (j < 4) return {static_cast<std::uint8_t>(scales[j] & 63), static_cast<std::uint8_t>(scales[j + 4] & 63)};
  return {static_cast<std::uint8_t>((scales[j + 4] & 15) | ((scales[j - 4] >> 6) << 4)),
          static_cast<std::uint8_t>((scales[j + 4] >> 4) | ((scales[j] >> 6) << 4))};
}
/// The scale of a group of Q3_K, in [-32, 31].
inline int scale_k3(const std::uint8_t* scales, int j) {
  const int low = j < 8 ? scales[j] & 15 : scales[j - 8] >> 4;
  const int high = (scales[8 + (j & 3)] >> (2 * (j >> 2))) & 3;
  return (low | (high << 4)) - 32;
}
/// 2^(e - 128), subnormals included: the scale of MXFP4 with fp4_levels.
float e8m0_half(std::uint8_t e);
/// Half the value of an unsigned E4M3 number (0x7f counts as 0): the scale of NVFP4 with fp4_levels.
float ue4m3_half(std::uint8_t bits);

void dequantize_block(const BlockQ4_0& block, float* out);
void dequantize_block(const BlockQ4_1& block, float* out);
void dequantize_block(const BlockQ5_0& block, float* out);
void dequantize_block(const BlockQ5_1& block, float* out);
void dequantize_block(const BlockQ8_0& block, float* out);
void dequantize_block(const BlockQ2K& block, float* out);
void dequantize_block(const BlockQ3K& block, float* out);
void dequantize_block(const BlockQ4K& block, float* out);
void dequantize_block(const BlockQ5K& block, float* out);
void dequantize_block(const BlockQ6K& block, float* out);
void dequantize_block(const BlockIQ1S& block, float* out);
void dequantize_block(const BlockIQ1M& block, float* out);
void dequantize_block(const BlockIQ2XXS& block, float* out);
void dequantize_block(const BlockIQ2XS& block, float* out);
void dequantize_block(const BlockIQ2S& block, float* out);
void dequantize_block(const BlockIQ3XXS& block, float* out);
void dequantize_block(const BlockIQ3S& block, float* out);
void dequantize_block(const BlockIQ4NL& block, float* out);
void dequantize_block(const BlockIQ4XS& block, float* out);
void dequantize_block(const BlockTQ1_0& block, float* out);
void dequantize_block(const BlockTQ2_0& block, float* out);
void dequantize_block(const BlockMXFP4& block, float* out);
void dequantize_block(const BlockNVFP4& block, float* out);

/// Expands `elements` (a whole number of blocks) of a block format, f16, bf16 or f32. `blocks` needs no alignment.
/// Throws dtype_mismatch for other types and shape_mismatch for a partial block.
void dequantize_row(DType dtype, const std::byte* blocks, std::int64_t elements, float* out);

/// The types quantize_row can write: q4_0, q4_1, q5_0, q5_1, q8_0, tq1_0, tq2_0, mxfp4, and f32, f16, bf16.
bool can_quantize(DType dtype);
/// Rounds `elements` (a whole number of blocks) values to `dtype`. Throws unsupported for types it cannot write,
/// shape_mismatch for a partial block, and numeric where a block holds NaN, infinity, or needs a scale beyond float16.
void quantize_row(DType dtype, const float* values, std::int64_t elements, std::byte* blocks);

}  // namespace trustformers
