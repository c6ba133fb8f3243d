// Phi-1, Phi-1.5 and Phi-2 (Gunasekar et al. 2023): attention and feed-forward side by side on one LayerNorm, part of
// each head turned.
#include "decoder.h"

namespace trustformers {
namespace {

struct PhiConfig : DecoderConfig {
  bool qk_layernorm = false;

  PhiConfig() {
    hidden_act = "gelu_new";
    norm_eps = 1e-5;
    partial_rotary = true;
    rope.partial_rotary_factor = 0.5;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("qk_layernorm", qk_layernorm);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = true;  // whatever the file says
  }
};

std::unique_ptr<Body> phi_body(const Scope& scope, const PhiConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.output_name = "dense";
    if (c.qk_layernorm) {
      attention.q_norm = LayerNorm(layer / "self_attn" / "q_layernorm", c.head_dim, c.norm_eps);
      attention.k_norm = LayerNorm(layer / "self_attn" / "k_layernorm", c.head_dim, c.norm_eps);
    }
    return {.attention_norm = LayerNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp = plain_mlp(layer / "mlp", c.mlp(), c.activation(), "fc1", "fc2"),
            .layout = DecoderBlock::Layout::parallel};
  });
  body->norm = LayerNorm(scope / "final_layernorm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_phi(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<PhiConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.lm_head_bias = true}, false,
                      [&](const Scope& scope) { return phi_body(scope, c); });
}

GgufArchitecture phi_gguf() {
  GgufArchitecture g = gguf_decoder("phi2", "phi");
  set_gguf_name(g, "model.final_layernorm", "output_norm");
  set_gguf_name(g, "model.layers.#.self_attn.dense", "blk.#.attn_output");
  set_gguf_name(g, "model.layers.#.mlp.fc1", "blk.#.ffn_up");
  set_gguf_name(g, "model.layers.#.mlp.fc2", "blk.#.ffn_down");
  return g;
}

}  // namespace

Architecture phi_architecture() {
  using enum DecoderHead;
  return {.model_type = "phi",
          .base_prefix = "model",
          .classes = decoder_classes("Phi", make_phi, {none, causal_lm, sequence_classification, token_classification}),
          .gguf = phi_gguf()};
}

}  // namespace trustformers
