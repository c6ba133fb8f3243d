#include "self_attention.h"

#include <cmath>

#include "../ops/elementwise/binary.h"

namespace trustformers {
namespace {

/// The columns of the queries: consecutive after the past, or after each text's own.
Tensor columns_of(const ForwardContext& context, std::int64_t length) {
  const bool own = context.cache && !context.cache->lengths().empty();
  return own ? next_positions(context.cache, length) : consecutive_positions(context.past, length);
}

Tensor clamp(const Tensor& x, double limit) {
  const Tensor high = Tensor::full({1}, limit, x.dtype());
  return maximum(minimum(x, high), -high);
}

/// [1 or B, 1, L, 1] for columns [1 or B, L], see SelfAttentionConfig.
Tensor temperatures(const Tensor& columns, double tuning, std::int64_t interval) {
  std::vector<float> out;
  for (const std::int64_t column : columns.to_vector<std::int64_t>())
    out.push_back(static_cast<float>(1 + tuning * std::log1p(static_cast<double>((column + 1) / interval))));
  return Tensor::from(out, {columns.size(0), 1, columns.size(1), 1});
}

}  // namespace

SelfAttention::SelfAttention(const Scope& scope, const SelfAttentionConfig& c)
    : config_(c),
      attrs_{.scale = c.scale != 0 ? c.scale : 1 / std::sqrt(static_cast<double>(c.head_dim)),
             .causal = c.causal,
             .window = c.window,
             .chunk = c.chunk,
             .softcap = c.softcap} {
  const std::int64_t q = c.heads * c.head_dim;
  const std::int64_t kv = c.kv_heads * c.head_dim;
  if (c.packing == SelfAttentionConfig::Packing::separate) {
    const std::array<std::int64_t, 3> outputs = {q, kv, kv};
    for (std::size_t i = 0; i < 3; ++i)
      inputs_[i] = Linear(scope / c.names[i], c.hidden_size, outputs[i], c.bias, c.stored);
  } else {
    inputs_[0] = Linear(scope / c.names[0], c.hidden_size, q + 2 * kv, c.bias, c.stored);
  }
  output_ = Linear(scope / c.output_name, q, c.hidden_size, c.output_bias, c.stored);
  if (c.sinks) sinks_ = scope.get("sinks", {c.heads}, init_zeros);
}

SelfAttention::Projected SelfAttention::project(const Tensor& x) const {
  const std::int64_t q = config_.heads * config_.head_dim;
  const std::int64_t kv = config_.kv_heads * config_.head_dim;
  if (config_.packing == SelfAttentionConfig::Packing::separate) return {inputs_[0](x), inputs_[1](x), inputs_[2](x)};
  const Tensor all = inputs_[0](x);
  if (config_.packing == SelfAttentionConfig::Packing::stacked)
    return {slice(all, 2, 0, q), slice(all, 2, q, q + kv), slice(all, 2, q + kv)};
  if (config_.packing == SelfAttentionConfig::Packing::sharded) {
    const Tensor shards = reshape(all, {x.size(0), x.size(1), config_.shards, 3, q / config_.shards});
    return {select(shards, 3, 0), select(shards, 3, 2), select(shards, 3, 1)};
  }
  const std::int64_t group = config_.heads / config_.kv_heads;
  const Tensor groups = reshape(all, {x.size(0), x.size(1), config_.kv_heads, group + 2, config_.head_dim});
  return {reshape(slice(groups, 3, 0, group), {x.size(0), x.size(1), q}), select(groups, 3, group),
          select(groups, 3, group + 1)};
}

/// [B, L, H·D] or [B, L, H, D] -> [B, H, L, D], normed.
Tensor SelfAttention::heads_of(const Tensor& projected, std::int64_t heads, const Norm& norm) const {
  const Shape by_head = {projected.size(0), projected.size(1), heads, config_.head_dim};
  if (config_.norm_whole_width) {
    const Tensor flat = reshape(projected, {projected.size(0), projected.size(1), heads * config_.head_dim});
    return transpose(reshape(norm(flat), by_head), 1, 2);
  }
  return transpose(norm(reshape(projected, by_head)), 1, 2);
}

Tensor SelfAttention::operator()(const Tensor& x, const ForwardContext& context) const {
  const Projected p = project(x);
  const bool late = config_.norm_after_rotation;
  Tensor q = heads_of(p.q, config_.heads, late ? Norm() : config_.q_norm);
  Tensor k = heads_of(p.k, config_.kv_heads, late ? Norm() : config_.k_norm);
  Tensor v = heads_of(p.v, config_.kv_heads, {});
  if (config_.clip > 0)
    for (Tensor* t : {&q, &k, &v}) *t = clamp(*t, config_.clip);
  if (config_.rotation) {
    q = context.rotate(*config_.rotation, q);
    k = context.rotate(*config_.rotation, k);
  }
  if (context.query_scale) q = q * context.query_scale;
  if (late) {
    q = config_.q_norm(q);
    k = config_.k_norm(k);
  }
  if (config_.temperature_tuning > 0)
    q = q * temperatures(columns_of(context, q.size(2)), config_.temperature_tuning, config_.temperature_interval);
  AttentionAttrs attrs = attrs_;
  if (context.ordered_by_bias) {
    attrs.causal = false;
    attrs.window = 0;
  }
  return output_(attend(q, k, v, attrs, config_.layer, context, sinks_));
}

Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionAttrs& attrs, std::int64_t layer,
              const ForwardContext& context, const Tensor& sinks) {
  if (!context.cache) return merge_heads(attention(q, k, v, attrs, context.key_mask, context.bias, sinks));
  return merge_heads(
      context.cache->attend(static_cast<std::size_t>(layer), q, k, v, attrs, context.key_mask, context.bias, sinks));
}

}  // namespace trustformers
