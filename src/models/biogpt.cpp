// BioGPT (Luo et al. 2022): pre-norm decoder with learned positions and scaled embeddings.
#include <cmath>

#include "decoder.h"

namespace trustformers {
namespace {

struct BioGptConfig : DecoderConfig {
  static constexpr std::int64_t position_offset = 2;
  bool scale_embedding = true;

  BioGptConfig() {
    hidden_act = "gelu";
    max_position_embeddings = 1024;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("scale_embedding", scale_embedding);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = true;
    norm_eps = 1e-5;  // "layer_norm_eps" is in configs, but no norm uses it
  }
};

std::unique_ptr<Body> biogpt_body(const Scope& scope, const BioGptConfig& c) {
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "embed_tokens", c.vocab_size, c.hidden_size, c.pad_token_id);
  if (c.scale_embedding) body->embedding_scale = std::sqrt(static_cast<double>(c.hidden_size));
  body->scales_given_embeddings = false;
  body->positions =
      Embedding(scope / "embed_positions", c.max_position_embeddings + BioGptConfig::position_offset, c.hidden_size);
  body->position_offset = BioGptConfig::position_offset;
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "layers" / i;
    SelfAttentionConfig attention = c.attention(i);
    attention.output_name = "out_proj";
    attention.rotation = {};
    body->layers.push_back({.attention_norm = LayerNorm(layer / "self_attn_layer_norm", c.hidden_size, c.norm_eps),
                            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
                            .mlp_norm = LayerNorm(layer / "final_layer_norm", c.hidden_size, c.norm_eps),
                            .mlp = plain_mlp(layer, c.mlp(), c.activation(), "fc1", "fc2")});
  }
  body->norm = LayerNorm(scope / "layer_norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_biogpt(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<BioGptConfig>(json, where);
  return make_decoder(
      c, json, where, root, head,
      {.body = "biogpt", .lm_head = "output_projection", .token_head = "classifier", .token_loss_skips_padding = true},
      true, [&](const Scope& scope) { return biogpt_body(scope, c); });
}

}  // namespace

Architecture biogpt_architecture() {
  return {.model_type = "biogpt",
          .base_prefix = "biogpt",
          .classes = decoder_classes("BioGpt", make_biogpt,
                                     {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification,
                                      DecoderHead::token_classification})};
}

}  // namespace trustformers
