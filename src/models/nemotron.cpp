// Nemotron and Minitron (NVIDIA 2024): LayerNorm that multiplies by one plus its weight, a plain feed-forward of
// squared ReLU, half of each head turned.
#include "decoder.h"

namespace trustformers {
namespace {

struct NemotronConfig : DecoderConfig {
  NemotronConfig() {
    hidden_act = "relu2";
    norm_eps = 1e-5;
    max_position_embeddings = 4096;
    partial_rotary = true;
    rope.partial_rotary_factor = 0.5;
  }
  Norm norm(const Scope& scope) const {
    return LayerNorm(scope, hidden_size, norm_eps, true, NormGain::one_plus_weight);
  }
};

std::unique_ptr<Body> nemotron_body(const Scope& scope, const NemotronConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    return {.attention_norm = c.norm(layer / "input_layernorm"),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", c.attention(i)),
            .mlp_norm = c.norm(layer / "post_attention_layernorm"),
            .mlp = plain_mlp(layer / "mlp", c.mlp(), c.activation(), "up_proj", "down_proj")};
  });
  body->norm = c.norm(scope / "norm");
  return body;
}

std::unique_ptr<Model> make_nemotron(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<NemotronConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.question_answering_body = "transformer"}, false,
                      [&](const Scope& scope) { return nemotron_body(scope, c); });
}

GgufArchitecture nemotron_gguf() {
  GgufArchitecture g = gguf_decoder("nemotron");
  shift_gguf_norms(g);
  return g;
}

}  // namespace

Architecture nemotron_architecture() {
  return {.model_type = "nemotron",
          .base_prefix = "model",
          .classes = decoder_classes("Nemotron", make_nemotron),
          .gguf = nemotron_gguf()};
}

}  // namespace trustformers
