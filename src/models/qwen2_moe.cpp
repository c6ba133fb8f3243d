// Qwen1.5-MoE and Qwen2-MoE (Qwen team 2024): Qwen2 with many small experts and one gated expert that sees every token.
#include "../ops/shape/shape_ops.h"
#include "moe_decoder.h"

namespace trustformers {
namespace {

struct Qwen2MoeConfig : MoeDecoderConfig {
  bool qkv_bias = true, use_sliding_window = false;
  std::int64_t max_window_layers = 28, shared_expert_intermediate_size = 5632;

  Qwen2MoeConfig() {
    max_position_embeddings = 32768;
    moe_intermediate_size = 1408;
    sliding_window = 4096;
  }
  void fields(auto& v) {
    MoeDecoderConfig::fields(v);
    v("qkv_bias", qkv_bias);
    v("use_sliding_window", use_sliding_window);
    v("max_window_layers", max_window_layers);
    v("shared_expert_intermediate_size", shared_expert_intermediate_size);
  }
  void finish(const Json& json, std::string_view where) {
    if (!use_sliding_window) sliding_window = 0;
    if (layer_types.empty())  // every second of the first layers slides
      for (std::int64_t i = 0; i < num_hidden_layers; ++i)
        layer_types.emplace_back(use_sliding_window && i % 2 == 0 && i < max_window_layers ? "sliding_attention"
                                                                                           : "full_attention");
    MoeDecoderConfig::finish(json, where);
    check(shared_expert_intermediate_size > 0, ErrorCode::parse, "[config] ", where,
          ": \"shared_expert_intermediate_size\" must be a positive number, got ", shared_expert_intermediate_size);
  }
};

std::unique_ptr<FeedForward> mixture(const Scope& scope, const Qwen2MoeConfig& c) {
  const MlpShape shape{.hidden_size = c.hidden_size, .intermediate_size = c.shared_expert_intermediate_size};
  SharedExpert shared{.mlp = gated_mlp(scope / "shared_expert", shape, c.activation()),
                      .gate = Linear(scope / "shared_expert_gate", c.hidden_size, 1, false),
                      .gated = true};
  return mixture_of_experts(scope / "gate", scope / "experts", {.router = c.router(), .experts = c.expert()},
                            std::move(shared));
}

std::unique_ptr<Body> qwen2_moe_body(const Scope& scope, const Qwen2MoeConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.bias = c.qkv_bias;
    attention.output_bias = false;
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = c.sparse(i) ? mixture(layer / "mlp", c) : gated_mlp(layer / "mlp", c.mlp(), c.activation())};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_qwen2_moe(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Qwen2MoeConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.router_loss = c.router_loss()}, false,
                      [&](const Scope& scope) { return qwen2_moe_body(scope, c); });
}

GgufArchitecture qwen2_moe_gguf() {
  GgufArchitecture g = gguf_decoder("qwen2moe", "qwen2_moe");
  add_gguf_experts(g, "model.layers.#.mlp.gate", "model.layers.#.mlp.experts");
  for (const auto& [ours, theirs] :
       {std::pair{"gate_proj", "blk.#.ffn_gate_shexp"}, std::pair{"up_proj", "blk.#.ffn_up_shexp"},
        std::pair{"down_proj", "blk.#.ffn_down_shexp"}})
    g.names.push_back({std::string("model.layers.#.mlp.shared_expert.") + ours, theirs});
  const GgufTransform to_matrix = [](const Json&) {
    return [](const Tensor& t) { return reshape(t, {1, t.numel()}); };
  };
  g.names.push_back({"model.layers.#.mlp.shared_expert_gate", "blk.#.ffn_gate_inp_shexp", to_matrix});
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) {
    if (m.contains("qwen2moe.expert_shared_feed_forward_length"))
      c.set("shared_expert_intermediate_size", m.get_int("qwen2moe.expert_shared_feed_forward_length"));
  });
  return g;
}

}  // namespace

Architecture qwen2_moe_architecture() {
  return {.model_type = "qwen2_moe",
          .base_prefix = "model",
          .classes = decoder_classes("Qwen2Moe", make_qwen2_moe),
          .gguf = qwen2_moe_gguf()};
}

}  // namespace trustformers
