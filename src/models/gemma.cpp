// Gemma (Gemma Team 2024): LLaMA with norms that multiply by one plus their weight, scaled embeddings and GeGLU.
#include <cmath>

#include "decoder.h"

namespace trustformers {
namespace {

struct GemmaConfig : DecoderConfig {
  bool use_bidirectional_attention = false;

  GemmaConfig() {
    num_key_value_heads = 16;
    head_dim = 256;
    hidden_act = "gelu_pytorch_tanh";
    max_position_embeddings = 8192;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("use_bidirectional_attention", use_bidirectional_attention);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    check(!use_bidirectional_attention, ErrorCode::unsupported, "[config] ", where,
          ": \"use_bidirectional_attention\" is not supported");
    if (hidden_act == "gelu") hidden_act = "gelu_pytorch_tanh";  // what the first files meant
    mlp_bias = false;                                            // whatever the file says
  }
  Norm norm(const Scope& scope) const { return RmsNorm(scope, hidden_size, norm_eps, NormGain::one_plus_weight); }
};

std::unique_ptr<Body> gemma_body(const Scope& scope, const GemmaConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    return {.attention_norm = c.norm(layer / "input_layernorm"),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", c.attention(i)),
            .mlp_norm = c.norm(layer / "post_attention_layernorm"),
            .mlp = gated_mlp(layer / "mlp", c.mlp(), c.activation())};
  });
  body->embedding_scale = std::sqrt(static_cast<double>(c.hidden_size));
  body->scales_given_embeddings = false;
  body->norm = c.norm(scope / "norm");
  return body;
}

std::unique_ptr<Model> make_gemma(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<GemmaConfig>(json, where);
  return make_decoder(c, json, where, root, head, {}, true, [&](const Scope& scope) { return gemma_body(scope, c); });
}

GgufArchitecture gemma_gguf() {
  GgufArchitecture g = gguf_decoder("gemma");
  shift_gguf_norms(g);
  return g;
}

}  // namespace

Architecture gemma_architecture() {
  return {.model_type = "gemma",
          .base_prefix = "model",
          .classes = decoder_classes("Gemma", make_gemma,
                                     {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification,
                                      DecoderHead::token_classification}),
          .gguf = gemma_gguf()};
}

}  // namespace trustformers
