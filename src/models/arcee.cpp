// AFM (Arcee 2025): LLaMA with a plain feed-forward of squared ReLU.
#include "decoder.h"

namespace trustformers {
namespace {

struct ArceeConfig : DecoderConfig {
  ArceeConfig() {
    hidden_act = "relu2";
    norm_eps = 1e-5;
    max_position_embeddings = 4096;
  }
};

std::unique_ptr<Body> arcee_body(const Scope& scope, const ArceeConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", c.attention(i)),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = plain_mlp(layer / "mlp", c.mlp(), c.activation(), "up_proj", "down_proj")};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_arcee(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<ArceeConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.question_answering_body = "transformer"}, false,
                      [&](const Scope& scope) { return arcee_body(scope, c); });
}

GgufArchitecture arcee_gguf() {
  GgufArchitecture g = gguf_decoder("arcee");
  pair_gguf_heads(g);
  return g;
}

}  // namespace

Architecture arcee_architecture() {
  return {.model_type = "arcee",
          .base_prefix = "model",
          .classes = decoder_classes("Arcee", make_arcee),
          .gguf = arcee_gguf()};
}

}  // namespace trustformers
