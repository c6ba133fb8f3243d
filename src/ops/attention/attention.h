// Scaled dot-product attention: the one attention function of the house.
#pragma once

#include "../../tensor/op.h"

namespace trustformers {

/// Which keys a query sees. Query i of L stands at key position S - L + i.
struct AttentionAttrs {
  double scale = 1;
  /// Keys after the query's position are hidden.
  bool causal = false;
  /// > 0: only keys within `window` positions are seen: 0 <= i - j < window when causal, |i - j| < window else.
  std::int64_t window = 0;
  /// > 0: keys and queries lie in chunks of so many positions, and only keys of the query's own chunk are seen
  /// (Llama 4).
  std::int64_t chunk = 0;
  /// Keys below this index are seen by every query, whatever causal, window and chunk say.
  std::int64_t prefix = 0;
  /// > 0: scores become softcap · tanh(score / softcap) before the masks (Gemma 2).
  double softcap = 0;
};

/// softmax(q·kᵀ·scale + masks)·v. q [B, Hq, L, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] with Hq a multiple of Hkv
/// -> [B, Hq, L, Dv]. key_mask [B, S] (bool; false hides a key) or undefined; bias broadcastable to [B, Hq, L, S]
/// (floating; added to the scaled scores) or undefined. sinks [Hq] (floating) or undefined: for each query head the
/// score of one more key, which every query sees and whose value is zero (Xiao et al. 2023; gpt-oss). A query that sees
/// no key and no sink gives the mean of all S values, as if what hides keys were large numbers taken from their scores.
/// Kernels never materialise the L x S scores.
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionAttrs& attrs,
                 const Tensor& key_mask = Tensor(), const Tensor& bias = Tensor(), const Tensor& sinks = Tensor());

extern const OpDef attention_op;

}  // namespace trustformers
