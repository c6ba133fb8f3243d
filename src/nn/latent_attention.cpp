#include "latent_attention.h"

#include "../ops/elementwise/unary.h"
#include "../ops/matmul/matmul.h"

namespace trustformers {
namespace {

constexpr double norm_eps = 1e-6;  // of the norms within, whatever the config says of the others

Tensor join(const Tensor& a, const Tensor& b) {
  const std::array<Tensor, 2> parts = {a, b};
  return concat(parts, -1);
}

/// The expansion from what GGUF files hold for attention in the latent space: k_b_proj [H, rank, nope], v_b_proj
/// [H, value, rank].
Linear expansion_by_head(const Scope& scope, const LatentAttentionConfig& c) {
  const Tensor keys = (scope / "k_b_proj").get("weight", {c.heads, c.kv_rank, c.nope_dim});
  const Tensor values = (scope / "v_b_proj").get("weight", {c.heads, c.value_dim, c.kv_rank});
  if (!keys.defined() || !values.defined()) return {};
  const NoGrad no_grad;
  const std::array<Tensor, 2> parts = {transpose(cast(keys, DType::f32), 1, 2), cast(values, DType::f32)};
  const Tensor weight = reshape(concat(parts, 1), {c.heads * (c.nope_dim + c.value_dim), c.kv_rank});
  return Linear::tied(scope, weight, scope.name("kv_b_proj.weight"));
}

}  // namespace

LatentAttention::LatentAttention(const Scope& scope, const LatentAttentionConfig& c)
    : config_(c), attrs_{.scale = c.scale, .causal = true} {
  const std::int64_t queries = c.heads * (c.nope_dim + c.rope_dim);
  if (c.q_rank > 0) {
    q_compress_ = Linear(scope / "q_a_proj", c.hidden_size, c.q_rank, c.bias);
    q_norm_ = RmsNorm(scope / "q_a_layernorm", c.q_rank, norm_eps);
    q_ = Linear(scope / "q_b_proj", c.q_rank, queries, false);
  } else {
    q_ = Linear(scope / "q_proj", c.hidden_size, queries, false);
  }
  kv_compress_ = Linear(scope / "kv_a_proj_with_mqa", c.hidden_size, c.kv_rank + c.rope_dim, c.bias);
  kv_norm_ = RmsNorm(scope / "kv_a_layernorm", c.kv_rank, norm_eps);
  kv_expand_ = (scope / "k_b_proj").stored("weight")
                   ? expansion_by_head(scope, c)
                   : Linear(scope / "kv_b_proj", c.kv_rank, c.heads * (c.nope_dim + c.value_dim), false);
  output_ = Linear(scope / "o_proj", c.heads * c.value_dim, c.hidden_size, c.bias);

  // An adapter is part of the expansion, and a weight in training changes: both stay with the plain form.
  const ParameterOptions& options = scope.options();
  if (!kv_expand_.weight().defined() || options.trainable || (options.adapter && !options.merge_adapter)) return;
  const NoGrad no_grad;
  const Tensor weight = reshape(cast(kv_expand_.weight(), DType::f32), {c.heads, c.nope_dim + c.value_dim, c.kv_rank});
  expand_keys_ = contiguous(slice(weight, 1, 0, c.nope_dim));
  expand_values_ = contiguous(slice(weight, 1, c.nope_dim));
}

Tensor LatentAttention::operator()(const Tensor& x, const ForwardContext& context) const {
  const Tensor q = split_heads(q_(config_.q_rank > 0 ? q_norm_(q_compress_(x)) : x), config_.heads);
  const Tensor q_nope = slice(q, 3, 0, config_.nope_dim);
  const Tensor q_rope = context.rotate(0, slice(q, 3, config_.nope_dim));

  const Tensor compressed = kv_compress_(x);
  Tensor latent = unsqueeze(kv_norm_(slice(compressed, 2, 0, config_.kv_rank)), 1);        // [B, 1, L, rank]
  Tensor k_rope = context.rotate(0, unsqueeze(slice(compressed, 2, config_.kv_rank), 1));  // [B, 1, L, rope]
  if (context.cache) {
    const auto all = context.cache->update(static_cast<std::size_t>(config_.layer), latent, k_rope);
    latent = all.keys;
    k_rope = all.values;
  }
  // Expanding costs rank · (nope + value) a key and head, the latent space 2 · rank a query, key and head.
  const bool few = context.cache && expand_keys_.defined() && 2 * x.size(1) <= config_.nope_dim + config_.value_dim;
  return output_(few ? attend_latent(q_nope, q_rope, latent, k_rope, context)
                     : attend_expanded(q_nope, q_rope, latent, k_rope, context));
}

Tensor LatentAttention::attend_expanded(const Tensor& q_nope, const Tensor& q_rope, const Tensor& latent,
                                        const Tensor& k_rope, const ForwardContext& context) const {
  const Tensor expanded = split_heads(kv_expand_(squeeze(latent, 1)), config_.heads);
  Shape shared = k_rope.shape();
  shared[1] = config_.heads;
  const Tensor k = join(slice(expanded, 3, 0, config_.nope_dim), expand(k_rope, shared));
  const Tensor v = slice(expanded, 3, config_.nope_dim);
  return merge_heads(attention(join(q_nope, q_rope), k, v, attrs_, context.key_mask, context.bias));
}

/// q · (K latent) = (q K) · latent, and Σ weight · (V latent) = V Σ weight · latent.
Tensor LatentAttention::attend_latent(const Tensor& q_nope, const Tensor& q_rope, const Tensor& latent,
                                      const Tensor& k_rope, const ForwardContext& context) const {
  const Tensor q = join(matmul(q_nope, expand_keys_), q_rope);
  const Tensor mixed = attention(q, join(latent, k_rope), latent, attrs_, context.key_mask, context.bias);
  return merge_heads(matmul(mixed, transpose(expand_values_, 1, 2)));
}

}  // namespace trustformers
