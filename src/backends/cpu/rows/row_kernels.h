// Row kernels over the SIMD vocabulary; included once per ISA after its vector_*.h.
// Sums run in four vectors of partial sums in a fixed order, so a row's bits depend on its width alone.
#pragma once

#include "../simd/math.h"
#include "kernel_types.h"

namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE {

/// Calls body(offset, count) for each vector of a row; count is `lanes` but for a ragged end.
template <class Body>
inline void for_each_vector(std::int64_t width, const Body& body) {
  std::int64_t i = 0;
  for (; i + lanes <= width; i += lanes) body(i, lanes);
  if (i < width) body(i, static_cast<int>(width - i));
}
inline F32 load_part(const float* p, int count) { return count == lanes ? load(p) : load_first(p, count); }
inline void store_part(float* p, F32 a, int count) {
  if (count == lanes)
    store(p, a);
  else
    store_first(p, a, count);
}

/// Σ term(vector of x); `term` must give 0 in the lanes beyond a ragged end.
template <class Term>
inline float sum_row(const float* x, std::int64_t width, const Term& term) {
  F32 acc[4] = {zero(), zero(), zero(), zero()};
  std::int64_t i = 0;
  for (; i + 4 * lanes <= width; i += 4 * lanes)
    for (int j = 0; j < 4; ++j) acc[j] = acc[j] + term(load(x + i + j * lanes), lanes);
  for (int j = 0; i < width; i += lanes, ++j) {
    const int count = width - i < lanes ? static_cast<int>(width - i) : lanes;
    acc[j] = acc[j] + term(load_part(x + i, count), count);
  }
  return sum((acc[0] + acc[1]) + (acc[2] + acc[3]));
}

inline void rms_norm(const float* x, std::int64_t width, const float* weight, float weight_offset, float eps,
                     float* y) {
  const float squares = sum_row(x, width, [](F32 v, int) { return v * v; });
  const F32 scale = splat(1.0f / __builtin_sqrtf(squares / static_cast<float>(width) + eps));
  for_each_vector(width, [&](std::int64_t i, int count) {
    F32 v = load_part(x + i, count) * scale;
    if (weight) v = v * (load_part(weight + i, count) + splat(weight_offset));
    store_part(y + i, v, count);
  });
}

inline void layer_norm(const float* x, std::int64_t width, const float* weight, const float* bias, float eps,
                       float* y) {
  const float mean = sum_row(x, width, [](F32 v, int) { return v; }) / static_cast<float>(width);
  const F32 centre = splat(mean);
  const float squares = sum_row(x, width, [&](F32 v, int count) {
    const F32 d = keep_first(v - centre, count, zero());
    return d * d;
  });
  const F32 scale = splat(1.0f / __builtin_sqrtf(squares / static_cast<float>(width) + eps));
  for_each_vector(width, [&](std::int64_t i, int count) {
    F32 v = (load_part(x + i, count) - centre) * scale;
    if (weight) v = v * load_part(weight + i, count);
    if (bias) v = v + load_part(bias + i, count);
    store_part(y + i, v, count);
  });
}

inline void softmax(const float* x, std::int64_t width, float* y) {
  const F32 lowest = splat(-__builtin_huge_valf());
  F32 greatest = lowest;
  for_each_vector(width, [&](std::int64_t i, int count) {
    greatest = max(keep_first(load_part(x + i, count), count, lowest), greatest);
  });
  const F32 top = splat(max_lane(greatest));
  for_each_vector(width,
                  [&](std::int64_t i, int count) { store_part(y + i, exp(load_part(x + i, count) - top), count); });
  const F32 scale = splat(1.0f / sum_row(y, width, [](F32 v, int) { return v; }));
  for_each_vector(width, [&](std::int64_t i, int count) { store_part(y + i, load_part(y + i, count) * scale, count); });
}

inline void rope_half_split(const float* x, std::int64_t half, const float* cos, const float* sin, float sign,
                            float* y) {
  for_each_vector(half, [&](std::int64_t i, int count) {
    const F32 a = load_part(x + i, count), b = load_part(x + half + i, count);
    const F32 c = load_part(cos + i, count), s = load_part(sin + i, count) * splat(sign);
    store_part(y + i, a * c - b * s, count);
    store_part(y + half + i, b * c + a * s, count);
  });
}

inline void rope_interleaved(const float* x, std::int64_t half, const float* cos, const float* sin, float sign,
                             float* y) {
  for (std::int64_t i = 0; i < half; ++i) {
    const float a = x[2 * i], b = x[2 * i + 1], c = cos[i], s = sin[i] * sign;
    y[2 * i] = a * c - b * s;
    y[2 * i + 1] = b * c + a * s;
  }
}

template <class F>
inline void map_row(const float* x, const float* up, std::int64_t width, float* y, const F& f) {
  for_each_vector(width, [&](std::int64_t i, int count) {
    const F32 v = f(load_part(x + i, count));
    store_part(y + i, up ? v * load_part(up + i, count) : v, count);
  });
}

inline void activate(Activation f, const float* x, const float* up, std::int64_t width, float* y) {
  const F32 one = splat(1);
  switch (f) {
    case Activation::relu: return map_row(x, up, width, y, [](F32 v) { return max(zero(), v); });
    case Activation::silu: return map_row(x, up, width, y, [&](F32 v) { return v / (one + exp(zero() - v)); });
    case Activation::gelu: return map_row(x, up, width, y, [](F32 v) { return v * normal_cdf(v); });
    case Activation::gelu_tanh:
      // (1 + tanh u) / 2 = 1 / (1 + e^-2u)
      return map_row(x, up, width, y, [&](F32 v) {
        const F32 u = v * splat(-1.5957691216f) * (one + splat(0.044715f) * v * v);
        return v / (one + exp(u));
      });
    case Activation::gelu_quick:
      return map_row(x, up, width, y, [&](F32 v) { return v / (one + exp(v * splat(-1.702f))); });
    case Activation::sigmoid: return map_row(x, up, width, y, [](F32 v) { return sigmoid(v); });
    case Activation::tanh: return map_row(x, up, width, y, [](F32 v) { return tanh(v); });
    case Activation::exp: return map_row(x, up, width, y, [](F32 v) { return exp(v); });
  }
}

}  // namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE
