// The SIMD vocabulary, and its plain C++ back end: the contract that the other back ends keep.
//
// A vector is eight floats (F32), eight 32-bit integers (I32) or 32 bytes (Bytes). Each vector_*.h defines the same
// names in the namespace of its ISA; kernels are written once over them and compiled once per ISA. Only `fma` may
// differ between ISAs: one rounding where the machine has the instruction, two elsewhere. Nothing here may call
// functions that other translation units also define: the linker would be free to keep the copy of any ISA.
#pragma once

#include <cstdint>

namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE {

inline constexpr int lanes = 8;

struct F32 {
  float v[8];
};
struct I32 {
  std::int32_t v[8];
};
struct Bytes {
  std::uint8_t v[32];
};
struct Mask {
  bool v[8];
};

template <class To, class From>
inline To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof(To));
  return to;
}
template <class T, class F>
inline T lanewise(F f) {
  T r;
  for (int i = 0; i < 8; ++i) r.v[i] = f(i);
  return r;
}

inline F32 load(const float* p) {
  return lanewise<F32>([&](int i) { return p[i]; });
}
inline void store(float* p, F32 a) {
  for (int i = 0; i < 8; ++i) p[i] = a.v[i];
}
inline F32 splat(float a) {
  return lanewise<F32>([&](int) { return a; });
}
inline F32 zero() { return splat(0); }
/// The first `count` (0 to 8) lanes; the others are zero and their memory is not touched.
inline F32 load_first(const float* p, int count) {
  return lanewise<F32>([&](int i) { return i < count ? p[i] : 0.0f; });
}
inline void store_first(float* p, F32 a, int count) {
  for (int i = 0; i < count; ++i) p[i] = a.v[i];
}
/// Lanes from `count` on are taken from `rest`.
inline F32 keep_first(F32 a, int count, F32 rest) {
  return lanewise<F32>([&](int i) { return i < count ? a.v[i] : rest.v[i]; });
}

inline F32 load_f16(const std::uint16_t* p) {
  return lanewise<F32>([&](int i) {
    const std::uint32_t sign = (p[i] & 0x8000u) << 16;
    const std::uint32_t rest = p[i] & 0x7fffu;
    if (rest >= 0x7c00u) return bits_as<float>(sign | 0x7f800000u | ((rest & 0x3ffu) << 13));
    // 2^112 re-biases the exponent, subnormals included.
    const float magnitude = bits_as<float>(rest << 13) * bits_as<float>(0x77800000u);
    return bits_as<float>(sign | bits_as<std::uint32_t>(magnitude));
  });
}
inline F32 load_bf16(const std::uint16_t* p) {
  return lanewise<F32>([&](int i) { return bits_as<float>(static_cast<std::uint32_t>(p[i]) << 16); });
}
inline I32 load_u8(const std::uint8_t* p) {
  return lanewise<I32>([&](int i) -> std::int32_t { return p[i]; });
}
inline I32 load_i8(const std::int8_t* p) {
  return lanewise<I32>([&](int i) -> std::int32_t { return p[i]; });
}

inline F32 operator+(F32 a, F32 b) {
  return lanewise<F32>([&](int i) { return a.v[i] + b.v[i]; });
}
inline F32 operator-(F32 a, F32 b) {
  return lanewise<F32>([&](int i) { return a.v[i] - b.v[i]; });
}
inline F32 operator*(F32 a, F32 b) {
  return lanewise<F32>([&](int i) { return a.v[i] * b.v[i]; });
}
inline F32 operator/(F32 a, F32 b) {
  return lanewise<F32>([&](int i) { return a.v[i] / b.v[i]; });
}
/// a · b + c
inline F32 fma(F32 a, F32 b, F32 c) {
  return lanewise<F32>([&](int i) { return a.v[i] * b.v[i] + c.v[i]; });
}
/// b where either lane is NaN.
inline F32 max(F32 a, F32 b) {
  return lanewise<F32>([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
inline F32 min(F32 a, F32 b) {
  return lanewise<F32>([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
inline F32 abs(F32 a) {
  return lanewise<F32>([&](int i) { return __builtin_fabsf(a.v[i]); });
}
inline F32 copy_sign(F32 magnitude, F32 sign) {
  return lanewise<F32>([&](int i) { return __builtin_copysignf(magnitude.v[i], sign.v[i]); });
}

inline Mask operator<(F32 a, F32 b) {
  return lanewise<Mask>([&](int i) { return a.v[i] < b.v[i]; });
}
inline F32 select(Mask m, F32 yes, F32 no) {
  return lanewise<F32>([&](int i) { return m.v[i] ? yes.v[i] : no.v[i]; });
}

/// The sum of the lanes, in the order ((0+4)+(2+6)) + ((1+5)+(3+7)) on every ISA.
inline float sum(F32 a) {
  const float* v = a.v;
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}
/// The greatest lane; unspecified where a lane is NaN.
inline float max_lane(F32 a) {
  float r = a.v[0];
  for (int i = 1; i < 8; ++i) r = r > a.v[i] ? r : a.v[i];
  return r;
}

inline I32 splat_i32(std::int32_t a) {
  return lanewise<I32>([&](int) { return a; });
}
inline I32 operator+(I32 a, I32 b) {
  return lanewise<I32>([&](int i) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a.v[i]) + static_cast<std::uint32_t>(b.v[i]));
  });
}
inline I32 operator-(I32 a, I32 b) {
  return lanewise<I32>([&](int i) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a.v[i]) - static_cast<std::uint32_t>(b.v[i]));
  });
}
template <int n>
inline I32 shift_left(I32 a) {
  return lanewise<I32>([&](int i) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(a.v[i]) << n); });
}
/// Arithmetic.
template <int n>
inline I32 shift_right(I32 a) {
  return lanewise<I32>([&](int i) { return a.v[i] >> n; });
}
/// To nearest, ties to even. Outside the range of int32 or NaN: unspecified, no trap.
inline I32 round_to_i32(F32 a) {
  return lanewise<I32>([&](int i) {
    // Adding 1.5 · 2^23 leaves the rounded integer in the low bits of the mantissa; larger values are integers already.
    const float x = a.v[i];
    if (x > -4194304.0f && x < 4194304.0f) return bits_as<std::int32_t>(x + 12582912.0f) - 0x4b400000;
    return x > -2147483648.0f && x < 2147483648.0f ? static_cast<std::int32_t>(x) : INT32_MIN;
  });
}
inline F32 to_f32(I32 a) {
  return lanewise<F32>([&](int i) { return static_cast<float>(a.v[i]); });
}
inline F32 as_f32(I32 a) { return bits_as<F32>(a); }
inline std::int32_t sum(I32 a) {
  std::int32_t r = 0;
  for (int i = 0; i < 8; ++i) r += a.v[i];
  return r;
}
/// 32 integers as bytes, saturated.
inline void store_i8(std::int8_t* p, I32 a, I32 b, I32 c, I32 d) {
  const I32 all[4] = {a, b, c, d};
  for (int i = 0; i < 32; ++i) {
    const std::int32_t x = all[i / 8].v[i % 8];
    p[i] = static_cast<std::int8_t>(x < -128 ? -128 : x > 127 ? 127 : x);
  }
}

inline Bytes load_bytes(const void* p) {
  Bytes r;
  __builtin_memcpy(r.v, p, 32);
  return r;
}
inline Bytes splat_byte(std::uint8_t a) {
  Bytes r;
  for (auto& x : r.v) x = a;
  return r;
}
/// The four bytes at `p`, eight times.
inline Bytes splat_4_bytes(const void* p) {
  Bytes r;
  for (int i = 0; i < 8; ++i) __builtin_memcpy(r.v + 4 * i, p, 4);
  return r;
}
inline Bytes operator&(Bytes a, Bytes b) {
  for (int i = 0; i < 32; ++i) a.v[i] &= b.v[i];
  return a;
}
inline Bytes operator|(Bytes a, Bytes b) {
  for (int i = 0; i < 32; ++i) a.v[i] |= b.v[i];
  return a;
}
/// Shifts bits left by n, right by -n; what crosses from the neighbouring byte is unspecified: mask it off.
template <int n>
inline Bytes shift_bits(Bytes a) {
  for (int i = 0; i < 32; ++i) a.v[i] = static_cast<std::uint8_t>(n >= 0 ? a.v[i] << (n & 7) : a.v[i] >> (-n & 7));
  return a;
}
/// Byte 4 · i + b in lane i.
template <int b>
inline I32 unsigned_byte(Bytes a) {
  return lanewise<I32>([&](int i) { return a.v[4 * i + b]; });
}
template <int b>
inline I32 signed_byte(Bytes a) {
  return lanewise<I32>([&](int i) -> std::int32_t { return static_cast<std::int8_t>(a.v[4 * i + b]); });
}

/// Sums u · s over the four bytes of each lane, u unsigned and s signed (not -128). Where `narrow`, the sum is held
/// in 16 bits: at most 8 adds for u < 16, 4 for u < 32, 2 for u < 64.
struct UnsignedDot {
  static constexpr bool narrow = false;
  I32 total = splat_i32(0);
  void add(Bytes u, Bytes s) {
    for (int i = 0; i < 32; ++i) total.v[i / 4] += u.v[i] * static_cast<std::int8_t>(s.v[i]);
  }
  I32 sum() const { return total; }
};
/// The same for two signed operands, a not -128; any number of adds.
struct SignedDot {
  I32 total = splat_i32(0);
  void add(Bytes w, Bytes a) {
    for (int i = 0; i < 32; ++i) total.v[i / 4] += static_cast<std::int8_t>(w.v[i]) * static_cast<std::int8_t>(a.v[i]);
  }
  I32 sum() const { return total; }
};

/// Sixteen floats, zero when made: what a row of a matrix tile holds in registers. A tile of `wide_rows` rows fills
/// the registers beside its operands.
struct Wide {
  F32 a = zero(), b = zero();
};
inline constexpr int wide_rows = 4;
inline Wide load_wide(const float* p) { return {load(p), load(p + 8)}; }
inline void store_wide(float* p, Wide x) { store(p, x.a), store(p + 8, x.b); }
/// a · b + c
inline Wide fma(float a, Wide b, Wide c) { return {fma(splat(a), b.a, c.a), fma(splat(a), b.b, c.b)}; }

inline void prefetch(const void* p) { __builtin_prefetch(p); }

/// Transposes 8 x 8 floats: rows at `p`, `stride` apart, become columns written at `q`, `q_stride` apart.
inline void transpose_8x8(const float* p, std::int64_t stride, float* q, std::int64_t q_stride) {
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 8; ++j) q[j * q_stride + i] = p[i * stride + j];
}

}  // namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE
