// OLMo 3 (OLMo Team 2025): OLMo 2 with a window on three layers of four, which turn without the long-context scaling.
#include "decoder.h"

namespace trustformers {
namespace {

struct Olmo3Config : DecoderConfig {
  RopeConfig local_rope;

  Olmo3Config() {
    norm_eps = 1e-5;
    sliding_window = 4096;
    rope.theta = 500000;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    window_fields(v);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    local_rope.theta = rope.theta;
    rope = RopeConfig::parse_nested(json, where, rope, "full_attention");
    local_rope = RopeConfig::parse_nested(json, where, local_rope, "sliding_attention");
    alternate_layer_types(4);
    mlp_bias = false;  // whatever the file says
  }
};

std::unique_ptr<Body> olmo3_body(const Scope& scope, const Olmo3Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.rotation = c.is_sliding(i) ? 1 : 0;
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
  body->rotations.push_back(RotaryEmbedding(c.local_rope, c.head_dim, c.max_position_embeddings));
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_olmo3(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Olmo3Config>(json, where);
  return make_decoder(c, json, where, root, head, {}, false, [&](const Scope& scope) { return olmo3_body(scope, c); });
}

}  // namespace

Architecture olmo3_architecture() {
  using enum DecoderHead;
  return {.model_type = "olmo3",
          .base_prefix = "model",
          .classes = decoder_classes("Olmo3", make_olmo3, {none, causal_lm, sequence_classification}),
          .gguf = {}};
}

}  // namespace trustformers
