// Qwen3-MoE (Qwen team 2025): Qwen3, whose queries and keys are normed a head at a time, with many small experts.
#include "moe_decoder.h"

namespace trustformers {
namespace {

struct Qwen3MoeConfig : MoeDecoderConfig {
  bool use_sliding_window = false;

  Qwen3MoeConfig() {
    max_position_embeddings = 32768;
    moe_intermediate_size = 768;
    num_key_value_heads = 4;
    sliding_window = 4096;
  }
  void fields(auto& v) {
    MoeDecoderConfig::fields(v);
    v("use_sliding_window", use_sliding_window);
  }
  void finish(const Json& json, std::string_view where) {
    if (!use_sliding_window) sliding_window = 0;
    layer_types.clear();  // the window is the same in all layers
    MoeDecoderConfig::finish(json, where);
  }
};

std::unique_ptr<Body> qwen3_moe_body(const Scope& scope, const Qwen3MoeConfig& c) {
  const MoeConfig moe{.router = c.router(), .experts = c.expert()};
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    const Scope mlp = layer / "mlp";
    SelfAttentionConfig attention = c.attention(i);
    attention.q_norm = RmsNorm(layer / "self_attn" / "q_norm", c.head_dim, c.norm_eps);
    attention.k_norm = RmsNorm(layer / "self_attn" / "k_norm", c.head_dim, c.norm_eps);
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = c.sparse(i) ? mixture_of_experts(mlp / "gate", mlp / "experts", moe)
                               : gated_mlp(mlp, c.mlp(), c.activation())};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_qwen3_moe(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Qwen3MoeConfig>(json, where);
  return make_decoder(c, json, where, root, head,
                      {.question_answering_body = "transformer", .router_loss = c.router_loss()}, false,
                      [&](const Scope& scope) { return qwen3_moe_body(scope, c); });
}

GgufArchitecture qwen3_moe_gguf() {
  GgufArchitecture g = gguf_decoder("qwen3moe", "qwen3_moe");
  add_gguf_experts(g, "model.layers.#.mlp.gate", "model.layers.#.mlp.experts");
  extend_gguf_config(g, [](const GgufMetadata&, Json& c) { c.set("norm_topk_prob", true); });
  return g;
}

}  // namespace

Architecture qwen3_moe_architecture() {
  return {.model_type = "qwen3_moe",
          .base_prefix = "model",
          .classes = decoder_classes("Qwen3Moe", make_qwen3_moe),
          .gguf = qwen3_moe_gguf()};
}

}  // namespace trustformers
