// OLMo 2 (OLMo Team 2024): RMSNorm on what the branches give instead of what they get, and on whole queries and keys.
// OLMo 3 (2025): with a window on three layers of four, which turn without the long-context scaling.
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

struct Olmo3Config : Olmo2Config {
  RopeConfig local_rope;

  Olmo3Config() {
    sliding_window = 4096;
    rope.theta = 500000;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    window_fields(v);
  }
  void finish(const Json& json, std::string_view where) {
    Olmo2Config::finish(json, where);
    local_rope.theta = rope.theta;
    rope = RopeConfig::parse_nested(json, where, rope, "full_attention");
    local_rope = RopeConfig::parse_nested(json, where, local_rope, "sliding_attention");
    alternate_layer_types(4);
  }
};

DecoderBlock olmo2_block(const Scope& layer, const Olmo2Config& c, SelfAttentionConfig attention) {
  const Scope self = layer / "self_attn";
  attention.q_norm = RmsNorm(self / "q_norm", c.num_attention_heads * c.head_dim, c.norm_eps);
  attention.k_norm = RmsNorm(self / "k_norm", c.num_key_value_heads * c.head_dim, c.norm_eps);
  attention.norm_whole_width = true;
  return {.attention_norm = {},
          .attention = std::make_unique<SelfAttention>(self, attention),
          .attention_post_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
          .mlp = gated_mlp(layer / "mlp", c.mlp(), c.activation()),
          .mlp_post_norm = RmsNorm(layer / "post_feedforward_layernorm", c.hidden_size, c.norm_eps)};
}

std::unique_ptr<Body> olmo2_body(const Scope& scope, const Olmo2Config& c) {
  auto body = stacked_decoder(
      scope, c, [&](const Scope& layer, std::int64_t i) { return olmo2_block(layer, c, c.attention(i)); });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Body> olmo3_body(const Scope& scope, const Olmo3Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) {
    SelfAttentionConfig attention = c.attention(i);
    attention.rotation = c.is_sliding(i) ? 1 : 0;
    return olmo2_block(layer, c, attention);
  });
  body->rotations.push_back(RotaryEmbedding(c.local_rope, c.head_dim, c.max_position_embeddings));
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_olmo2(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Olmo2Config>(json, where);
  return make_decoder(c, json, where, root, head, {}, false, [&](const Scope& scope) { return olmo2_body(scope, c); });
}

std::unique_ptr<Model> make_olmo3(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Olmo3Config>(json, where);
  return make_decoder(c, json, where, root, head, {}, false, [&](const Scope& scope) { return olmo3_body(scope, c); });
}

/// llama.cpp has one name for both; only OLMo 3's files have windows.
GgufArchitecture olmo2_gguf() {
  GgufArchitecture g = gguf_decoder("olmo2");
  set_gguf_name(g, "model.layers.#.post_attention_layernorm", "blk.#.post_attention_norm");
  set_gguf_name(g, "model.layers.#.post_feedforward_layernorm", "blk.#.post_ffw_norm");
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) {
    if (!m.contains("olmo2.attention.sliding_window")) return;
    c.set("model_type", "olmo3");
    set_gguf_windows(m, "olmo2", c);
  });
  return g;
}

}  // namespace

Architecture olmo2_architecture() {
  using enum DecoderHead;
  return {.model_type = "olmo2",
          .base_prefix = "model",
          .classes = decoder_classes("Olmo2", make_olmo2, {none, causal_lm, sequence_classification}),
          .gguf = olmo2_gguf()};
}

Architecture olmo3_architecture() {
  using enum DecoderHead;
  GgufArchitecture gguf = olmo2_gguf();
  gguf.config = nullptr;  // OLMo 2's makes it
  return {.model_type = "olmo3",
          .base_prefix = "model",
          .classes = decoder_classes("Olmo3", make_olmo3, {none, causal_lm, sequence_classification}),
          .gguf = std::move(gguf)};
}

}  // namespace trustformers
