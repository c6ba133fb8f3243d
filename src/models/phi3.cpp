// Phi-3 and Phi-4 (Abdin et al. 2024): LLaMA with fused projections; its long versions turn by two sets of factors.
#include "decoder.h"

namespace trustformers {
namespace {

struct Phi3Config : DecoderConfig {
  std::int64_t original_max_position_embeddings = 4096;

  Phi3Config() {
    norm_eps = 1e-5;
    max_position_embeddings = 4096;
    partial_rotary = true;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v.nullable("sliding_window", sliding_window);
    v("original_max_position_embeddings", original_max_position_embeddings);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    if (rope.type == "yarn") rope.type = "longrope";  // so an early file called it
    check(rope.type == "default" || rope.type == "longrope", ErrorCode::unsupported, "[config] ", where,
          ": \"rope_scaling\" of phi3 must be longrope, got ", rope.type);
    rope.original_max_positions = original_max_position_embeddings;  // the key beside the scaling counts
    attention_bias = mlp_bias = false;                               // whatever the file says
  }
};

std::unique_ptr<Body> phi3_body(const Scope& scope, const Phi3Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.packing = SelfAttentionConfig::Packing::stacked;
    attention.names = {"qkv_proj"};
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = fused_gated_mlp(layer / "mlp", c.mlp(), c.activation())};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_phi3(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Phi3Config>(json, where);
  return make_decoder(c, json, where, root, head, {}, false, [&](const Scope& scope) { return phi3_body(scope, c); });
}

GgufArchitecture phi3_gguf() {
  GgufArchitecture g = gguf_decoder("phi3");
  set_gguf_name(g, "model.layers.#.self_attn.qkv_proj", "blk.#.attn_qkv");
  set_gguf_name(g, "model.layers.#.mlp.gate_up_proj", "blk.#.ffn_up");
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) {
    const std::int64_t original = m.get_int("phi3.rope.scaling.original_context_length", 4096);
    c.set("original_max_position_embeddings", Json(original));
    if (const std::int64_t window = m.get_int("phi3.attention.sliding_window", 0); window > 0)
      c.set("sliding_window", Json(window));
    if (m.contains("phi3.rope.scaling.attn_factor")) {
      Json rope = c.at("rope_parameters");
      rope.set("attention_factor", Json(m.get_double("phi3.rope.scaling.attn_factor")));
      c.set("rope_parameters", std::move(rope));
    }
  });
  g.from_tensors = set_gguf_long_rope;
  return g;
}

}  // namespace

Architecture phi3_architecture() {
  using enum DecoderHead;
  return {
      .model_type = "phi3",
      .base_prefix = "model",
      .classes = decoder_classes("Phi3", make_phi3, {none, causal_lm, sequence_classification, token_classification}),
      .gguf = phi3_gguf()};
}

}  // namespace trustformers
