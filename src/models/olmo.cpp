// OLMo (Groeneveld et al. 2024): LLaMA with LayerNorm that has no weights, and clipped queries, keys and values.
#include "decoder.h"

namespace trustformers {
namespace {

struct OlmoConfig : DecoderConfig {
  double clip_qkv = 0;

  void fields(auto& v) {
    DecoderConfig::fields(v);
    v.nullable("clip_qkv", clip_qkv);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    mlp_bias = false;  // whatever the file says
  }
};

std::unique_ptr<Body> olmo_body(const Scope& scope, const OlmoConfig& c) {
  const LayerNorm norm = LayerNorm::plain(1e-5);
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.clip = c.clip_qkv;
    return {.attention_norm = norm,
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp_norm = norm,
            .mlp = gated_mlp(layer / "mlp", c.mlp(), c.activation())};
  });
  body->norm = norm;
  return body;
}

std::unique_ptr<Model> make_olmo(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<OlmoConfig>(json, where);
  return make_decoder(c, json, where, root, head, {}, false, [&](const Scope& scope) { return olmo_body(scope, c); });
}

GgufArchitecture olmo_gguf() {
  GgufArchitecture g = gguf_decoder("olmo");
  pair_gguf_heads(g);
  extend_gguf_config(
      g, [](const GgufMetadata& m, Json& c) { c.set("clip_qkv", m.get_double("olmo.attention.clamp_kqv", 0)); });
  return g;
}

}  // namespace

Architecture olmo_architecture() {
  using enum DecoderHead;
  return {.model_type = "olmo",
          .base_prefix = "model",
          .classes = decoder_classes("Olmo", make_olmo, {none, causal_lm, sequence_classification}),
          .gguf = olmo_gguf()};
}

}  // namespace trustformers
