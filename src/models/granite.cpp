// Granite (IBM 2024): LLaMA with four multipliers.
#include "decoder.h"

namespace trustformers {
namespace {

struct GraniteConfig : DecoderConfig {
  double embedding_multiplier = 1, attention_multiplier = 1, residual_multiplier = 1, logits_scaling = 1;

  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("embedding_multiplier", embedding_multiplier);
    v("attention_multiplier", attention_multiplier);
    v("residual_multiplier", residual_multiplier);
    v("logits_scaling", logits_scaling);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    check(attention_multiplier != 0 && logits_scaling != 0, ErrorCode::parse, "[config] ", where,
          ": \"attention_multiplier\" and \"logits_scaling\" must not be 0");
  }
};

std::unique_ptr<Body> granite_body(const Scope& scope, const GraniteConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) {
    SelfAttentionConfig attention = c.attention(i);
    attention.scale = c.attention_multiplier;
    DecoderBlock block = llama_block(layer, c, attention);
    block.residual_scale = c.residual_multiplier;
    return block;
  });
  body->embedding_scale = c.embedding_multiplier;
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_granite(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<GraniteConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.logits_scale = 1 / c.logits_scaling}, false,
                      [&](const Scope& scope) { return granite_body(scope, c); });
}

GgufArchitecture granite_gguf() {
  GgufArchitecture g = gguf_decoder("granite");
  pair_gguf_heads(g);
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) { set_granite_scales(m, "granite", c); });
  return g;
}

}  // namespace

Architecture granite_architecture() {
  using enum DecoderHead;
  return {.model_type = "granite",
          .base_prefix = "model",
          .classes = decoder_classes("Granite", make_granite, {none, causal_lm}),
          .gguf = granite_gguf()};
}

}  // namespace trustformers
