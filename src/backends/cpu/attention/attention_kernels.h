// Attention over the SIMD vocabulary; included once per ISA after its vector_*.h and the float matrix kernels.
//
// A tile is up to `tile_rows` query rows that read one key head. Per block of keys: scores through the 6 x 16 matrix
// kernel against the transposed block, the online softmax row by row, and the weighted sum of values through the same
// kernel. Every step of a row depends on that row and the block alone.
#pragma once

#include "../gemm/f32_kernels.h"
#include "../simd/math.h"
#include "kernel_types.h"

namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE {

/// The keys a row sees are [0, prefix) and [first, end), less those the key mask hides.
struct Sight {
  std::int64_t prefix, first, end;
  bool whole(std::int64_t from, std::int64_t to) const { return to <= prefix || (from >= first && to <= end); }
  bool none(std::int64_t from, std::int64_t to) const { return from >= prefix && (to <= first || from >= end); }
  bool sees(std::int64_t key) const { return key < prefix || (key >= first && key < end); }
};

inline Sight sight(const AttentionCall& call, std::int64_t query) {
  if (!call.causal) return {0, 0, call.keys};
  const std::int64_t position = call.keys - call.queries + query;
  std::int64_t first = 0, end = position + 1 < call.keys ? position + 1 : call.keys;
  if (call.window > 0 && position - call.window + 1 > 0) first = position - call.window + 1;
  if (end < 0) end = 0;
  return {call.prefix < call.keys ? call.prefix : call.keys, first, end};
}

inline void copy(const float* from, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
}

/// Panels of 16 keys with the head dimension as k; keys beyond `count` are zero.
inline void pack_keys(const float* k, std::int64_t stride, std::int64_t count, std::int64_t dim, float* out) {
  for (std::int64_t key = 0; key < key_block; key += panel_width, out += dim * panel_width) {
    if (key + panel_width <= count) {
      transpose_panel(k + key * stride, stride, dim, out);
      continue;
    }
    for (std::int64_t d = 0; d < dim; ++d)
      for (std::int64_t c = 0; c < panel_width; ++c)
        out[d * panel_width + c] = key + c < count ? k[(key + c) * stride + d] : 0.0f;
  }
}

/// Turns the scores of one row and block into weights, and brings the row's sums to the new maximum.
inline void weigh(const AttentionCall& call, const float* bias, const float* visible, std::int64_t count, float* s,
                  float& top, float& total, float* out, std::int64_t out_width) {
  constexpr int vectors = key_block / lanes;
  const F32 lowest = splat(-__builtin_huge_valf());
  F32 score[vectors];
  F32 greatest = lowest;
  for (int j = 0; j < vectors; ++j) {
    const std::int64_t left = count - j * lanes;
    const int inside = left >= lanes ? lanes : left > 0 ? static_cast<int>(left) : 0;
    F32 v = load(s + j * lanes) * splat(call.scale);
    if (call.softcap > 0) v = splat(call.softcap) * tanh(v / splat(call.softcap));
    if (bias) v = v + load_first(bias + j * lanes, inside);
    if (visible) v = select(zero() < load(visible + j * lanes), v, lowest);
    score[j] = keep_first(v, inside, lowest);
    greatest = max(score[j], greatest);
  }
  const float block_top = max_lane(greatest);
  const float new_top = block_top > top ? block_top : top;
  // While a row has seen nothing, weights are taken from zero: -infinity less itself would be NaN.
  const float origin = new_top == -__builtin_huge_valf() ? 0.0f : new_top;
  F32 sums[2] = {zero(), zero()};
  for (int j = 0; j < vectors; ++j) {
    const F32 weight = exp(score[j] - splat(origin));
    sums[j % 2] = sums[j % 2] + weight;
    store(s + j * lanes, weight);
  }
  const float block_total = sum(sums[0] + sums[1]);
  if (new_top != top) {
    float correction[lanes];
    store(correction, exp(splat(top - origin)));
    total *= correction[0];
    for (std::int64_t i = 0; i < out_width; i += lanes) store(out + i, load(out + i) * splat(correction[0]));
    top = new_top;
  }
  total += block_total;
}

/// Rows [begin, end) of key head `head` in batch `b`: row r is query r / group of query head head · group + r % group.
inline void attend(const AttentionCall& call, std::int64_t b, std::int64_t head, std::int64_t begin, std::int64_t end,
                   float* scratch) {
  const std::int64_t group = call.query_heads / call.key_heads, rows = end - begin;
  const std::int64_t out_width = (call.value_dim + panel_width - 1) / panel_width * panel_width;
  float* q = scratch;
  float* out = q + tile_rows * call.head_dim;
  float* keys = out + tile_rows * out_width;
  float* values = keys + key_block * call.head_dim;
  float* s = values + key_block * panel_width;
  float top[tile_rows], total[tile_rows];

  std::int64_t first_key = call.keys, last_key = 0, prefix = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t i = (begin + r) / group, h = head * group + (begin + r) % group;
    copy(call.q + b * call.q_strides.batch + h * call.q_strides.head + i * call.q_strides.position, call.head_dim,
         q + r * call.head_dim);
    for (std::int64_t d = 0; d < out_width; ++d) out[r * out_width + d] = 0;
    top[r] = -__builtin_huge_valf();
    total[r] = 0;
    const Sight seen = sight(call, i);
    first_key = seen.first < first_key ? seen.first : first_key;
    last_key = seen.end > last_key ? seen.end : last_key;
    prefix = seen.prefix;
  }

  for (std::int64_t key = 0; key < call.keys; key += key_block) {
    const std::int64_t count = call.keys - key < key_block ? call.keys - key : key_block;
    if (Sight{prefix, first_key, last_key}.none(key, key + count)) continue;
    const float* k = call.k + b * call.k_strides.batch + head * call.k_strides.head + key * call.k_strides.position;
    pack_keys(k, call.k_strides.position, count, call.head_dim, keys);
    for (int j = 0; j < key_block / panel_width; ++j)
      panel_f32(q, call.head_dim, rows, keys + j * panel_width * call.head_dim, panel_width, call.head_dim,
                s + j * panel_width, key_block, false);

    const std::uint8_t* mask = call.key_mask ? call.key_mask + b * call.key_mask_stride + key : nullptr;
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t i = (begin + r) / group, h = head * group + (begin + r) % group;
      const Sight seen = sight(call, i);
      float visible[key_block];
      const bool partial = mask || !seen.whole(key, key + count);
      if (partial)
        for (std::int64_t c = 0; c < key_block; ++c)
          visible[c] = c < count && seen.sees(key + c) && (!mask || mask[c]) ? 1.0f : 0.0f;
      const float* bias = call.bias ? call.bias + b * call.bias_strides.batch + h * call.bias_strides.head +
                                          i * call.bias_strides.position + key
                                    : nullptr;
      weigh(call, bias, partial ? visible : nullptr, count, s + r * key_block, top[r], total[r], out + r * out_width,
            out_width);
    }

    const float* v = call.v + b * call.v_strides.batch + head * call.v_strides.head + key * call.v_strides.position;
    for (std::int64_t d = 0; d < call.value_dim; d += panel_width) {
      const float* panel = v + d;
      std::int64_t stride = call.v_strides.position;
      if (const std::int64_t columns = call.value_dim - d; columns < panel_width) {
        for (std::int64_t c = 0; c < count; ++c)
          for (std::int64_t e = 0; e < panel_width; ++e)
            values[c * panel_width + e] = e < columns ? v[c * stride + d + e] : 0.0f;
        panel = values;
        stride = panel_width;
      }
      panel_f32(s, key_block, rows, panel, stride, count, out + d, out_width, true);
    }
  }

  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t i = (begin + r) / group, h = head * group + (begin + r) % group;
    float* to = call.out + b * call.out_strides.batch + h * call.out_strides.head + i * call.out_strides.position;
    const float scale = total[r] == 0.0f ? 0.0f : 1.0f / total[r];
    for (std::int64_t d = 0; d < call.value_dim; ++d) to[d] = total[r] == 0.0f ? 0.0f : out[r * out_width + d] * scale;
  }
}

}  // namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE
