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

inline Sight sight(const AttentionCall& call, std::int64_t keys, std::int64_t query) {
  if (!call.causal && call.window <= 0) return {0, 0, keys};
  const std::int64_t position = keys - call.queries + query;
  std::int64_t first = 0, end = position + (call.causal ? 1 : call.window);
  if (end > keys) end = keys;
  if (call.window > 0 && position - call.window + 1 > 0) first = position - call.window + 1;
  if (call.chunk > 0 && position > 0 && position / call.chunk * call.chunk > first)
    first = position / call.chunk * call.chunk;
  if (end < 0) end = 0;
  return {call.prefix < keys ? call.prefix : keys, first, end};
}

inline void copy(const float* from, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
}

/// Panels of 16 keys with the head dimension as k, as many as hold `count` keys; keys beyond are zero.
inline void pack_keys(const float* k, std::int64_t stride, std::int64_t count, std::int64_t dim, float* out) {
  for (std::int64_t key = 0; key < count; key += panel_width, out += dim * panel_width) {
    if (key + panel_width <= count) {
      transpose_panel(k + key * stride, stride, dim, out);
      continue;
    }
    for (std::int64_t d = 0; d < dim; ++d)
      for (std::int64_t c = 0; c < panel_width; ++c)
        out[d * panel_width + c] = key + c < count ? k[(key + c) * stride + d] : 0.0f;
  }
}

/// A query row of a tile: where it reads, and its running maximum and sum of weights.
struct Row {
  Sight seen;
  const float* bias;
  float* to;
  float top, total;
};

/// Turns the scores of one row and block into weights, and brings the row's sums to the new maximum.
inline void weigh(const AttentionCall& call, Row& row, std::int64_t key, std::int64_t count, const float* visible,
                  float* s, float* out, std::int64_t out_width) {
  constexpr int vectors = key_block / lanes;
  const int used = static_cast<int>((count + lanes - 1) / lanes);
  const F32 lowest = splat(-__builtin_huge_valf());
  F32 score[vectors];
  F32 greatest = lowest;
  for (int j = 0; j < used; ++j) {
    const std::int64_t left = count - j * lanes;
    const int inside = left >= lanes ? lanes : static_cast<int>(left);
    F32 v = load(s + j * lanes) * splat(call.scale);
    if (call.softcap > 0) v = splat(call.softcap) * tanh(v / splat(call.softcap));
    if (row.bias) v = v + load_first(row.bias + key + j * lanes, inside);
    if (visible) v = select(zero() < load(visible + j * lanes), v, lowest);
    if (inside < lanes) v = keep_first(v, inside, lowest);
    score[j] = v;
    greatest = max(v, greatest);
  }
  const float block_top = max_lane(greatest);
  const float new_top = block_top > row.top ? block_top : row.top;
  // While a row has seen nothing, weights are taken from zero: -infinity less itself would be NaN.
  const float origin = new_top == -__builtin_huge_valf() ? 0.0f : new_top;
  F32 sums[2] = {zero(), zero()};
  for (int j = 0; j < used; ++j) {
    const F32 weight = exp(score[j] - splat(origin));
    sums[j % 2] = sums[j % 2] + weight;
    store(s + j * lanes, weight);
  }
  if (new_top != row.top) {
    float correction[lanes];
    store(correction, exp(splat(row.top - origin)));
    row.total *= correction[0];
    for (std::int64_t i = 0; i < out_width; i += lanes) store(out + i, load(out + i) * splat(correction[0]));
    row.top = new_top;
  }
  row.total += sum(sums[0] + sums[1]);
}

/// Which keys of a block each row sees: the key mask of the block once, and the edges of a row's sight where it has
/// some.
class BlockMask {
 public:
  BlockMask(const AttentionCall& call, std::int64_t b, std::int64_t key, std::int64_t count)
      : key_(key), count_(count) {
    if (!call.key_mask) return;
    const std::uint8_t* mask = call.key_mask + b * call.key_mask_stride + key;
    for (std::int64_t c = 0; c < key_block; ++c) {
      shared_[c] = c < count && mask[c] ? 1.0f : 0.0f;
      hides_ |= c < count && !mask[c];
    }
  }
  /// key_block numbers above zero where `row` sees, or nullptr where it sees all.
  const float* of(const Row& row) {
    if (row.seen.whole(key_, key_ + count_)) return hides_ ? shared_ : nullptr;
    for (std::int64_t c = 0; c < key_block; ++c)
      own_[c] = row.seen.sees(key_ + c) ? (hides_ ? shared_[c] : 1.0f) : 0.0f;
    return own_;
  }

 private:
  std::int64_t key_, count_;
  bool hides_ = false;
  float shared_[key_block], own_[key_block];
};

/// Key and value number `key` of a batch and head, and how far the next of its block is.
struct KeyRun {
  const float* k;
  const float* v;
  std::int64_t k_stride, v_stride;
};

inline KeyRun keys_from(const AttentionCall& call, std::int64_t b, std::int64_t head, std::int64_t key) {
  if (!call.pages)
    return {call.k + b * call.k_strides.batch + head * call.k_strides.head + key * call.k_strides.position,
            call.v + b * call.v_strides.batch + head * call.v_strides.head + key * call.v_strides.position,
            call.k_strides.position, call.v_strides.position};
  const KeyPage& page = call.pages[b * call.pages_per_row + key / call.page_length];
  const std::int64_t at = key % call.page_length;
  return {page.k + head * page.k_head + at * page.k_position, page.v + head * page.v_head + at * page.v_position,
          page.k_position, page.v_position};
}

inline void mean_of_values(const AttentionCall& call, std::int64_t b, std::int64_t head, std::int64_t keys, float* to) {
  for (std::int64_t d = 0; d < call.value_dim; ++d) {
    float total = 0;
    for (std::int64_t key = 0; key < keys; ++key) total += keys_from(call, b, head, key).v[d];
    to[d] = total / static_cast<float>(keys);
  }
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

  const std::int64_t all_keys = call.pages ? call.row_keys[b] : call.keys;
  Row row[tile_rows];
  Sight any{0, all_keys, 0};
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t i = (begin + r) / group, h = head * group + (begin + r) % group;
    row[r].seen = sight(call, all_keys, i);
    row[r].bias = call.bias ? call.bias + b * call.bias_strides.batch + h * call.bias_strides.head +
                                  i * call.bias_strides.position + (call.keys - all_keys)
                            : nullptr;
    row[r].to = call.out + b * call.out_strides.batch + h * call.out_strides.head + i * call.out_strides.position;
    row[r].top = -__builtin_huge_valf();
    row[r].total = 0;
    copy(call.q + b * call.q_strides.batch + h * call.q_strides.head + i * call.q_strides.position, call.head_dim,
         q + r * call.head_dim);
    for (std::int64_t d = 0; d < out_width; ++d) out[r * out_width + d] = 0;
    any.first = row[r].seen.first < any.first ? row[r].seen.first : any.first;
    any.end = row[r].seen.end > any.end ? row[r].seen.end : any.end;
    any.prefix = row[r].seen.prefix;
  }
  const std::int64_t last = any.end > any.prefix ? any.end : any.prefix;

  for (std::int64_t key = 0; key < last; key += key_block) {
    const std::int64_t count = last - key < key_block ? last - key : key_block;
    if (any.none(key, key + count)) continue;
    const KeyRun run = keys_from(call, b, head, key);
    pack_keys(run.k, run.k_stride, count, call.head_dim, keys);
    for (std::int64_t c = 0; c < count; c += panel_width)
      panel_f32(q, call.head_dim, rows, keys + c * call.head_dim, panel_width, call.head_dim, s + c, key_block, false);

    BlockMask mask(call, b, key, count);
    for (std::int64_t r = 0; r < rows; ++r)
      weigh(call, row[r], key, count, mask.of(row[r]), s + r * key_block, out + r * out_width, out_width);

    for (std::int64_t d = 0; d < call.value_dim; d += panel_width) {
      const float* panel = run.v + d;
      std::int64_t stride = run.v_stride;
      if (const std::int64_t columns = call.value_dim - d; columns < panel_width) {
        for (std::int64_t c = 0; c < count; ++c)
          for (std::int64_t e = 0; e < panel_width; ++e)
            values[c * panel_width + e] = e < columns ? run.v[c * stride + d + e] : 0.0f;
        panel = values;
        stride = panel_width;
      }
      panel_f32(s, key_block, rows, panel, stride, count, out + d, out_width, true);
    }
  }

  for (std::int64_t r = 0; r < rows; ++r) {
    const bool blind = row[r].total == 0.0f;
    if (blind && !call.sinks && all_keys > 0) {
      mean_of_values(call, b, head, all_keys, row[r].to);
      continue;
    }
    float scale = blind ? 0.0f : 1.0f / row[r].total;
    if (call.sinks && !blind) {
      const float sink = call.sinks[head * group + (begin + r) % group];
      const float top = sink > row[r].top ? sink : row[r].top;
      float shares[lanes];  // what the keys' sum and the sink are multiplied by
      store(shares, exp(keep_first(splat(row[r].top - top), 1, splat(sink - top))));
      scale = shares[0] / (shares[0] * row[r].total + shares[1]);
    }
    for (std::int64_t d = 0; d < call.value_dim; ++d) row[r].to[d] = blind ? 0.0f : out[r * out_width + d] * scale;
  }
}

}  // namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE
