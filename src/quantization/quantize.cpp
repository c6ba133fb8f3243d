// Float32 rows to block formats. The arithmetic (order of operations, reciprocals, rounding) follows ggml, so that
// files made here and there have the same bytes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include "../base/error.h"
#include "blocks.h"

namespace trustformers {
namespace {

/// The value of the largest magnitude, the first of equals.
float extreme(std::span<const float> values) {
  float best = 0;
  for (const float value : values)
    if (std::fabs(value) > std::fabs(best)) best = value;
  return best;
}

/// 1 / d, or 0 where that overflows: such a block is all zeros.
float reciprocal(float d) {
  if (d == 0) return 0;
  const float inverse = 1.0f / d;
  return std::isfinite(inverse) ? inverse : 0.0f;
}

f16 half_scale(float d) {
  check(std::fabs(d) < 65520.0f, ErrorCode::numeric, "[quantize] a block needs the scale ", d, ", beyond float16");
  return to_f16(d);
}

int clamp_code(float value, int top) { return std::clamp(static_cast<int>(value), 0, top); }

/// Codes of 32 values to nibbles in halves; bit 4 goes to `qh` where there is one.
void pack_halves(const int (&codes)[32], std::uint8_t (&qs)[16], std::uint8_t* qh) {
  for (int i = 0; i < 16; ++i) qs[i] = static_cast<std::uint8_t>((codes[i] & 15) | ((codes[i + 16] & 15) << 4));
  if (!qh) return;
  std::memset(qh, 0, 4);
  for (int i = 0; i < 32; ++i) qh[i / 8] = static_cast<std::uint8_t>(qh[i / 8] | ((codes[i] >> 4) << (i % 8)));
}

/// Codes around `half`: the extreme value becomes code 0.
f16 symmetric_codes(std::span<const float> x, int half, int (&codes)[32]) {
  const float d = extreme(x) / static_cast<float>(-half);
  const f16 scale = half_scale(d);
  const float inverse = reciprocal(d);
  for (int i = 0; i < 32; ++i) codes[i] = clamp_code(x[i] * inverse + (static_cast<float>(half) + 0.5f), 2 * half - 1);
  return scale;
}

/// Codes from the minimum to the maximum.
void affine_codes(std::span<const float> x, int top, int (&codes)[32], f16& d_out, f16& m_out) {
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  const float minimum = *low, d = (*high - minimum) / static_cast<float>(top), inverse = reciprocal(d);
  d_out = half_scale(d);
  m_out = half_scale(minimum);
  for (int i = 0; i < 32; ++i) codes[i] = clamp_code((x[i] - minimum) * inverse + 0.5f, top);
}

void quantize_block(std::span<const float> x, BlockQ4_0& block) {
  int codes[32];
  block.d = symmetric_codes(x, 8, codes);
  pack_halves(codes, block.qs, nullptr);
}

void quantize_block(std::span<const float> x, BlockQ4_1& block) {
  int codes[32];
  affine_codes(x, 15, codes, block.d, block.m);
  pack_halves(codes, block.qs, nullptr);
}

void quantize_block(std::span<const float> x, BlockQ5_0& block) {
  int codes[32];
  block.d = symmetric_codes(x, 16, codes);
  pack_halves(codes, block.qs, block.qh);
}

void quantize_block(std::span<const float> x, BlockQ5_1& block) {
  int codes[32];
  affine_codes(x, 31, codes, block.d, block.m);
  pack_halves(codes, block.qs, block.qh);
}

void quantize_block(std::span<const float> x, BlockQ8_0& block) {
  const float d = std::fabs(extreme(x)) / 127.0f, inverse = reciprocal(d);
  block.d = half_scale(d);
  for (int i = 0; i < 32; ++i) block.qs[i] = static_cast<std::int8_t>(std::round(x[i] * inverse));
}

void quantize_block(std::span<const float> x, BlockTQ1_0& block) {
  const float d = std::fabs(extreme(x)), inverse = reciprocal(d);
  block.d = half_scale(d);
  const float* from = x.data();
  const auto digits = [&](std::uint8_t* qs, int bytes, int count) {
    for (int i = 0; i < bytes; ++i) {
      int number = 0;
      for (int digit = 0; digit < 5; ++digit) {
        const int trit = digit < count ? static_cast<int>(std::round(from[digit * bytes + i] * inverse)) + 1 : 0;
        number = number * 3 + trit;
      }
      qs[i] = static_cast<std::uint8_t>((number * 256 + 242) / 243);  // rounded up: see BlockTQ1_0
    }
    from += bytes * count;
  };
  digits(block.qs, 32, 5);
  digits(block.qs + 32, 16, 5);
  digits(block.qh, 4, 4);
}

void quantize_block(std::span<const float> x, BlockTQ2_0& block) {
  const float d = std::fabs(extreme(x)), inverse = reciprocal(d);
  block.d = half_scale(d);
  std::memset(block.qs, 0, sizeof(block.qs));
  for (int at = 0; at < 256; ++at) {
    const int code = static_cast<int>(std::round(x[at] * inverse)) + 1;
    std::uint8_t& byte = block.qs[at / 128 * 32 + at % 32];
    byte = static_cast<std::uint8_t>(byte | (code << (at % 128 / 32 * 2)));
  }
}

void quantize_block(std::span<const float> x, BlockMXFP4& block) {
  const float largest = std::fabs(extreme(x));
  // 4 = 2^2 is the largest power of two of E2M1, so the scale is two powers below the largest value's.
  block.e = 0;
  if (largest > 0)
    block.e = static_cast<std::uint8_t>(std::clamp(std::floor(std::log2(largest)) - 2.0f + 127.0f, 0.0f, 254.0f));
  const float d = e8m0_half(block.e);
  int codes[32];
  for (int i = 0; i < 32; ++i) {
    float best = std::numeric_limits<float>::infinity();
    for (int code = 0; code < 16; ++code) {
      const float error = std::fabs(d * static_cast<float>(fp4_levels[code]) - x[i]);
      if (error < best) best = error, codes[i] = code;
    }
  }
  pack_halves(codes, block.qs, nullptr);
}

template <class Block>
void quantize_blocks(const float* values, std::int64_t elements, std::byte* bytes, int block_elements) {
  for (std::int64_t i = 0; i < elements; i += block_elements, bytes += sizeof(Block)) {
    const std::span<const float> x(values + i, static_cast<std::size_t>(block_elements));
    check(std::all_of(x.begin(), x.end(), [](float v) { return std::isfinite(v); }), ErrorCode::numeric,
          "[quantize] values must be finite: NaN or infinity in the block at element ", i);
    Block block;
    quantize_block(x, block);
    std::memcpy(bytes, &block, sizeof(Block));
  }
}

template <class Half, class Round>
void narrow(const float* values, std::int64_t elements, std::byte* bytes, Round round) {
  for (std::int64_t i = 0; i < elements; ++i, bytes += sizeof(Half)) {
    const Half value = round(values[i]);
    std::memcpy(bytes, &value, sizeof(Half));
  }
}

}  // namespace

bool can_quantize(DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::f16:
    case DType::bf16:
    case DType::q4_0:
    case DType::q4_1:
    case DType::q5_0:
    case DType::q5_1:
    case DType::q8_0:
    case DType::tq1_0:
    case DType::tq2_0:
    case DType::mxfp4: return true;
    default: return false;
  }
}

void quantize_row(DType dtype, const float* values, std::int64_t elements, std::byte* blocks) {
  check(can_quantize(dtype), ErrorCode::unsupported, "[quantize] cannot write ", to_string(dtype), ", only read it");
  const std::int64_t bytes = byte_size(dtype, elements);  // refuses partial blocks
  const int size = info(dtype).block_elements;
  switch (dtype) {
    case DType::f32:
      if (bytes > 0) std::memcpy(blocks, values, static_cast<std::size_t>(bytes));
      return;
    case DType::f16: return narrow<f16>(values, elements, blocks, to_f16);
    case DType::bf16: return narrow<bf16>(values, elements, blocks, to_bf16);
    case DType::q4_0: return quantize_blocks<BlockQ4_0>(values, elements, blocks, size);
    case DType::q4_1: return quantize_blocks<BlockQ4_1>(values, elements, blocks, size);
    case DType::q5_0: return quantize_blocks<BlockQ5_0>(values, elements, blocks, size);
    case DType::q5_1: return quantize_blocks<BlockQ5_1>(values, elements, blocks, size);
    case DType::q8_0: return quantize_blocks<BlockQ8_0>(values, elements, blocks, size);
    case DType::tq1_0: return quantize_blocks<BlockTQ1_0>(values, elements, blocks, size);
    case DType::tq2_0: return quantize_blocks<BlockTQ2_0>(values, elements, blocks, size);
    default: return quantize_blocks<BlockMXFP4>(values, elements, blocks, size);
  }
}

}  // namespace trustformers
