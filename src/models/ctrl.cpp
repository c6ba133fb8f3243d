// CTRL (Keskar et al. 2019): pre-norm decoder with fixed sinusoidal positions, steered by control codes in its prompts.
#include <cmath>

#include "../nn/sinusoid.h"
#include "decoder.h"

namespace trustformers {
namespace {

struct CtrlConfig : DecoderConfig {
  static constexpr double block_norm_eps = 1e-6;  // "layer_norm_epsilon" is that of the final norm alone

  CtrlConfig() { max_position_embeddings = 256; }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = true;
    hidden_act = "relu";
  }
};

std::unique_ptr<Body> ctrl_body(const Scope& scope, const CtrlConfig& c) {
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "w", c.vocab_size, c.hidden_size);
  body->embedding_scale = std::sqrt(static_cast<double>(c.hidden_size));
  body->token_types = true;
  body->computed_positions = SinusoidalPositions(c.hidden_size, SinusoidalPositions::Spacing::open);
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "h" / i;
    SelfAttentionConfig attention = c.attention(i);
    attention.names = {"Wq", "Wk", "Wv"};
    attention.output_name = "dense";
    attention.rotation = {};
    body->layers.push_back({.attention_norm = LayerNorm(layer / "layernorm1", c.hidden_size, c.block_norm_eps),
                            .attention = std::make_unique<SelfAttention>(layer / "multi_head_attention", attention),
                            .mlp_norm = LayerNorm(layer / "layernorm2", c.hidden_size, c.block_norm_eps),
                            .mlp = plain_mlp(layer / "ffn", c.mlp(), c.activation(), "0", "2")});
  }
  body->norm = LayerNorm(scope / "layernorm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_ctrl(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<CtrlConfig>(json, where);
  return make_decoder(c, json, where, root, head,
                      {.body = "transformer", .sequence_head = "classifier", .lm_head_bias = true}, true,
                      [&](const Scope& scope) { return ctrl_body(scope, c); });
}

}  // namespace

Architecture ctrl_architecture() {
  std::vector<ModelClass> classes = decoder_classes(
      "CTRL", make_ctrl, {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification});
  classes[1].name = "CTRLLMHeadModel";
  return {.model_type = "ctrl", .base_prefix = "transformer", .classes = std::move(classes)};
}

}  // namespace trustformers
