// Granite 3 MoE (IBM 2024): a mixture of experts with Granite's multipliers of embeddings, residuals, scores and
// logits.
#include "moe_decoder.h"

namespace trustformers {
namespace {

struct GraniteMoeConfig : MoeDecoderConfig {
  double embedding_multiplier = 1, logits_scaling = 1, residual_multiplier = 1, attention_multiplier = 1;

  void fields(auto& v) {
    MoeDecoderConfig::fields(v);
    v("embedding_multiplier", embedding_multiplier);
    v("logits_scaling", logits_scaling);
    v("residual_multiplier", residual_multiplier);
    v("attention_multiplier", attention_multiplier);
  }
  void finish(const Json& json, std::string_view where) {
    norm_topk_prob = true;
    sliding_window = 0;
    MoeDecoderConfig::finish(json, where);
    check(logits_scaling != 0, ErrorCode::parse, "[config] ", where, ": \"logits_scaling\" must not be 0");
    check(attention_multiplier != 0, ErrorCode::parse, "[config] ", where, ": \"attention_multiplier\" must not be 0");
  }
};

std::unique_ptr<Body> granitemoe_body(const Scope& scope, const GraniteMoeConfig& c) {
  MoeConfig moe{.router = c.router(), .experts = c.expert()};
  moe.experts.stored = ExpertsConfig::Stored::stacked;
  moe.experts.gate_up = "input_linear.weight";
  moe.experts.down = "output_linear.weight";
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    const Scope mixture = layer / "block_sparse_moe";
    SelfAttentionConfig attention = c.attention(i);
    attention.scale = c.attention_multiplier;
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = mixture_of_experts(mixture / "router" / "layer", mixture, moe),
            .residual_scale = c.residual_multiplier};
  });
  body->embedding_scale = c.embedding_multiplier;
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_granitemoe(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<GraniteMoeConfig>(json, where);
  return make_decoder(c, json, where, root, head,
                      {.logits_scale = 1 / c.logits_scaling, .router_loss = c.router_loss()}, false,
                      [&](const Scope& scope) { return granitemoe_body(scope, c); });
}

GgufArchitecture granitemoe_gguf() {
  GgufArchitecture g = gguf_decoder("granitemoe");
  pair_gguf_heads(g);
  add_gguf_experts(g, "model.layers.#.block_sparse_moe.router.layer", "model.layers.#.block_sparse_moe");
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) { set_granite_scales(m, "granitemoe", c); });
  return g;
}

}  // namespace

Architecture granitemoe_architecture() {
  return {.model_type = "granitemoe",
          .base_prefix = "model",
          .classes = decoder_classes("GraniteMoe", make_granitemoe, {DecoderHead::none, DecoderHead::causal_lm}),
          .gguf = granitemoe_gguf()};
}

}  // namespace trustformers
