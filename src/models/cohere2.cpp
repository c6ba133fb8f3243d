// Command R7B and Command A (Cohere 2024): Cohere with windows; only the layers that have one know positions.
#include "decoder.h"

namespace trustformers {
namespace {

struct Cohere2Config : DecoderConfig {
  double logit_scale = 0.0625;
  std::int64_t sliding_window_pattern = 4;

  Cohere2Config() {
    norm_eps = 1e-5;
    max_position_embeddings = 8192;
    sliding_window = 4096;
    rope_interleaved = true;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    window_fields(v);
    v("sliding_window_pattern", sliding_window_pattern);
    v("logit_scale", logit_scale);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    check(sliding_window_pattern > 0, ErrorCode::parse, "[config] ", where,
          ": \"sliding_window_pattern\" must be positive, got ", sliding_window_pattern);
    alternate_layer_types(sliding_window_pattern);
    mlp_bias = false;
  }
};

std::unique_ptr<Body> cohere2_body(const Scope& scope, const Cohere2Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    if (attention.window == 0) attention.rotation = {};
    return {.attention_norm = LayerNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps, false),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp = gated_mlp(layer / "mlp", c.mlp(), c.activation()),
            .layout = DecoderBlock::Layout::parallel};
  });
  body->norm = LayerNorm(scope / "norm", c.hidden_size, c.norm_eps, false);
  return body;
}

std::unique_ptr<Model> make_cohere2(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Cohere2Config>(json, where);
  return make_decoder(c, json, where, root, head, {.logits_scale = c.logit_scale}, true,
                      [&](const Scope& scope) { return cohere2_body(scope, c); });
}

GgufArchitecture cohere2_gguf() {
  GgufArchitecture g = gguf_decoder("cohere2");
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) {
    c.set("logit_scale", m.get_double("cohere2.logit_scale"));
    c.set("sliding_window", m.get_int("cohere2.attention.sliding_window"));
  });
  return g;
}

}  // namespace

Architecture cohere2_architecture() {
  using enum DecoderHead;
  return {.model_type = "cohere2",
          .base_prefix = "model",
          .classes = decoder_classes("Cohere2", make_cohere2, {none, causal_lm}),
          .gguf = cohere2_gguf()};
}

}  // namespace trustformers
