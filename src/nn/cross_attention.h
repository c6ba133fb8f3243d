// Attention to the states of an encoder.
#pragma once

#include "self_attention.h"

namespace trustformers {

/// softmax(q·kᵀ·scale)·v with keys and values, from two matrices or (stacked) one, from ForwardContext::encoder_states
/// [B, T, E] (Vaswani et al. 2017). A cache keeps them from its first pass on. Takes sizes, names, biases and scale of
/// the config; the rest is for self-attention.
class CrossAttention final : public TokenMixer {
 public:
  /// `encoder_size` is E; 0: as hidden_size.
  CrossAttention(const Scope& scope, const SelfAttentionConfig& config, std::int64_t encoder_size = 0);
  Tensor operator()(const Tensor& x, const ForwardContext& context) const override;

 private:
  std::int64_t heads_, kv_heads_, layer_;
  bool stacked_;
  AttentionAttrs attrs_;
  Linear query_, key_, value_, output_;  // stacked: key_ holds both [k; v]
};

}  // namespace trustformers
