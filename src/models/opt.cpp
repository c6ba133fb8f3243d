// OPT and Galactica (Zhang et al. 2022; Taylor et al. 2022): decoder with learned positions that count the tokens of
// the mask, in a pre-norm and a post-norm form, the latter with narrower embeddings.
#include "decoder.h"

namespace trustformers {
namespace {

struct OptConfig : DecoderConfig {
  static constexpr std::int64_t position_offset = 2;
  static constexpr double layer_norm_eps = 1e-5;
  std::int64_t word_embed_proj_dim = 0;  // 0: hidden_size
  bool do_layer_norm_before = true, remove_final_layer_norm = false;
  bool enable_bias = true, layer_norm_elementwise_affine = true;

  OptConfig() { hidden_act = "relu"; }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("word_embed_proj_dim", word_embed_proj_dim);
    v("do_layer_norm_before", do_layer_norm_before);
    v("_remove_final_layer_norm", remove_final_layer_norm);
    v("enable_bias", enable_bias);
    v("layer_norm_elementwise_affine", layer_norm_elementwise_affine);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = enable_bias;
    if (word_embed_proj_dim == 0) word_embed_proj_dim = hidden_size;
    check(word_embed_proj_dim > 0, ErrorCode::parse, "[config] ", where,
          ": \"word_embed_proj_dim\" must be positive, got ", word_embed_proj_dim);
  }
  Norm norm(const Scope& scope) const {
    if (!layer_norm_elementwise_affine) return LayerNorm::plain(layer_norm_eps);
    return LayerNorm(scope, hidden_size, layer_norm_eps);
  }
};

std::unique_ptr<Body> opt_body(const Scope& scope, const OptConfig& c) {
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "embed_tokens", c.vocab_size, c.word_embed_proj_dim, c.pad_token_id);
  body->positions =
      Embedding(scope / "embed_positions", c.max_position_embeddings + OptConfig::position_offset, c.hidden_size);
  body->position_offset = OptConfig::position_offset;
  body->positions_skip_padding = true;
  if (c.word_embed_proj_dim != c.hidden_size) {
    body->project_in = Linear(scope / "project_in", c.word_embed_proj_dim, c.hidden_size, false);
    body->project_out = Linear(scope / "project_out", c.hidden_size, c.word_embed_proj_dim, false);
  }
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "layers" / i;
    SelfAttentionConfig attention = c.attention(i);
    attention.output_name = "out_proj";
    attention.rotation = {};
    body->layers.push_back(
        {.attention_norm = c.norm(layer / "self_attn_layer_norm"),
         .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
         .mlp_norm = c.norm(layer / "final_layer_norm"),
         .mlp = plain_mlp(layer, c.mlp(), c.activation(), "fc1", "fc2"),
         .layout = c.do_layer_norm_before ? DecoderBlock::Layout::pre_norm : DecoderBlock::Layout::post_norm});
  }
  if (c.do_layer_norm_before && !c.remove_final_layer_norm) body->norm = c.norm(scope / "final_layer_norm");
  return body;
}

std::unique_ptr<Model> make_opt(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<OptConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.width = c.word_embed_proj_dim}, true,
                      [&](const Scope& scope) { return opt_body(scope / "decoder", c); });
}

}  // namespace

Architecture opt_architecture() {
  return {.model_type = "opt",
          .base_prefix = "model",
          .classes = decoder_classes("OPT", make_opt,
                                     {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification,
                                      DecoderHead::question_answering})};
}

}  // namespace trustformers
