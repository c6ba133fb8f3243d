#include "cross_attention.h"

#include <cmath>

namespace trustformers {

CrossAttention::CrossAttention(const Scope& scope, const SelfAttentionConfig& c, std::int64_t encoder_size)
    : heads_(c.heads),
      kv_heads_(c.kv_heads),
      layer_(c.layer),
      stacked_(c.packing == SelfAttentionConfig::Packing::stacked),
      attrs_{.scale = c.scale != 0 ? c.scale : 1 / std::sqrt(static_cast<double>(c.head_dim))} {
  const std::int64_t source = encoder_size > 0 ? encoder_size : c.hidden_size;
  query_ = Linear(scope / c.names[0], c.hidden_size, c.heads * c.head_dim, c.bias, c.stored);
  const std::int64_t kv = c.kv_heads * c.head_dim;
  key_ = Linear(scope / c.names[1], source, stacked_ ? 2 * kv : kv, c.bias, c.stored);
  if (!stacked_) value_ = Linear(scope / c.names[2], source, kv, c.bias, c.stored);
  output_ = Linear(scope / c.output_name, c.heads * c.head_dim, c.hidden_size, c.output_bias, c.stored);
}

Tensor CrossAttention::operator()(const Tensor& x, const ForwardContext& context) const {
  const auto make = [&]() -> AttentionCache::KeysValues {
    const Tensor keys = key_(context.encoder_states);
    if (!stacked_) return {split_heads(keys, kv_heads_), split_heads(value_(context.encoder_states), kv_heads_)};
    const std::int64_t kv = keys.size(2) / 2;
    return {split_heads(slice(keys, 2, 0, kv), kv_heads_), split_heads(slice(keys, 2, kv), kv_heads_)};
  };
  return output_(merge_heads(attend_fixed(context.cache, static_cast<std::size_t>(layer_),
                                          split_heads(query_(x), heads_), make, attrs_, context.encoder_mask)));
}

}  // namespace trustformers
