// What DeepSeek-V2 and V3 share: latent attention, and dense layers followed by mixtures with shared experts.
#pragma once

#include <cmath>
#include <optional>

#include "../nn/latent_attention.h"
#include "moe_decoder.h"

namespace trustformers {

struct DeepseekConfig : MoeDecoderConfig {
  std::optional<std::int64_t> q_lora_rank = 1536;  // none: queries are not compressed
  std::optional<std::int64_t> n_shared_experts, n_group, topk_group;
  std::int64_t kv_lora_rank = 512, qk_nope_head_dim = 128, qk_rope_head_dim = 64, v_head_dim = 128;
  std::int64_t first_k_dense_replace = 0, moe_layer_freq = 1;
  double routed_scaling_factor = 1;
  std::string scoring_func;

  void fields(auto& v) {
    MoeDecoderConfig::fields(v);
    v("q_lora_rank", q_lora_rank);
    v("kv_lora_rank", kv_lora_rank);
    v("qk_nope_head_dim", qk_nope_head_dim);
    v("qk_rope_head_dim", qk_rope_head_dim);
    v("v_head_dim", v_head_dim);
    v("n_shared_experts", n_shared_experts);
    v("n_group", n_group);
    v("topk_group", topk_group);
    v("routed_scaling_factor", routed_scaling_factor);
    v("first_k_dense_replace", first_k_dense_replace);
    v("moe_layer_freq", moe_layer_freq);
    v("scoring_func", scoring_func);
  }
  void finish(const Json& json, std::string_view where);

  LatentAttentionConfig latent_attention(std::int64_t i) const;
};

/// `moe` says how the architecture's routers choose.
std::unique_ptr<Body> deepseek_body(const Scope& scope, const DeepseekConfig& config, const MoeConfig& moe);

/// How llama.cpp names the layers of both. Without a config: that is V2's.
GgufArchitecture deepseek_gguf();

}  // namespace trustformers
