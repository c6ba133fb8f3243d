// XGLM (Lin et al. 2021): pre-norm decoder with fixed sinusoidal positions and scaled embeddings.
#include <cmath>

#include "../nn/cross_attention.h"
#include "../nn/sinusoid.h"
#include "../ops/elementwise/binary.h"
#include "../ops/shape/shape_ops.h"
#include "decoder.h"

namespace trustformers {
namespace {

struct XglmConfig : DecoderConfig {
  static constexpr std::int64_t position_offset = 2;
  bool scale_embedding = true, add_cross_attention = false;

  XglmConfig() {
    pad_token_id = 1;  // also the row of the position table that is blank
    hidden_act = "gelu";
    attention_bias = mlp_bias = true;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("scale_embedding", scale_embedding);
    v("add_cross_attention", add_cross_attention);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = true;
    norm_eps = 1e-5;
  }
};

std::unique_ptr<Body> xglm_body(const Scope& scope, const XglmConfig& c) {
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "embed_tokens", c.vocab_size, c.hidden_size, c.pad_token_id);
  if (c.scale_embedding) body->embedding_scale = std::sqrt(static_cast<double>(c.hidden_size));
  body->scales_given_embeddings = false;
  body->computed_positions = [table = SinusoidalPositions(c.hidden_size, SinusoidalPositions::Spacing::closed),
                              blank = *c.pad_token_id](const Tensor& positions) {
    const Tensor rows = positions + double(XglmConfig::position_offset);
    Tensor vectors = table(rows);
    if (blank < XglmConfig::position_offset) return vectors;
    return where(unsqueeze(equal(rows, double(blank)), 2), Tensor::zeros({1}), vectors);
  };
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "layers" / i;
    SelfAttentionConfig attention = c.attention(i);
    attention.output_name = "out_proj";
    attention.rotation = {};
    body->layers.push_back({.attention_norm = LayerNorm(layer / "self_attn_layer_norm", c.hidden_size, c.norm_eps),
                            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
                            .mlp_norm = LayerNorm(layer / "final_layer_norm", c.hidden_size, c.norm_eps),
                            .mlp = plain_mlp(layer, c.mlp(), c.activation(), "fc1", "fc2")});
    if (c.add_cross_attention) {
      body->layers.back().cross_norm = LayerNorm(layer / "encoder_attn_layer_norm", c.hidden_size, c.norm_eps);
      body->layers.back().cross_attention = std::make_unique<CrossAttention>(layer / "encoder_attn", attention);
    }
  }
  body->norm = LayerNorm(scope / "layer_norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_xglm(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<XglmConfig>(json, where);
  root.parameters().ignore({"*embed_positions.weights"});  // the computed table, in old files
  return make_decoder(c, json, where, root, head, {}, true, [&](const Scope& scope) { return xglm_body(scope, c); });
}

}  // namespace

Architecture xglm_architecture() {
  return {.model_type = "xglm",
          .base_prefix = "model",
          .classes = decoder_classes("XGLM", make_xglm, {DecoderHead::none, DecoderHead::causal_lm})};
}

}  // namespace trustformers
