// GLM-4 of 2024 (GLM Team 2024): LLaMA with biases on queries, keys and values, half of each head turned, in pairs.
#include "decoder.h"

namespace trustformers {
namespace {

struct GlmConfig : DecoderConfig {
  GlmConfig() {
    num_key_value_heads = 2;
    head_dim = 128;
    norm_eps = 1.5625e-7;
    attention_bias = true;
    max_position_embeddings = 131072;
    rope.partial_rotary_factor = 0.5;
    rope_interleaved = true;
  }
  SelfAttentionConfig attention(std::int64_t i) const {
    SelfAttentionConfig attention = DecoderConfig::attention(i);
    attention.output_bias = false;
    return attention;
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    mlp_bias = false;  // whatever the file says
  }
};

std::unique_ptr<Body> glm_body(const Scope& scope, const GlmConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", c.attention(i)),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = fused_gated_mlp(layer / "mlp", c.mlp(), c.activation())};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_glm(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<GlmConfig>(json, where);
  return make_decoder(c, json, where, root, head, {}, false, [&](const Scope& scope) { return glm_body(scope, c); });
}

}  // namespace

Architecture glm_architecture() {
  using enum DecoderHead;
  return {.model_type = "glm",
          .base_prefix = "model",
          .classes = decoder_classes("Glm", make_glm, {none, causal_lm, sequence_classification, token_classification}),
          .gguf = {}};
}

}  // namespace trustformers
