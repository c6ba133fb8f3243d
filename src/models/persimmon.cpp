// Persimmon (Adept 2023): LayerNorm everywhere, on each head's queries and keys too, squared ReLU, half of each head
// turned.
#include "decoder.h"

namespace trustformers {
namespace {

struct PersimmonConfig : DecoderConfig {
  bool qk_layernorm = true;

  PersimmonConfig() {
    hidden_act = "relu2";
    norm_eps = 1e-5;
    max_position_embeddings = 16384;
    partial_rotary = true;
    rope.partial_rotary_factor = 0.5;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("qk_layernorm", qk_layernorm);
  }
  void finish(const Json& json, std::string_view where) {
    num_key_value_heads = head_dim = 0;  // whatever the file says: queries, keys and values are of one size
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = true;
  }
};

std::unique_ptr<Body> persimmon_body(const Scope& scope, const PersimmonConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.packing = SelfAttentionConfig::Packing::grouped;
    attention.names = {"query_key_value"};
    attention.output_name = "dense";
    if (c.qk_layernorm) {
      attention.q_norm = LayerNorm(layer / "self_attn" / "q_layernorm", c.head_dim, c.norm_eps);
      attention.k_norm = LayerNorm(layer / "self_attn" / "k_layernorm", c.head_dim, c.norm_eps);
    }
    return {.attention_norm = LayerNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp_norm = LayerNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = plain_mlp(layer / "mlp", c.mlp(), c.activation(), "dense_h_to_4h", "dense_4h_to_h")};
  });
  body->norm = LayerNorm(scope / "final_layernorm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_persimmon(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<PersimmonConfig>(json, where);
  return make_decoder(c, json, where, root, head, {}, false,
                      [&](const Scope& scope) { return persimmon_body(scope, c); });
}

}  // namespace

Architecture persimmon_architecture() {
  using enum DecoderHead;
  return {.model_type = "persimmon",
          .base_prefix = "model",
          .classes = decoder_classes("Persimmon", make_persimmon,
                                     {none, causal_lm, sequence_classification, token_classification}),
          .gguf = {}};
}

}  // namespace trustformers
