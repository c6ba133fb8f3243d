// The SIMD vocabulary on x86-64 with AVX2, FMA and F16C; with AVX-VNNI or AVX-512 VNNI the byte products use them.
// See vector_scalar.h for the contract of every function. The including file is compiled with the flags of its ISA.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE {

inline constexpr int lanes = 8;

struct F32 {
  __m256 v;
};
struct I32 {
  __m256i v;
};
struct Bytes {
  __m256i v;
};
struct Mask {
  __m256 v;
};

inline F32 load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline void store(float* p, F32 a) { _mm256_storeu_ps(p, a.v); }
inline F32 splat(float a) { return {_mm256_set1_ps(a)}; }
inline F32 zero() { return {_mm256_setzero_ps()}; }

inline __m256i first_lanes(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline F32 load_first(const float* p, int count) { return {_mm256_maskload_ps(p, first_lanes(count))}; }
inline void store_first(float* p, F32 a, int count) { _mm256_maskstore_ps(p, first_lanes(count), a.v); }
inline F32 keep_first(F32 a, int count, F32 rest) {
  return {_mm256_blendv_ps(rest.v, a.v, _mm256_castsi256_ps(first_lanes(count)))};
}

inline F32 load_f16(const std::uint16_t* p) {
  return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
inline F32 load_bf16(const std::uint16_t* p) {
  const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(wide, 16))};
}
inline I32 load_u8(const std::uint8_t* p) {
  return {_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))};
}
inline I32 load_i8(const std::int8_t* p) {
  return {_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))};
}

inline F32 operator+(F32 a, F32 b) { return {_mm256_add_ps(a.v, b.v)}; }
inline F32 operator-(F32 a, F32 b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline F32 operator*(F32 a, F32 b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline F32 operator/(F32 a, F32 b) { return {_mm256_div_ps(a.v, b.v)}; }
inline F32 fma(F32 a, F32 b, F32 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline F32 max(F32 a, F32 b) { return {_mm256_max_ps(a.v, b.v)}; }
inline F32 min(F32 a, F32 b) { return {_mm256_min_ps(a.v, b.v)}; }
inline F32 abs(F32 a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
inline F32 copy_sign(F32 magnitude, F32 sign) {
  const __m256 bit = _mm256_set1_ps(-0.0f);
  return {_mm256_or_ps(_mm256_andnot_ps(bit, magnitude.v), _mm256_and_ps(bit, sign.v))};
}

inline Mask operator<(F32 a, F32 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
inline F32 select(Mask m, F32 yes, F32 no) { return {_mm256_blendv_ps(no.v, yes.v, m.v)}; }

inline float sum(F32 a) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline float max_lane(F32 a) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

inline I32 splat_i32(std::int32_t a) { return {_mm256_set1_epi32(a)}; }
inline I32 operator+(I32 a, I32 b) { return {_mm256_add_epi32(a.v, b.v)}; }
inline I32 operator-(I32 a, I32 b) { return {_mm256_sub_epi32(a.v, b.v)}; }
template <int n>
inline I32 shift_left(I32 a) {
  return {_mm256_slli_epi32(a.v, n)};
}
template <int n>
inline I32 shift_right(I32 a) {
  return {_mm256_srai_epi32(a.v, n)};
}
inline I32 round_to_i32(F32 a) { return {_mm256_cvtps_epi32(a.v)}; }
inline F32 to_f32(I32 a) { return {_mm256_cvtepi32_ps(a.v)}; }
inline F32 as_f32(I32 a) { return {_mm256_castsi256_ps(a.v)}; }
inline std::int32_t sum(I32 a) {
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(a.v), _mm256_extracti128_si256(a.v, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}
inline void store_i8(std::int8_t* p, I32 a, I32 b, I32 c, I32 d) {
  const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(a.v, b.v), _mm256_packs_epi32(c.v, d.v));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permutevar8x32_epi32(bytes, order));
}

inline Bytes load_bytes(const void* p) { return {_mm256_loadu_si256(static_cast<const __m256i*>(p))}; }
inline Bytes splat_byte(std::uint8_t a) { return {_mm256_set1_epi8(static_cast<char>(a))}; }
inline Bytes splat_4_bytes(const void* p) {
  return {_mm256_castps_si256(_mm256_broadcast_ss(static_cast<const float*>(p)))};
}
inline Bytes operator&(Bytes a, Bytes b) { return {_mm256_and_si256(a.v, b.v)}; }
inline Bytes operator|(Bytes a, Bytes b) { return {_mm256_or_si256(a.v, b.v)}; }
template <int n>
inline Bytes shift_bits(Bytes a) {
  if constexpr (n >= 0)
    return {_mm256_slli_epi16(a.v, n)};
  else
    return {_mm256_srli_epi16(a.v, -n)};
}
template <int b>
inline I32 unsigned_byte(Bytes a) {
  if constexpr (b == 3)
    return {_mm256_srli_epi32(a.v, 24)};
  else
    return {_mm256_and_si256(_mm256_srli_epi32(a.v, 8 * b), _mm256_set1_epi32(255))};
}
template <int b>
inline I32 signed_byte(Bytes a) {
  return {_mm256_srai_epi32(_mm256_slli_epi32(a.v, 24 - 8 * b), 24)};
}

#if defined(__AVXVNNI__) || (defined(__AVX512VNNI__) && defined(__AVX512VL__))

inline __m256i dot_4(__m256i total, __m256i u, __m256i s) {
#if defined(__AVX512VNNI__)
  return _mm256_dpbusd_epi32(total, u, s);
#else
  return _mm256_dpbusd_avx_epi32(total, u, s);
#endif
}

struct UnsignedDot {
  static constexpr bool narrow = false;
  __m256i total = _mm256_setzero_si256();
  void add(Bytes u, Bytes s) { total = dot_4(total, u.v, s.v); }
  I32 sum() const { return {total}; }
};
struct SignedDot {
  __m256i total = _mm256_setzero_si256();
  void add(Bytes w, Bytes a) { total = dot_4(total, _mm256_abs_epi8(w.v), _mm256_sign_epi8(a.v, w.v)); }
  I32 sum() const { return {total}; }
};

#else

struct UnsignedDot {
  static constexpr bool narrow = true;
  __m256i total = _mm256_setzero_si256();
  void add(Bytes u, Bytes s) { total = _mm256_add_epi16(total, _mm256_maddubs_epi16(u.v, s.v)); }
  I32 sum() const { return {_mm256_madd_epi16(total, _mm256_set1_epi16(1))}; }
};
struct SignedDot {
  __m256i total = _mm256_setzero_si256();
  void add(Bytes w, Bytes a) {
    // |w| · (a with w's sign): two products are at most 2 · 128 · 127 < 2^15.
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w.v), _mm256_sign_epi8(a.v, w.v));
    total = _mm256_add_epi32(total, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  I32 sum() const { return {total}; }
};

#endif

#if defined(__AVX512F__)

struct Wide {
  __m512 v = _mm512_setzero_ps();
};
inline constexpr int wide_rows = 12;
inline Wide load_wide(const float* p) { return {_mm512_loadu_ps(p)}; }
inline void store_wide(float* p, Wide a) { _mm512_storeu_ps(p, a.v); }
inline Wide fma(float a, Wide b, Wide c) { return {_mm512_fmadd_ps(_mm512_set1_ps(a), b.v, c.v)}; }

#else

struct Wide {
  __m256 a = _mm256_setzero_ps(), b = _mm256_setzero_ps();
};
inline constexpr int wide_rows = 6;
inline Wide load_wide(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
inline void store_wide(float* p, Wide a) { _mm256_storeu_ps(p, a.a), _mm256_storeu_ps(p + 8, a.b); }
inline Wide fma(float a, Wide b, Wide c) {
  const __m256 value = _mm256_set1_ps(a);
  return {_mm256_fmadd_ps(value, b.a, c.a), _mm256_fmadd_ps(value, b.b, c.b)};
}

#endif

inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

/// Transposes 8 x 8 floats: rows at `p`, `stride` apart, become columns written at `q`, `q_stride` apart.
inline void transpose_8x8(const float* p, std::int64_t stride, float* q, std::int64_t q_stride) {
  __m256 r[8];
  for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(p + i * stride);
  __m256 t[8];
  for (int i = 0; i < 4; ++i) {
    t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 2; ++i) {
    r[4 * i] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    r[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
    r[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    r[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(q + i * q_stride, _mm256_permute2f128_ps(r[i], r[4 + i], 0x20));
    _mm256_storeu_ps(q + (4 + i) * q_stride, _mm256_permute2f128_ps(r[i], r[4 + i], 0x31));
  }
}

}  // namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE
