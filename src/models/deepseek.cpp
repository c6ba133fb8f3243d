#include "deepseek.h"

#include "deepseek_experts.h"

namespace trustformers {

void DeepseekConfig::finish(const Json& json, std::string_view where) {
  if (const Json* rank = json.find("q_lora_rank"); rank && rank->is_null()) q_lora_rank.reset();
  sliding_window = 0;
  output_router_logits = false;  // these models have no balancing loss
  MoeDecoderConfig::finish(json, where);
  head_dim = qk_rope_head_dim;  // what is rotated
  check(num_key_value_heads == num_attention_heads, ErrorCode::parse, "[config] ", where,
        ": latent attention has a key for each head, \"num_key_value_heads\" is ", num_key_value_heads, " of ",
        num_attention_heads);
  const std::pair<std::string_view, std::int64_t> sizes[] = {{"kv_lora_rank", kv_lora_rank},
                                                             {"q_lora_rank", q_lora_rank.value_or(1)},
                                                             {"qk_nope_head_dim", qk_nope_head_dim},
                                                             {"qk_rope_head_dim", qk_rope_head_dim},
                                                             {"v_head_dim", v_head_dim}};
  for (const auto& [key, size] : sizes)
    check(size > 0, ErrorCode::parse, "[config] ", where, ": \"", key, "\" must be a positive number, got ", size);
  check(moe_layer_freq == 1, ErrorCode::unsupported, "[config] ", where,
        ": only a \"moe_layer_freq\" of 1 is known, got ", moe_layer_freq);
}

LatentAttentionConfig DeepseekConfig::latent_attention(std::int64_t i) const {
  LatentAttentionConfig out{.hidden_size = hidden_size,
                            .heads = num_attention_heads,
                            .layer = i,
                            .q_rank = q_lora_rank.value_or(0),
                            .kv_rank = kv_lora_rank,
                            .nope_dim = qk_nope_head_dim,
                            .rope_dim = qk_rope_head_dim,
                            .value_dim = v_head_dim,
                            .bias = attention_bias,
                            .scale = 1 / std::sqrt(static_cast<double>(qk_nope_head_dim + qk_rope_head_dim))};
  if (rope.type != "default" && rope.factor.value_or(1) > 1) {
    const double stretched = 0.1 * rope.mscale_all_dim.value_or(0) * std::log(*rope.factor) + 1;
    out.scale *= stretched * stretched;
  }
  return out;
}

std::unique_ptr<Body> deepseek_body(const Scope& scope, const DeepseekConfig& c, const MoeConfig& moe) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<LatentAttention>(layer / "self_attn", c.latent_attention(i)),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = i < c.first_k_dense_replace
                       ? gated_mlp(layer / "mlp", c.mlp(), c.activation())
                       : deepseek_experts(layer / "mlp", c, moe, c.n_shared_experts.value_or(0))};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

GgufArchitecture deepseek_gguf() {
  GgufArchitecture g{.name = "deepseek2", .config = {}, .names = gguf_decoder_names()};
  const std::string self = "model.layers.#.self_attn.", mlp = "model.layers.#.mlp.";
  for (const auto& [ours, theirs] :
       {std::pair{"q_a_proj", "blk.#.attn_q_a"}, std::pair{"q_a_layernorm", "blk.#.attn_q_a_norm"},
        std::pair{"q_b_proj", "blk.#.attn_q_b"}, std::pair{"kv_a_proj_with_mqa", "blk.#.attn_kv_a_mqa"},
        std::pair{"kv_a_layernorm", "blk.#.attn_kv_a_norm"}, std::pair{"kv_b_proj", "blk.#.attn_kv_b"},
        std::pair{"k_b_proj", "blk.#.attn_k_b"}, std::pair{"v_b_proj", "blk.#.attn_v_b"}})
    g.names.push_back({self + ours, theirs});
  for (const auto& [ours, theirs] : {std::pair{"shared_experts.gate_proj", "blk.#.ffn_gate_shexp"},
                                     std::pair{"shared_experts.up_proj", "blk.#.ffn_up_shexp"},
                                     std::pair{"shared_experts.down_proj", "blk.#.ffn_down_shexp"},
                                     std::pair{"gate.e_score_correction_bias", "blk.#.exp_probs_b.bias"}})
    g.names.push_back({mlp + ours, theirs});
  add_gguf_experts(g, mlp + "gate", mlp + "experts");
  return g;
}

}  // namespace trustformers
