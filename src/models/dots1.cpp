// dots.llm1 (rednote hilab 2025): Qwen3's attention with the experts of DeepSeek-V3.
#include "moe_decoder.h"

namespace trustformers {
namespace {

struct Dots1Config : MoeDecoderConfig {
  std::int64_t n_shared_experts = 1, n_group = 1, topk_group = 1, first_k_dense_replace = 0, max_window_layers = 62;
  double routed_scaling_factor = 1;

  Dots1Config() {
    num_key_value_heads = 32;
    moe_intermediate_size = 1408;
    sliding_window = 4096;
  }
  void fields(auto& v) {
    MoeDecoderConfig::fields(v);
    v("n_shared_experts", n_shared_experts);
    v("n_group", n_group);
    v("topk_group", topk_group);
    v("first_k_dense_replace", first_k_dense_replace);
    v("routed_scaling_factor", routed_scaling_factor);
    v("max_window_layers", max_window_layers);
  }
  void finish(const Json& json, std::string_view where) {
    output_router_logits = false;  // there is no balancing loss
    MoeDecoderConfig::finish(json, where);
    for (std::int64_t i = std::ssize(layer_types); i < num_hidden_layers; ++i)
      layer_types.emplace_back(sliding_window > 0 && i >= max_window_layers ? "sliding_attention" : "full_attention");
    mlp_bias = false;  // whatever the file says
    check(n_shared_experts > 0, ErrorCode::parse, "[config] ", where,
          ": \"n_shared_experts\" must be a positive number, got ", n_shared_experts);
  }
  MoeConfig moe() const {
    MoeConfig out{.router = router(), .experts = expert()};
    out.router.scoring = RouterConfig::Scoring::sigmoid;
    out.router.correction_bias = true;
    out.router.scale = routed_scaling_factor;
    out.router.groups = n_group;
    out.router.chosen_groups = topk_group;
    out.router.groups_by_two = true;
    return out;
  }
};

std::unique_ptr<Body> dots1_body(const Scope& scope, const Dots1Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    const Scope mlp = layer / "mlp";
    SelfAttentionConfig attention = c.attention(i);
    attention.q_norm = RmsNorm(layer / "self_attn" / "q_norm", c.head_dim, c.norm_eps);
    attention.k_norm = RmsNorm(layer / "self_attn" / "k_norm", c.head_dim, c.norm_eps);
    std::unique_ptr<FeedForward> feed_forward;
    if (i < c.first_k_dense_replace) {
      feed_forward = gated_mlp(mlp, c.mlp(), c.activation());
    } else {
      SharedExpert shared;
      shared.mlp = gated_mlp(mlp / "shared_experts", {c.hidden_size, c.n_shared_experts * c.moe_intermediate_size},
                             c.activation());
      feed_forward = mixture_of_experts(mlp / "gate", mlp / "experts", c.moe(), std::move(shared));
    }
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = std::move(feed_forward)};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_dots1(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Dots1Config>(json, where);
  return make_decoder(c, json, where, root, head, {}, false, [&](const Scope& scope) { return dots1_body(scope, c); });
}

}  // namespace

Architecture dots1_architecture() {
  return {.model_type = "dots1",
          .base_prefix = "model",
          .classes = decoder_classes("Dots1", make_dots1, {DecoderHead::none, DecoderHead::causal_lm})};
}

}  // namespace trustformers
