// Attention forward on the CPU: online softmax over blocks of keys, the [L, S] scores never exist.
//
// Key blocks are aligned to the key index and every row is one chain in the order of the keys, so a query row gives
// the same bits alone, in a prompt, in a batch, and with any number of threads.
// Dao et al. 2022 (FlashAttention), Milakov & Gimelshein 2018 (online softmax).
#pragma once

#include <cstddef>
#include <cstdint>

#include "../../../base/thread_pool.h"

namespace trustformers::cpu {

/// Strides in elements of the first three dimensions; the last is contiguous.
struct AttentionStrides {
  std::int64_t batch = 0, head = 0, position = 0;
};

/// A page of keys and values: the first position of its first head. Strides in elements; a position is contiguous.
struct KeyPage {
  const float* k = nullptr;
  const float* v = nullptr;
  std::int64_t k_head = 0, v_head = 0, k_position = 0, v_position = 0;
};

/// out[B, Hq, L, D] = softmax(mask(scale · q kᵀ + bias)) v with q [B, Hq, L, D], k and v [B, Hkv, S, D]; query head h
/// reads key head h / (Hq / Hkv). Query i stands at key position S - L + i. A query that sees no key and no sink gives
/// the mean of all values.
struct AttentionCall {
  std::int64_t batch = 0, query_heads = 0, key_heads = 0;
  std::int64_t queries = 0;  // L
  std::int64_t keys = 0;     // S
  std::int64_t head_dim = 0, value_dim = 0;
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  float* out = nullptr;
  AttentionStrides q_strides, k_strides, v_strides, out_strides;

  float scale = 1;
  float softcap = 0;  // > 0: scores become softcap · tanh(score / softcap) before bias and mask
  bool causal = false;
  std::int64_t window = 0;                 // > 0: only keys less than `window` away from the query
  std::int64_t chunk = 0;                  // > 0: with the causal mask, only keys of the query's chunk of positions
  std::int64_t prefix = 0;                 // keys below this position are seen by every query
  const std::uint8_t* key_mask = nullptr;  // [B, S], 0 hides a key
  std::int64_t key_mask_stride = 0;        // from batch to batch
  const float* bias = nullptr;             // added to the scores; a stride of 0 broadcasts
  AttentionStrides bias_strides;           // the key dimension is contiguous
  const float* sinks = nullptr;            // [Hq], the score of a further key whose value is zero

  // Keys in pages, instead of k and v: [B, pages_per_row], each of page_length positions, a multiple of key_block. Row
  // b has row_keys[b] <= keys of them, and reads as many columns of the bias from its end.
  const KeyPage* pages = nullptr;
  std::int64_t pages_per_row = 0, page_length = 0;
  const std::int64_t* row_keys = nullptr;
};

void attention(ThreadPool& threads, const AttentionCall& call);

}  // namespace trustformers::cpu
