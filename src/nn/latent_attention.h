// Attention over compressed keys and values (MLA; DeepSeek-V2, 2024).
#pragma once

#include "self_attention.h"

namespace trustformers {

struct LatentAttentionConfig {
  std::int64_t hidden_size = 0, heads = 0;
  std::int64_t layer = 0;
  std::int64_t q_rank = 0;     // width of the compressed queries; 0: they are not compressed
  std::int64_t kv_rank = 0;    // width of the compressed keys and values
  std::int64_t nope_dim = 0;   // of a head's query and key, without position
  std::int64_t rope_dim = 0;   // of a head's query, and of the one key that all heads share, rotated
  std::int64_t value_dim = 0;  // of a head's value
  bool bias = false;           // of the compressing projections and of the output
  double scale = 1;            // of the scores
};

/// A GGUF checkpoint may hold the expansion apart for keys and values; it can then not be trained.
/// The cache holds what is compressed: a latent vector and a rotated key a position, whatever the number of heads. A
/// few new positions attend in the latent space, where the expansion of keys and values is applied to queries and
/// results instead; many, and all while gradients are recorded, attend to expanded keys and values.
class LatentAttention final : public TokenMixer {
 public:
  LatentAttention(const Scope& scope, const LatentAttentionConfig& config);
  Tensor operator()(const Tensor& x, const ForwardContext& context) const override;

 private:
  Tensor attend_expanded(const Tensor& q_nope, const Tensor& q_rope, const Tensor& latent, const Tensor& k_rope,
                         const ForwardContext& context) const;
  Tensor attend_latent(const Tensor& q_nope, const Tensor& q_rope, const Tensor& latent, const Tensor& k_rope,
                       const ForwardContext& context) const;

  LatentAttentionConfig config_;
  AttentionAttrs attrs_;
  Linear q_compress_, q_, kv_compress_, kv_expand_, output_;
  RmsNorm q_norm_, kv_norm_;
  Tensor expand_keys_, expand_values_;  // [H, nope, rank] and [H, value, rank] in f32; undefined: always expanded
};

}  // namespace trustformers
