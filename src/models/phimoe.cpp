// Phi-3.5-MoE (Abdin et al. 2024): sixteen experts that SparseMixer chooses from, LayerNorms and biases.
#include "moe_decoder.h"

namespace trustformers {
namespace {

struct PhimoeConfig : MoeDecoderConfig {
  bool lm_head_bias = false;
  double router_jitter_noise = 0.01;

  PhimoeConfig() {
    norm_eps = 1e-5;
    max_position_embeddings = 4096 * 32;
    num_key_value_heads = 8;
    rope.theta = 1e6;
  }
  void fields(auto& v) {
    MoeDecoderConfig::fields(v);
    v("lm_head_bias", lm_head_bias);
    v("router_jitter_noise", router_jitter_noise);
  }
  void finish(const Json& json, std::string_view where) {
    MoeDecoderConfig::finish(json, where);
    if (rope.type == "default") return;
    check(rope.short_mscale && rope.long_mscale, ErrorCode::parse, "[config] ", where,
          ": \"rope_scaling\" lacks \"short_mscale\" or \"long_mscale\"");
    // transformers keeps the short factors on both sides of the original length; only the scale changes there.
    rope.long_factor = rope.short_factor;
  }
};

std::unique_ptr<Body> phimoe_body(const Scope& scope, const PhimoeConfig& c) {
  MoeConfig moe{.router = c.router(), .experts = c.expert()};
  moe.router.scoring = RouterConfig::Scoring::sparsemixer;
  moe.router.jitter = c.router_jitter_noise;
  moe.experts.names = {.gate = "w1", .up = "w3", .down = "w2"};
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    const Scope mixture = layer / "block_sparse_moe";
    return {.attention_norm = LayerNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", c.attention(i)),
            .mlp_norm = LayerNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = mixture_of_experts(mixture / "gate", mixture / "experts", moe)};
  });
  body->norm = LayerNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_phimoe(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<PhimoeConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.lm_head_bias = c.lm_head_bias, .router_loss = c.router_loss()},
                      false, [&](const Scope& scope) { return phimoe_body(scope, c); });
}

GgufArchitecture phimoe_gguf() {
  GgufArchitecture g = gguf_decoder("phimoe");
  add_gguf_experts(g, "model.layers.#.block_sparse_moe.gate", "model.layers.#.block_sparse_moe.experts");
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) {
    if (const std::int64_t window = m.get_int("phimoe.attention.sliding_window", 0); window > 0)
      c.set("sliding_window", Json(window));
    if (!m.contains("phimoe.rope.scaling.original_context_length")) return;
    Json rope = c.at("rope_parameters");
    rope.set("original_max_position_embeddings", Json(m.get_int("phimoe.rope.scaling.original_context_length")));
    for (const char* scale : {"short_mscale", "long_mscale"})  // the file has one for both
      rope.set(scale, Json(m.get_double("phimoe.rope.scaling.attn_factor", 1)));
    c.set("rope_parameters", std::move(rope));
  });
  g.from_tensors = [](const WeightSource& source, Json& c) {
    set_gguf_long_rope(source, c);
    c.set("lm_head_bias", source.find("output.bias") != nullptr);
  };
  return g;
}

}  // namespace

Architecture phimoe_architecture() {
  return {.model_type = "phimoe",
          .base_prefix = "model",
          .classes = decoder_classes("Phimoe", make_phimoe,
                                     {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification}),
          .gguf = phimoe_gguf()};
}

}  // namespace trustformers
