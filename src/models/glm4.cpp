// GLM-4-0414 and GLM-Z1 (Z.ai 2025): GLM with norms after the branches too.
#include "decoder.h"

namespace trustformers {
namespace {

struct Glm4Config : DecoderConfig {
  Glm4Config() {
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

std::unique_ptr<Body> glm4_body(const Scope& scope, const Glm4Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", c.attention(i)),
            .attention_post_norm = RmsNorm(layer / "post_self_attn_layernorm", c.hidden_size, c.norm_eps),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = fused_gated_mlp(layer / "mlp", c.mlp(), c.activation()),
            .mlp_post_norm = RmsNorm(layer / "post_mlp_layernorm", c.hidden_size, c.norm_eps)};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_glm4(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Glm4Config>(json, where);
  return make_decoder(c, json, where, root, head, {}, false, [&](const Scope& scope) { return glm4_body(scope, c); });
}

}  // namespace

Architecture glm4_architecture() {
  using enum DecoderHead;
  return {
      .model_type = "glm4",
      .base_prefix = "model",
      .classes = decoder_classes("Glm4", make_glm4, {none, causal_lm, sequence_classification, token_classification}),
      .gguf = {}};
}

}  // namespace trustformers
