// GLM-4.5 (GLM-4.5 Team 2025): LLaMA's blocks with half of each head turned, and the experts of DeepSeek-V3.
#include "deepseek_experts.h"

namespace trustformers {
namespace {

struct Glm4MoeConfig : DeepseekExpertsConfig {
  bool use_qk_norm = false;

  Glm4MoeConfig() {
    num_key_value_heads = 8;
    first_k_dense_replace = 1;
    max_position_embeddings = 131072;
    moe_intermediate_size = 1408;
    norm_eps = 1e-5;
    norm_topk_prob = true;
    partial_rotary = true;
    rope.partial_rotary_factor = 0.5;
  }
  void fields(auto& v) {
    DeepseekExpertsConfig::fields(v);
    v("use_qk_norm", use_qk_norm);
  }
  void finish(const Json& json, std::string_view where) {
    sliding_window = 0;
    layer_types.clear();
    DeepseekExpertsConfig::finish(json, where);
  }
};

std::unique_ptr<Body> glm4_moe_body(const Scope& scope, const Glm4MoeConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.output_bias = false;
    if (c.use_qk_norm) {
      attention.q_norm = RmsNorm(layer / "self_attn" / "q_norm", c.head_dim, c.norm_eps);
      attention.k_norm = RmsNorm(layer / "self_attn" / "k_norm", c.head_dim, c.norm_eps);
    }
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = c.feed_forward(layer / "mlp", i)};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_glm4_moe(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Glm4MoeConfig>(json, where);
  // Layers beyond the last predict further tokens during training.
  root.parameters().ignore({"*layers." + std::to_string(c.num_hidden_layers) + ".*"});
  return make_decoder(c, json, where, root, head, {}, false,
                      [&](const Scope& scope) { return glm4_moe_body(scope, c); });
}

}  // namespace

Architecture glm4_moe_architecture() {
  return {.model_type = "glm4_moe",
          .base_prefix = "model",
          .classes = decoder_classes("Glm4Moe", make_glm4_moe, {DecoderHead::none, DecoderHead::causal_lm})};
}

}  // namespace trustformers
