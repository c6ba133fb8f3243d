#include "blocks.h"

#include <bit>
#include <cstring>

#include "../base/error.h"

namespace trustformers {
namespace {

template <class Block>
void dequantize_blocks(const std::byte* bytes, std::int64_t elements, float* out, int block_elements) {
  for (std::int64_t i = 0; i < elements; i += block_elements, bytes += sizeof(Block), out += block_elements) {
    Block block;  // a copy, because blocks in a file need not be aligned
    std::memcpy(&block, bytes, sizeof(Block));
    dequantize_block(block, out);
  }
}

template <class Half>
void widen(const std::byte* bytes, std::int64_t elements, float* out) {
  for (std::int64_t i = 0; i < elements; ++i) {
    Half value;
    std::memcpy(&value, bytes + i * static_cast<std::int64_t>(sizeof(Half)), sizeof(Half));
    out[i] = to_float(value);
  }
}

/// The 4-bit codes of `bytes` bytes: low nibbles first, then high nibbles.
template <class Decode>
void decode_halves(const std::uint8_t* qs, int bytes, float* out, Decode decode) {
  for (int i = 0; i < bytes; ++i) {
    out[i] = decode(qs[i] & 15);
    out[i + bytes] = decode(qs[i] >> 4);
  }
}

/// The 5-bit codes of a Q5 block: halves of low nibbles, bit 4 from qh.
template <class Decode>
void decode_q5(const std::uint8_t* qs, const std::uint8_t* qh, float* out, Decode decode) {
  for (int i = 0; i < 32; ++i) {
    const int low = i < 16 ? qs[i] & 15 : qs[i - 16] >> 4;
    const int high = (qh[i / 8] >> (i % 8)) & 1;
    out[i] = decode(low | (high << 4));
  }
}

}  // namespace

float e8m0_half(std::uint8_t e) {
  // Below 2 the result is subnormal and the exponent field cannot express it.
  const std::uint32_t bits = e < 2 ? std::uint32_t{0x00200000} << e : static_cast<std::uint32_t>(e - 1) << 23;
  return std::bit_cast<float>(bits);
}

float ue4m3_half(std::uint8_t bits) {
  if (bits == 0x7f) return 0;
  const int exponent = (bits >> 3) & 15;
  const auto mantissa = static_cast<float>(bits & 7);
  if (exponent == 0) return mantissa * 0x1p-10f;
  // A power of two 2^(exponent - 8) built from its bits.
  const float power = std::bit_cast<float>(static_cast<std::uint32_t>(exponent - 8 + 127) << 23);
  return (1.0f + mantissa / 8.0f) * power;
}

void dequantize_block(const BlockQ4_0& block, float* out) {
  const float d = to_float(block.d);
  decode_halves(block.qs, 16, out, [d](int q) { return d * static_cast<float>(q - 8); });
}

void dequantize_block(const BlockQ4_1& block, float* out) {
  const float d = to_float(block.d), m = to_float(block.m);
  decode_halves(block.qs, 16, out, [d, m](int q) { return d * static_cast<float>(q) + m; });
}

void dequantize_block(const BlockQ5_0& block, float* out) {
  const float d = to_float(block.d);
  decode_q5(block.qs, block.qh, out, [d](int q) { return d * static_cast<float>(q - 16); });
}

void dequantize_block(const BlockQ5_1& block, float* out) {
  const float d = to_float(block.d), m = to_float(block.m);
  decode_q5(block.qs, block.qh, out, [d, m](int q) { return d * static_cast<float>(q) + m; });
}

void dequantize_block(const BlockQ8_0& block, float* out) {
  const float d = to_float(block.d);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(block.qs[i]) * d;
}

void dequantize_block(const BlockQ2K& block, float* out) {
  const float d = to_float(block.d), dmin = to_float(block.dmin);
  for (int group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(block.scales[group] & 15);
    const float minimum = dmin * static_cast<float>(block.scales[group] >> 4);
    for (int i = 0; i < 16; ++i) {
      const int at = group * 16 + i;  // element: 128 a half, 32 a bit pair
      const int q = (block.qs[at / 128 * 32 + at % 32] >> (at % 128 / 32 * 2)) & 3;
      out[at] = scale * static_cast<float>(q) - minimum;
    }
  }
}

void dequantize_block(const BlockQ3K& block, float* out) {
  const float d = to_float(block.d);
  for (int group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(scale_k3(block.scales, group));
    for (int i = 0; i < 16; ++i) {
      const int at = group * 16 + i;
      const int low = (block.qs[at / 128 * 32 + at % 32] >> (at % 128 / 32 * 2)) & 3;
      const int high = (block.hmask[at % 32] >> (at / 32)) & 1;
      out[at] = scale * static_cast<float>(low - (high ? 0 : 4));
    }
  }
}

void dequantize_block(const BlockQ4K& block, float* out) {
  const float d = to_float(block.d), dmin = to_float(block.dmin);
  for (int group = 0; group < 8; ++group) {
    const auto [scale, minimum] = scale_min_k4(block.scales, group);
    const float dl = d * static_cast<float>(scale), ml = dmin * static_cast<float>(minimum);
    const std::uint8_t* qs = block.qs + group / 2 * 32;
    const int shift = group % 2 * 4;
    for (int i = 0; i < 32; ++i) out[group * 32 + i] = dl * static_cast<float>((qs[i] >> shift) & 15) - ml;
  }
}

void dequantize_block(const BlockQ5K& block, float* out) {
  const float d = to_float(block.d), dmin = to_float(block.dmin);
  for (int group = 0; group < 8; ++group) {
    const auto [scale, minimum] = scale_min_k4(block.scales, group);
    const float dl = d * static_cast<float>(scale), ml = dmin * static_cast<float>(minimum);
    const std::uint8_t* qs = block.qs + group / 2 * 32;
    const int shift = group % 2 * 4;
    for (int i = 0; i < 32; ++i) {
      const int q = ((qs[i] >> shift) & 15) | (((block.qh[i] >> group) & 1) << 4);
      out[group * 32 + i] = dl * static_cast<float>(q) - ml;
    }
  }
}

void dequantize_block(const BlockQ6K& block, float* out) {
  const float d = to_float(block.d);
  for (int group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(block.scales[group]);
    for (int i = 0; i < 16; ++i) {
      const int at = group * 16 + i, half = at / 128, quarter = at % 128 / 32;
      const int low = (block.ql[half * 64 + quarter % 2 * 32 + at % 32] >> (quarter / 2 * 4)) & 15;
      const int high = (block.qh[half * 32 + at % 32] >> (quarter * 2)) & 3;
      out[at] = scale * static_cast<float>((low | (high << 4)) - 32);
    }
  }
}

void dequantize_block(const BlockTQ1_0& block, float* out) {
  const float d = to_float(block.d);
  // Multiplying the stored fraction by a power of three moves a digit to the top; times three, its carry is the digit.
  const auto digits = [&](const std::uint8_t* qs, int bytes, int count) {
    int power = 1;
    for (int digit = 0; digit < count; ++digit, power *= 3)
      for (int i = 0; i < bytes; ++i) {
        const int fraction = qs[i] * power & 255;
        *out++ = d * static_cast<float>((fraction * 3 >> 8) - 1);
      }
  };
  digits(block.qs, 32, 5);
  digits(block.qs + 32, 16, 5);
  digits(block.qh, 4, 4);
}

void dequantize_block(const BlockTQ2_0& block, float* out) {
  const float d = to_float(block.d);
  for (int at = 0; at < 256; ++at) {
    const int q = (block.qs[at / 128 * 32 + at % 32] >> (at % 128 / 32 * 2)) & 3;
    out[at] = d * static_cast<float>(q - 1);
  }
}

void dequantize_block(const BlockMXFP4& block, float* out) {
  const float d = e8m0_half(block.e);
  decode_halves(block.qs, 16, out, [d](int q) { return d * static_cast<float>(fp4_levels[q]); });
}

void dequantize_block(const BlockNVFP4& block, float* out) {
  for (int group = 0; group < 4; ++group) {
    const float d = ue4m3_half(block.d[group]);
    decode_halves(block.qs + group * 8, 8, out + group * 16,
                  [d](int q) { return d * static_cast<float>(fp4_levels[q]); });
  }
}

void dequantize_block(const BlockIQ4NL& block, float* out) {
  const float d = to_float(block.d);
  decode_halves(block.qs, 16, out, [d](int q) { return d * static_cast<float>(iq4_levels[q]); });
}

void dequantize_block(const BlockIQ4XS& block, float* out) {
  const float d = to_float(block.d);
  for (int group = 0; group < 8; ++group) {
    const int low = (block.scales_l[group / 2] >> (group % 2 * 4)) & 15;
    const int high = (block.scales_h >> (2 * group)) & 3;
    const float scale = d * static_cast<float>((low | (high << 4)) - 32);
    decode_halves(block.qs + group * 16, 16, out + group * 32,
                  [scale](int q) { return scale * static_cast<float>(iq4_levels[q]); });
  }
}

void dequantize_row(DType dtype, const std::byte* blocks, std::int64_t elements, float* out) {
  const auto expand = [&]<class Block>(Block) {
    const DTypeInfo& type = info(dtype);
    check(type.block_bytes == static_cast<int>(sizeof(Block)), ErrorCode::internal, "[dequantize] ", type.name);
    dequantize_blocks<Block>(blocks, elements, out, type.block_elements);
  };
  const std::int64_t bytes = byte_size(dtype, elements);  // refuses partial blocks
  switch (dtype) {
    case DType::f32:
      if (bytes > 0) std::memcpy(out, blocks, static_cast<std::size_t>(bytes));
      return;
    case DType::f16: return widen<f16>(blocks, elements, out);
    case DType::bf16: return widen<bf16>(blocks, elements, out);
    case DType::q4_0: return expand(BlockQ4_0());
    case DType::q4_1: return expand(BlockQ4_1());
    case DType::q5_0: return expand(BlockQ5_0());
    case DType::q5_1: return expand(BlockQ5_1());
    case DType::q8_0: return expand(BlockQ8_0());
    case DType::q2_k: return expand(BlockQ2K());
    case DType::q3_k: return expand(BlockQ3K());
    case DType::q4_k: return expand(BlockQ4K());
    case DType::q5_k: return expand(BlockQ5K());
    case DType::q6_k: return expand(BlockQ6K());
    case DType::iq1_s: return expand(BlockIQ1S());
    case DType::iq1_m: return expand(BlockIQ1M());
    case DType::iq2_xxs: return expand(BlockIQ2XXS());
    case DType::iq2_xs: return expand(BlockIQ2XS());
    case DType::iq2_s: return expand(BlockIQ2S());
    case DType::iq3_xxs: return expand(BlockIQ3XXS());
    case DType::iq3_s: return expand(BlockIQ3S());
    case DType::iq4_nl: return expand(BlockIQ4NL());
    case DType::iq4_xs: return expand(BlockIQ4XS());
    case DType::tq1_0: return expand(BlockTQ1_0());
    case DType::tq2_0: return expand(BlockTQ2_0());
    case DType::mxfp4: return expand(BlockMXFP4());
    case DType::nvfp4: return expand(BlockNVFP4());
    default:
      fail(ErrorCode::dtype_mismatch, "[dequantize] expected a block format or f32, f16, bf16, got ", to_string(dtype));
  }
}

}  // namespace trustformers
