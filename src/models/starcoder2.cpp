// StarCoder2 (Lozhkov et al. 2024): rotary decoder with LayerNorm, grouped queries, plain feed-forward and biases.
#include "decoder.h"

namespace trustformers {
namespace {

struct Starcoder2Config : DecoderConfig {
  bool use_bias = true;

  Starcoder2Config() {
    num_key_value_heads = 2;
    hidden_act = "gelu_pytorch_tanh";
    norm_eps = 1e-5;
    max_position_embeddings = 4096;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v.nullable("sliding_window", sliding_window);
    v("use_bias", use_bias);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = use_bias;
  }
};

std::unique_ptr<Body> starcoder2_body(const Scope& scope, const Starcoder2Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    return {.attention_norm = LayerNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", c.attention(i)),
            .mlp_norm = LayerNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = plain_mlp(layer / "mlp", c.mlp(), c.activation(), "c_fc", "c_proj")};
  });
  body->norm = LayerNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_starcoder2(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Starcoder2Config>(json, where);
  return make_decoder(c, json, where, root, head, {}, true,
                      [&](const Scope& scope) { return starcoder2_body(scope, c); });
}

GgufArchitecture starcoder2_gguf() {
  GgufArchitecture g{.name = "starcoder2", .config = {}, .names = gguf_decoder_names()};
  set_gguf_name(g, "model.layers.#.mlp.c_fc", "blk.#.ffn_up");
  set_gguf_name(g, "model.layers.#.mlp.c_proj", "blk.#.ffn_down");
  g.config = [](const GgufMetadata& m) {
    Json c = gguf_decoder_config(m, "starcoder2", "starcoder2");
    return c;
  };
  return g;
}

}  // namespace

Architecture starcoder2_architecture() {
  using enum DecoderHead;
  return {.model_type = "starcoder2",
          .base_prefix = "model",
          .classes = decoder_classes("Starcoder2", make_starcoder2,
                                     {none, causal_lm, sequence_classification, token_classification}),
          .gguf = starcoder2_gguf()};
}

}  // namespace trustformers
