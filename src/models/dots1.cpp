// dots.llm1 (rednote hilab 2025): Qwen3's attention with the experts of DeepSeek-V3.
#include "deepseek_experts.h"

namespace trustformers {
namespace {

struct Dots1Config : DeepseekExpertsConfig {
  std::int64_t max_window_layers = 62;

  Dots1Config() {
    num_key_value_heads = 32;
    moe_intermediate_size = 1408;
    sliding_window = 4096;
  }
  void fields(auto& v) {
    DeepseekExpertsConfig::fields(v);
    v("max_window_layers", max_window_layers);
  }
  void finish(const Json& json, std::string_view where) {
    DeepseekExpertsConfig::finish(json, where);
    for (std::int64_t i = std::ssize(layer_types); i < num_hidden_layers; ++i)
      layer_types.emplace_back(sliding_window > 0 && i >= max_window_layers ? "sliding_attention" : "full_attention");
  }
};

std::unique_ptr<Body> dots1_body(const Scope& scope, const Dots1Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.q_norm = RmsNorm(layer / "self_attn" / "q_norm", c.head_dim, c.norm_eps);
    attention.k_norm = RmsNorm(layer / "self_attn" / "k_norm", c.head_dim, c.norm_eps);
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = c.feed_forward(layer / "mlp", i)};
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
