// Float matrix kernels over the SIMD vocabulary; included once per ISA after its vector_*.h.
#pragma once

#include "kernel_types.h"

namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE {

inline constexpr int panel_vectors = panel_width / lanes;

/// R rows by 16 columns held in registers: each output is one chain of fma in the order of k.
template <int R>
inline void tile_f32(const float* x, std::int64_t x_stride, const float* b, std::int64_t b_stride, std::int64_t k,
                     float* c, std::int64_t c_stride, bool accumulate) {
  Wide acc[R];
  for (int r = 0; r < R; ++r) acc[r] = accumulate ? load_wide(c + r * c_stride) : Wide();
  for (std::int64_t p = 0; p < k; ++p) {
    const Wide row = load_wide(b);
    b += b_stride;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) acc[r] = fma(x[r * x_stride + p], row, acc[r]);
  }
  for (int r = 0; r < R; ++r) store_wide(c + r * c_stride, acc[r]);
}

/// Tiles of R rows, then smaller ones for the rest.
template <int R>
inline void tiles_f32(const float* x, std::int64_t x_stride, std::int64_t rows, const float* b, std::int64_t b_stride,
                      std::int64_t k, float* c, std::int64_t c_stride, bool accumulate) {
  for (; rows >= R; rows -= R, x += R * x_stride, c += R * c_stride)
    tile_f32<R>(x, x_stride, b, b_stride, k, c, c_stride, accumulate);
  if constexpr (R > 1) {
    constexpr int next = R > 6 ? 6 : R - 1;
    if (rows > 0) tiles_f32<next>(x, x_stride, rows, b, b_stride, k, c, c_stride, accumulate);
  }
}

inline void panel_f32(const float* x, std::int64_t x_stride, std::int64_t rows, const float* b, std::int64_t b_stride,
                      std::int64_t k, float* c, std::int64_t c_stride, bool accumulate) {
  tiles_f32<wide_rows>(x, x_stride, rows, b, b_stride, k, c, c_stride, accumulate);
}

inline F32 load_weight(const float* p) { return load(p); }
struct Half {
  std::uint16_t bits;
};
struct Brain {
  std::uint16_t bits;
};
inline F32 load_weight(const Half* p) { return load_f16(&p->bits); }
inline F32 load_weight(const Brain* p) { return load_bf16(&p->bits); }

/// P panels at once, so that the chains of several outputs hide the latency of fma.
template <int P, class Weight>
inline void vector_panels(const float* x, std::int64_t k, const std::byte* panels, std::int64_t panel_bytes, float* y) {
  const Weight* w[P];
  F32 acc[P][panel_vectors];
  for (int p = 0; p < P; ++p) {
    w[p] = reinterpret_cast<const Weight*>(panels + p * panel_bytes);
    for (int i = 0; i < panel_vectors; ++i) acc[p][i] = zero();
  }
  for (std::int64_t j = 0; j < k; ++j) {
    const F32 value = splat(x[j]);
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) {
      const Weight* column = w[p] + j * panel_width;
      prefetch(column + 16 * panel_width);
      for (int i = 0; i < panel_vectors; ++i) acc[p][i] = fma(value, load_weight(column + i * lanes), acc[p][i]);
    }
  }
  for (int p = 0; p < P; ++p)
    for (int i = 0; i < panel_vectors; ++i) store(y + p * panel_width + i * lanes, acc[p][i]);
}

template <class Weight>
inline void vector_times(const float* x, std::int64_t k, const std::byte* panels, std::int64_t panel_bytes,
                         std::int64_t count, float* y) {
  std::int64_t i = 0;
  for (; i + 4 <= count; i += 4)
    vector_panels<4, Weight>(x, k, panels + i * panel_bytes, panel_bytes, y + i * panel_width);
  for (; i < count; ++i) vector_panels<1, Weight>(x, k, panels + i * panel_bytes, panel_bytes, y + i * panel_width);
}

template <class Weight>
inline void widen_16bit(const std::uint16_t* in, std::int64_t count, float* out) {
  const auto* p = reinterpret_cast<const Weight*>(in);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) store(out + i, load_weight(p + i));
  if (i == count) return;
  Weight last[lanes] = {};
  for (std::int64_t j = i; j < count; ++j) last[j - i] = p[j];
  store_first(out + i, load_weight(last), static_cast<int>(count - i));
}

inline void transpose_panel(const float* in, std::int64_t stride, std::int64_t k, float* out) {
  std::int64_t p = 0;
  for (; p + lanes <= k; p += lanes)
    for (int half = 0; half < panel_vectors; ++half)
      transpose_8x8(in + half * lanes * stride + p, stride, out + p * panel_width + half * lanes, panel_width);
  for (; p < k; ++p)
    for (int c = 0; c < panel_width; ++c) out[p * panel_width + c] = in[c * stride + p];
}

}  // namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE
