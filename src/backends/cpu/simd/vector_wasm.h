// The SIMD vocabulary on WebAssembly: pairs of 128-bit vectors; with -mrelaxed-simd also its fma and byte products.
// See vector_scalar.h for the contract of every function.
#pragma once

#include <wasm_simd128.h>

#include <cstdint>

namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE {

inline constexpr int lanes = 8;

struct F32 {
  v128_t a, b;
};
struct I32 {
  v128_t a, b;
};
struct Bytes {
  v128_t a, b;
};
struct Mask {
  v128_t a, b;
};

inline F32 load(const float* p) { return {wasm_v128_load(p), wasm_v128_load(p + 4)}; }
inline void store(float* p, F32 x) { wasm_v128_store(p, x.a), wasm_v128_store(p + 4, x.b); }
inline F32 splat(float x) { return {wasm_f32x4_splat(x), wasm_f32x4_splat(x)}; }
inline F32 zero() { return splat(0); }

inline F32 load_first(const float* p, int count) {
  float whole[8] = {};
  for (int i = 0; i < count; ++i) whole[i] = p[i];
  return load(whole);
}
inline void store_first(float* p, F32 x, int count) {
  float whole[8];
  store(whole, x);
  for (int i = 0; i < count; ++i) p[i] = whole[i];
}
inline F32 select(Mask m, F32 yes, F32 no) {
  return {wasm_v128_bitselect(yes.a, no.a, m.a), wasm_v128_bitselect(yes.b, no.b, m.b)};
}
inline F32 keep_first(F32 x, int count, F32 rest) {
  const v128_t n = wasm_i32x4_splat(count);
  return select({wasm_i32x4_gt(n, wasm_i32x4_const(0, 1, 2, 3)), wasm_i32x4_gt(n, wasm_i32x4_const(4, 5, 6, 7))}, x,
                rest);
}

inline v128_t widen_f16(v128_t bits) {
  const v128_t sign = wasm_i32x4_shl(wasm_v128_and(bits, wasm_i32x4_splat(0x8000)), 16);
  const v128_t rest = wasm_v128_and(bits, wasm_i32x4_splat(0x7fff));
  const v128_t shifted = wasm_i32x4_shl(rest, 13);
  // 2^112 re-biases the exponent, subnormals included; infinities and NaN get the greatest exponent instead.
  const v128_t number = wasm_f32x4_mul(shifted, wasm_i32x4_splat(0x77800000));
  const v128_t special = wasm_v128_or(shifted, wasm_i32x4_splat(0x7f800000));
  const v128_t is_special = wasm_i32x4_gt(rest, wasm_i32x4_splat(0x7bff));
  return wasm_v128_or(sign, wasm_v128_bitselect(special, number, is_special));
}
inline F32 load_f16(const std::uint16_t* p) {
  return {widen_f16(wasm_u32x4_load16x4(p)), widen_f16(wasm_u32x4_load16x4(p + 4))};
}
inline F32 load_bf16(const std::uint16_t* p) {
  return {wasm_i32x4_shl(wasm_u32x4_load16x4(p), 16), wasm_i32x4_shl(wasm_u32x4_load16x4(p + 4), 16)};
}
inline I32 load_u8(const std::uint8_t* p) {
  const v128_t words = wasm_u16x8_load8x8(p);
  return {wasm_u32x4_extend_low_u16x8(words), wasm_u32x4_extend_high_u16x8(words)};
}
inline I32 load_i8(const std::int8_t* p) {
  const v128_t words = wasm_i16x8_load8x8(p);
  return {wasm_i32x4_extend_low_i16x8(words), wasm_i32x4_extend_high_i16x8(words)};
}

inline F32 operator+(F32 x, F32 y) { return {wasm_f32x4_add(x.a, y.a), wasm_f32x4_add(x.b, y.b)}; }
inline F32 operator-(F32 x, F32 y) { return {wasm_f32x4_sub(x.a, y.a), wasm_f32x4_sub(x.b, y.b)}; }
inline F32 operator*(F32 x, F32 y) { return {wasm_f32x4_mul(x.a, y.a), wasm_f32x4_mul(x.b, y.b)}; }
inline F32 operator/(F32 x, F32 y) { return {wasm_f32x4_div(x.a, y.a), wasm_f32x4_div(x.b, y.b)}; }
inline F32 fma(F32 x, F32 y, F32 z) {
#ifdef __wasm_relaxed_simd__
  return {wasm_f32x4_relaxed_madd(x.a, y.a, z.a), wasm_f32x4_relaxed_madd(x.b, y.b, z.b)};
#else
  return x * y + z;
#endif
}
// pmax(y, x) is y < x ? x : y, so the second operand stays where either is NaN.
inline F32 max(F32 x, F32 y) { return {wasm_f32x4_pmax(y.a, x.a), wasm_f32x4_pmax(y.b, x.b)}; }
inline F32 min(F32 x, F32 y) { return {wasm_f32x4_pmin(y.a, x.a), wasm_f32x4_pmin(y.b, x.b)}; }
inline F32 abs(F32 x) { return {wasm_f32x4_abs(x.a), wasm_f32x4_abs(x.b)}; }
inline F32 copy_sign(F32 magnitude, F32 sign) {
  const v128_t bit = wasm_i32x4_splat(INT32_MIN);
  return {wasm_v128_bitselect(sign.a, magnitude.a, bit), wasm_v128_bitselect(sign.b, magnitude.b, bit)};
}

inline Mask operator<(F32 x, F32 y) { return {wasm_f32x4_lt(x.a, y.a), wasm_f32x4_lt(x.b, y.b)}; }

inline float sum(F32 x) {
  const v128_t four = wasm_f32x4_add(x.a, x.b);
  const v128_t two = wasm_f32x4_add(four, wasm_i32x4_shuffle(four, four, 2, 3, 2, 3));
  return wasm_f32x4_extract_lane(two, 0) + wasm_f32x4_extract_lane(two, 1);
}
inline float max_lane(F32 x) {
  const v128_t four = wasm_f32x4_pmax(x.a, x.b);
  const v128_t two = wasm_f32x4_pmax(four, wasm_i32x4_shuffle(four, four, 2, 3, 2, 3));
  const float first = wasm_f32x4_extract_lane(two, 0), second = wasm_f32x4_extract_lane(two, 1);
  return first > second ? first : second;
}

inline I32 splat_i32(std::int32_t x) { return {wasm_i32x4_splat(x), wasm_i32x4_splat(x)}; }
inline I32 operator+(I32 x, I32 y) { return {wasm_i32x4_add(x.a, y.a), wasm_i32x4_add(x.b, y.b)}; }
inline I32 operator-(I32 x, I32 y) { return {wasm_i32x4_sub(x.a, y.a), wasm_i32x4_sub(x.b, y.b)}; }
template <int n>
inline I32 shift_left(I32 x) {
  return {wasm_i32x4_shl(x.a, n), wasm_i32x4_shl(x.b, n)};
}
template <int n>
inline I32 shift_right(I32 x) {
  return {wasm_i32x4_shr(x.a, n), wasm_i32x4_shr(x.b, n)};
}
inline I32 round_to_i32(F32 x) {
  return {wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(x.a)), wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(x.b))};
}
inline F32 to_f32(I32 x) { return {wasm_f32x4_convert_i32x4(x.a), wasm_f32x4_convert_i32x4(x.b)}; }
inline F32 as_f32(I32 x) { return {x.a, x.b}; }
inline std::int32_t sum(I32 x) {
  const v128_t four = wasm_i32x4_add(x.a, x.b);
  const v128_t two = wasm_i32x4_add(four, wasm_i32x4_shuffle(four, four, 2, 3, 2, 3));
  return wasm_i32x4_extract_lane(two, 0) + wasm_i32x4_extract_lane(two, 1);
}
inline void store_i8(std::int8_t* p, I32 w, I32 x, I32 y, I32 z) {
  const v128_t first = wasm_i16x8_narrow_i32x4(w.a, w.b), second = wasm_i16x8_narrow_i32x4(x.a, x.b);
  const v128_t third = wasm_i16x8_narrow_i32x4(y.a, y.b), fourth = wasm_i16x8_narrow_i32x4(z.a, z.b);
  wasm_v128_store(p, wasm_i8x16_narrow_i16x8(first, second));
  wasm_v128_store(p + 16, wasm_i8x16_narrow_i16x8(third, fourth));
}

inline Bytes load_bytes(const void* p) {
  return {wasm_v128_load(p), wasm_v128_load(static_cast<const std::uint8_t*>(p) + 16)};
}
inline Bytes splat_byte(std::uint8_t x) { return {wasm_u8x16_splat(x), wasm_u8x16_splat(x)}; }
inline Bytes splat_4_bytes(const void* p) {
  const v128_t four = wasm_v128_load32_splat(p);
  return {four, four};
}
inline Bytes operator&(Bytes x, Bytes y) { return {wasm_v128_and(x.a, y.a), wasm_v128_and(x.b, y.b)}; }
inline Bytes operator|(Bytes x, Bytes y) { return {wasm_v128_or(x.a, y.a), wasm_v128_or(x.b, y.b)}; }
template <int n>
inline Bytes shift_bits(Bytes x) {
  if constexpr (n >= 0)
    return {wasm_i16x8_shl(x.a, n), wasm_i16x8_shl(x.b, n)};
  else
    return {wasm_u16x8_shr(x.a, -n), wasm_u16x8_shr(x.b, -n)};
}
template <int b>
inline I32 unsigned_byte(Bytes x) {
  const v128_t mask = wasm_i32x4_splat(255);
  return {wasm_v128_and(wasm_u32x4_shr(x.a, 8 * b), mask), wasm_v128_and(wasm_u32x4_shr(x.b, 8 * b), mask)};
}
template <int b>
inline I32 signed_byte(Bytes x) {
  return {wasm_i32x4_shr(wasm_i32x4_shl(x.a, 24 - 8 * b), 24), wasm_i32x4_shr(wasm_i32x4_shl(x.b, 24 - 8 * b), 24)};
}

/// Products of pairs of bytes in 32 bits, those of the low and high eight bytes apart: summed to fours at the end.
struct PairSums {
  v128_t low = wasm_i32x4_splat(0), high = wasm_i32x4_splat(0);
  void add_unsigned(v128_t u, v128_t s) {
    low = wasm_i32x4_add(low, wasm_i32x4_dot_i16x8(wasm_u16x8_extend_low_u8x16(u), wasm_i16x8_extend_low_i8x16(s)));
    high = wasm_i32x4_add(high, wasm_i32x4_dot_i16x8(wasm_u16x8_extend_high_u8x16(u), wasm_i16x8_extend_high_i8x16(s)));
  }
  void add_signed(v128_t w, v128_t a) {
    low = wasm_i32x4_add(low, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(w), wasm_i16x8_extend_low_i8x16(a)));
    high = wasm_i32x4_add(high, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(w), wasm_i16x8_extend_high_i8x16(a)));
  }
  v128_t fours() const {
    return wasm_i32x4_add(wasm_i32x4_shuffle(low, high, 0, 2, 4, 6), wasm_i32x4_shuffle(low, high, 1, 3, 5, 7));
  }
};

#ifdef __wasm_relaxed_simd__
struct UnsignedDot {
  // Quants are below 128, so that the relaxed product means the same on every machine.
  static constexpr bool narrow = true;
  v128_t a = wasm_i16x8_splat(0), b = wasm_i16x8_splat(0);
  void add(Bytes u, Bytes s) {
    a = wasm_i16x8_add(a, wasm_i16x8_relaxed_dot_i8x16_i7x16(s.a, u.a));
    b = wasm_i16x8_add(b, wasm_i16x8_relaxed_dot_i8x16_i7x16(s.b, u.b));
  }
  I32 sum() const { return {wasm_i32x4_extadd_pairwise_i16x8(a), wasm_i32x4_extadd_pairwise_i16x8(b)}; }
};
#else
struct UnsignedDot {
  static constexpr bool narrow = false;
  PairSums a, b;
  void add(Bytes u, Bytes s) { a.add_unsigned(u.a, s.a), b.add_unsigned(u.b, s.b); }
  I32 sum() const { return {a.fours(), b.fours()}; }
};
#endif
struct SignedDot {
  PairSums a, b;
  void add(Bytes w, Bytes x) { a.add_signed(w.a, x.a), b.add_signed(w.b, x.b); }
  I32 sum() const { return {a.fours(), b.fours()}; }
};

struct Wide {
  F32 a = zero(), b = zero();
};
inline constexpr int wide_rows = 3;
inline Wide load_wide(const float* p) { return {load(p), load(p + 8)}; }
inline void store_wide(float* p, Wide x) { store(p, x.a), store(p + 8, x.b); }
inline Wide fma(float a, Wide b, Wide c) { return {fma(splat(a), b.a, c.a), fma(splat(a), b.b, c.b)}; }

inline void prefetch(const void*) {}

/// Four rows of four floats become columns.
inline void transpose_4x4(const float* p, std::int64_t stride, float* q, std::int64_t q_stride) {
  const v128_t r0 = wasm_v128_load(p), r1 = wasm_v128_load(p + stride);
  const v128_t r2 = wasm_v128_load(p + 2 * stride), r3 = wasm_v128_load(p + 3 * stride);
  const v128_t t0 = wasm_i32x4_shuffle(r0, r1, 0, 4, 1, 5), t1 = wasm_i32x4_shuffle(r2, r3, 0, 4, 1, 5);
  const v128_t t2 = wasm_i32x4_shuffle(r0, r1, 2, 6, 3, 7), t3 = wasm_i32x4_shuffle(r2, r3, 2, 6, 3, 7);
  wasm_v128_store(q, wasm_i32x4_shuffle(t0, t1, 0, 1, 4, 5));
  wasm_v128_store(q + q_stride, wasm_i32x4_shuffle(t0, t1, 2, 3, 6, 7));
  wasm_v128_store(q + 2 * q_stride, wasm_i32x4_shuffle(t2, t3, 0, 1, 4, 5));
  wasm_v128_store(q + 3 * q_stride, wasm_i32x4_shuffle(t2, t3, 2, 3, 6, 7));
}
inline void transpose_8x8(const float* p, std::int64_t stride, float* q, std::int64_t q_stride) {
  transpose_4x4(p, stride, q, q_stride);
  transpose_4x4(p + 4, stride, q + 4 * q_stride, q_stride);
  transpose_4x4(p + 4 * stride, stride, q + 4, q_stride);
  transpose_4x4(p + 4 * stride + 4, stride, q + 4 * q_stride + 4, q_stride);
}

}  // namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE
