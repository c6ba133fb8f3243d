// OLMo 2 (OLMo Team 2024): RMSNorm on what the branches give instead of what they get, and on whole queries and keys.
#include "decoder.h"

namespace trustformers {
namespace {

struct Olmo2Config : DecoderConfig {
  Olmo2Config() { norm_eps = 1e-5; }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    mlp_bias = false;  // whatever the file says
  }
};

std::unique_ptr<Body> olmo2_body(const Scope& scope, const Olmo2Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    const Scope self = layer / "self_attn";
    attention.q_norm = RmsNorm(self / "q_norm", c.num_attention_heads * c.head_dim, c.norm_eps);
    attention.k_norm = RmsNorm(self / "k_norm", c.num_key_value_heads * c.head_dim, c.norm_eps);
    attention.norm_whole_width = true;
    return {.attention_norm = {},
            .attention = std::make_unique<SelfAttention>(self, attention),
            .attention_post_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = gated_mlp(layer / "mlp", c.mlp(), c.activation()),
            .mlp_post_norm = RmsNorm(layer / "post_feedforward_layernorm", c.hidden_size, c.norm_eps)};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_olmo2(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Olmo2Config>(json, where);
  return make_decoder(c, json, where, root, head, {}, false, [&](const Scope& scope) { return olmo2_body(scope, c); });
}

}  // namespace

Architecture olmo2_architecture() {
  using enum DecoderHead;
  return {.model_type = "olmo2",
          .base_prefix = "model",
          .classes = decoder_classes("Olmo2", make_olmo2, {none, causal_lm, sequence_classification}),
          .gguf = {}};
}

}  // namespace trustformers
