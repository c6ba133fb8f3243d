// What attention layers share: heads, masks and positions.
#pragma once

#include "../ops/shape/shape_ops.h"
#include "attention_cache.h"

namespace trustformers {

/// [B, L, H·D] -> [B, H, L, D], a view.
inline Tensor split_heads(const Tensor& x, std::int64_t heads) {
  return transpose(reshape(x, {x.size(0), x.size(1), heads, x.size(2) / heads}), 1, 2);
}
/// [B, H, L, D] -> [B, L, H·D]
inline Tensor merge_heads(const Tensor& x) {
  return reshape(transpose(x, 1, 2), {x.size(0), x.size(2), x.size(1) * x.size(3)});
}

/// Cross-attention to what `make` gives, which a cache keeps.
Tensor attend_fixed(AttentionCache* cache, std::size_t layer, const Tensor& q,
                    FunctionRef<AttentionCache::KeysValues()> make, const AttentionAttrs& attrs,
                    const Tensor& key_mask);

/// attention_mask [batch, keys] (1 or true: a token, 0: padding) as the key mask of attention(); undefined when
/// undefined or when every token counts. Another shape is a shape_mismatch of `name`.
Tensor key_mask(const Tensor& attention_mask, std::string_view name, std::int64_t batch, std::int64_t keys);

/// Positions first, first + 1, ...: [1, length].
Tensor consecutive_positions(std::int64_t first, std::int64_t length);
/// The `length` positions after those that the cache (or none) holds of each text, counted from `first`: [1 or B, L].
Tensor next_positions(const AttentionCache* cache, std::int64_t length, std::int64_t first = 0);
/// Positions that count only unpadded tokens (`padding` for the others), for the last `length` columns of
/// attention_mask [B, S].
Tensor positions_from_mask(const Tensor& attention_mask, std::int64_t length, std::int64_t padding = 0);
/// Positions as fairseq counts them, from the ids [B, L]: after `past` earlier tokens those that are not `pad` get
/// pad + 1, pad + 2, ..., and padding gets `pad`.
Tensor positions_from_ids(const Tensor& input_ids, std::int64_t pad, std::int64_t past = 0);
/// One more than the largest position.
std::int64_t positions_needed(const Tensor& positions);

}  // namespace trustformers
