// gpt-oss (OpenAI 2025): a mixture of experts, attention sinks, and a window in every second layer.
#include "moe_decoder.h"

namespace trustformers {
namespace {

struct GptOssConfig : MoeDecoderConfig {
  double swiglu_alpha = 1.702, swiglu_limit = 7;

  GptOssConfig() {
    norm_eps = 1e-5;
    max_position_embeddings = 131072;
    head_dim = 64;
    num_key_value_heads = 8;
    sliding_window = 128;
    attention_bias = true;
    rope.type = "yarn";
    rope.theta = 150000;
    rope.factor = 32;
    rope.truncate = false;
    rope.original_max_positions = 4096;
  }
  void fields(auto& v) {
    MoeDecoderConfig::fields(v);
    v("swiglu_alpha", swiglu_alpha);
    v("swiglu_limit", swiglu_limit);
  }
  void finish(const Json& json, std::string_view where) {
    norm_topk_prob = true;
    if (layer_types.empty())
      for (std::int64_t i = 0; i < num_hidden_layers; ++i)
        layer_types.emplace_back(i % 2 == 0 ? "sliding_attention" : "full_attention");
    MoeDecoderConfig::finish(json, where);
    check(swiglu_limit > 0, ErrorCode::parse, "[config] ", where, ": \"swiglu_limit\" must be positive, got ",
          swiglu_limit);
  }
};

std::unique_ptr<Body> gpt_oss_body(const Scope& scope, const GptOssConfig& c) {
  MoeConfig moe{.router = c.router(), .experts = c.expert()};
  moe.router.bias = true;
  moe.experts.stored = ExpertsConfig::Stored::stacked_input_major;
  moe.experts.bias = true;
  moe.experts.interleaved = true;
  moe.experts.limit = c.swiglu_limit;
  moe.experts.alpha = c.swiglu_alpha;
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.sinks = true;
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = mixture_of_experts(layer / "mlp" / "router", layer / "mlp" / "experts", moe)};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_gpt_oss(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<GptOssConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.router_loss = c.router_loss()}, false,
                      [&](const Scope& scope) { return gpt_oss_body(scope, c); });
}

GgufArchitecture gpt_oss_gguf() {
  GgufArchitecture g = gguf_decoder("gpt-oss", "gpt_oss");
  set_gguf_name(g, "model.layers.#.post_attention_layernorm", "blk.#.post_attention_norm");
  g.names.push_back({"model.layers.#.self_attn.sinks", "blk.#.attn_sinks.weight"});
  add_gguf_experts(g, "model.layers.#.mlp.router", "model.layers.#.mlp.experts");
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) {
    c.set("sliding_window", m.get_int("gpt-oss.attention.sliding_window", 128));
    Json rope = c.at("rope_parameters");
    rope.set("truncate", false);
    c.set("rope_parameters", std::move(rope));
  });
  return g;
}

}  // namespace

Architecture gpt_oss_architecture() {
  return {.model_type = "gpt_oss",
          .base_prefix = "model",
          .classes = decoder_classes("GptOss", make_gpt_oss,
                                     {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification,
                                      DecoderHead::token_classification}),
          .gguf = gpt_oss_gguf()};
}

}  // namespace trustformers
