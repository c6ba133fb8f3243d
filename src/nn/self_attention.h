// Self-attention, composed from policies: how queries, keys and values are stored, normed and turned.
#pragma once

#include <array>

#include "attention.h"
#include "linear.h"
#include "rope.h"

namespace trustformers {

/// What the layers of one forward pass share.
struct ForwardContext {
  Tensor positions;              // [1 or B, L] i64
  Tensor key_mask;               // [B, S] bool; undefined: nothing is padded
  Tensor bias;                   // added to the scores, broadcastable to [B, H, L, S] (ALiBi); undefined: none
  bool ordered_by_bias = false;  // `bias` also hides by position (later keys, windows), instead of the layers
  Tensor query_scale = {};       // [1 or B, 1, L, 1], multiplies the queries; undefined: none
  Tensor encoder_states = {}, encoder_mask = {};  // of cross-attention: [B, T, E], [B, T] bool or undefined
  AttentionCache* cache = nullptr;
  std::int64_t past = 0;  // positions in the cache before this pass
  /// Where layers with routers leave their logits, or nullptr.
  std::vector<Tensor>* router_logits = nullptr;
  struct Rotation {
    const RotaryEmbedding* embedding = nullptr;
    RotaryEmbedding::Tables tables;
  };
  InlineVector<Rotation, 2> rotations;  // most models have one; some another for their local layers

  /// x [B, H, L, D] turned by rotary embedding number `index`.
  Tensor rotate(std::size_t index, const Tensor& x) const {
    const Rotation& r = rotations[index];
    return (*r.embedding)(x, r.tables, positions);
  }
};

/// What mixes positions in a layer: [B, L, D] -> [B, L, D].
class TokenMixer {
 public:
  virtual ~TokenMixer() = default;
  virtual Tensor operator()(const Tensor& x, const ForwardContext& context) const = 0;
};

struct SelfAttentionConfig {
  std::int64_t hidden_size = 0, heads = 0, kv_heads = 0, head_dim = 0;
  std::int64_t layer = 0;  // number of the layer, its slot in the cache
  bool bias = false;       // of queries, keys and values
  bool output_bias = false;
  bool causal = true;

  /// separate: three matrices. stacked: one, [q; k; v]. grouped: one, for each key head its queries, its key, its
  /// value. sharded: one, in shards of heads that are each [q; v; k] (CodeGen, as its four machines held it).
  enum class Packing { separate, stacked, grouped, sharded };
  Packing packing = Packing::separate;
  std::int64_t shards = 1;
  std::array<std::string_view, 3> names = {"q_proj", "k_proj", "v_proj"};  // the first alone unless separate
  std::string_view output_name = "o_proj";
  Linear::Stored stored = Linear::Stored::output_major;

  Norm q_norm = {}, k_norm = {};  // before the rotation
  /// Norms of whole projections [B, L, H·D] instead of single heads [B, L, H, D].
  bool norm_whole_width = false;
  double clip = 0;                          // > 0: queries, keys and values are clamped to ±clip, after the norms
  std::optional<std::size_t> rotation = 0;  // number in ForwardContext::rotations, or none
  double scale = 0;                         // of the scores; 0: 1/sqrt(head_dim)
  std::int64_t window = 0;                  // as AttentionAttrs
  double softcap = 0;                       // as AttentionAttrs
  std::int64_t chunk = 0;                   // as AttentionAttrs
  bool sinks = false;                       // the parameter `sinks` [H], as attention()
  bool norm_after_rotation = false;         // q_norm and k_norm come after the rotation
  /// tuning > 0: queries are multiplied by 1 + tuning · log(1 + floor((column + 1) / interval)), so that attention
  /// stays sharp over long texts (Nakanishi 2025).
  double temperature_tuning = 0;
  std::int64_t temperature_interval = 0;
};

/// softmax(q·kᵀ·scale)·v over the past and this pass (Vaswani et al. 2017), with grouped keys (Ainslie et al. 2023).
class SelfAttention final : public TokenMixer {
 public:
  SelfAttention(const Scope& scope, const SelfAttentionConfig& config);
  Tensor operator()(const Tensor& x, const ForwardContext& context) const override;

 private:
  struct Projected {
    Tensor q, k, v;  // [B, L, H·D] or [B, L, H, D]
  };
  Projected project(const Tensor& x) const;
  Tensor heads_of(const Tensor& projected, std::int64_t heads, const Norm& norm) const;

  SelfAttentionConfig config_;
  AttentionAttrs attrs_;
  std::array<Linear, 3> inputs_;  // the first alone when packed
  Linear output_;
  Tensor sinks_;
};

/// Appends k and v to the cache if there is one, and attends: q [B, H, L, D] -> [B, L, H·D].
Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionAttrs& attrs, std::int64_t layer,
              const ForwardContext& context, const Tensor& sinks = Tensor());

}  // namespace trustformers
