// Command R (Cohere 2024): attention and feed-forward side by side on one LayerNorm without bias; scaled logits.
#include "decoder.h"

namespace trustformers {
namespace {

struct CohereConfig : DecoderConfig {
  double logit_scale = 0.0625;
  bool use_qk_norm = false;

  CohereConfig() {
    norm_eps = 1e-5;
    max_position_embeddings = 8192;
    rope.theta = 500000;
    rope_interleaved = true;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("logit_scale", logit_scale);
    v("use_qk_norm", use_qk_norm);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    mlp_bias = false;  // whatever the file says
  }
};

std::unique_ptr<Body> cohere_body(const Scope& scope, const CohereConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    if (c.use_qk_norm) {
      const Scope self = layer / "self_attn";
      attention.q_norm = HeadLayerNorm(self / "q_norm", c.num_attention_heads, c.head_dim, c.norm_eps);
      attention.k_norm = HeadLayerNorm(self / "k_norm", c.num_key_value_heads, c.head_dim, c.norm_eps);
    }
    return {.attention_norm = LayerNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps, false),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp = gated_mlp(layer / "mlp", c.mlp(), c.activation()),
            .layout = DecoderBlock::Layout::parallel};
  });
  body->norm = LayerNorm(scope / "norm", c.hidden_size, c.norm_eps, false);
  return body;
}

std::unique_ptr<Model> make_cohere(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<CohereConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.logits_scale = c.logit_scale}, true,
                      [&](const Scope& scope) { return cohere_body(scope, c); });
}

GgufArchitecture cohere_gguf() {
  GgufArchitecture g = gguf_decoder("command-r", "cohere");
  extend_gguf_config(
      g, [](const GgufMetadata& m, Json& c) { c.set("logit_scale", m.get_double("command-r.logit_scale")); });
  g.from_tensors = [](const WeightSource& source, Json& c) {
    c.set("use_qk_norm", source.find("blk.0.attn_q_norm.weight") != nullptr);
  };
  return g;
}

}  // namespace

Architecture cohere_architecture() {
  using enum DecoderHead;
  return {.model_type = "cohere",
          .base_prefix = "model",
          .classes = decoder_classes("Cohere", make_cohere, {none, causal_lm}),
          .gguf = cohere_gguf()};
}

}  // namespace trustformers
