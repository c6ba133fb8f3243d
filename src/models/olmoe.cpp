// OLMoE (Muennighoff et al. 2024): 64 small experts a layer, queries and keys normed over their whole width.
#include "moe_decoder.h"

namespace trustformers {
namespace {

struct OlmoeConfig : MoeDecoderConfig {
  double clip_qkv = 0;

  OlmoeConfig() {
    norm_eps = 1e-5;
    max_position_embeddings = 4096;
    router_aux_loss_coef = 0.01;
  }
  void fields(auto& v) {
    MoeDecoderConfig::fields(v);
    v("clip_qkv", clip_qkv);
  }
  void finish(const Json& json, std::string_view where) {
    sliding_window = 0;
    MoeDecoderConfig::finish(json, where);
  }
};

std::unique_ptr<Body> olmoe_body(const Scope& scope, const OlmoeConfig& c) {
  const MoeConfig moe{.router = c.router(), .experts = c.expert()};
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.clip = c.clip_qkv;
    attention.norm_whole_width = true;
    attention.q_norm = RmsNorm(layer / "self_attn" / "q_norm", c.num_attention_heads * c.head_dim, c.norm_eps);
    attention.k_norm = RmsNorm(layer / "self_attn" / "k_norm", c.num_key_value_heads * c.head_dim, c.norm_eps);
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = mixture_of_experts(layer / "mlp" / "gate", layer / "mlp" / "experts", moe)};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_olmoe(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<OlmoeConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.router_loss = c.router_loss()}, false,
                      [&](const Scope& scope) { return olmoe_body(scope, c); });
}

GgufArchitecture olmoe_gguf() {
  GgufArchitecture g = gguf_decoder("olmoe");
  add_gguf_experts(g, "model.layers.#.mlp.gate", "model.layers.#.mlp.experts");
  return g;
}

}  // namespace

Architecture olmoe_architecture() {
  return {.model_type = "olmoe",
          .base_prefix = "model",
          .classes = decoder_classes("Olmoe", make_olmoe, {DecoderHead::none, DecoderHead::causal_lm}),
          .gguf = olmoe_gguf()};
}

}  // namespace trustformers
