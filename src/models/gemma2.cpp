// Gemma 2 (Gemma Team 2024): Gemma with norms around both branches, soft caps on scores and logits, and a window on
// every other layer.
#include <cmath>

#include "decoder.h"

namespace trustformers {
namespace {

struct Gemma2Config : DecoderConfig {
  bool use_bidirectional_attention = false;
  double query_pre_attn_scalar = 256, final_logit_softcapping = 30, attn_logit_softcapping = 50;

  Gemma2Config() {
    num_key_value_heads = 4;
    head_dim = 256;
    hidden_act = "gelu_pytorch_tanh";
    max_position_embeddings = 8192;
    sliding_window = 4096;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    window_fields(v);
    v("use_bidirectional_attention", use_bidirectional_attention);
    v("query_pre_attn_scalar", query_pre_attn_scalar);
    v.nullable("final_logit_softcapping", final_logit_softcapping);
    v.nullable("attn_logit_softcapping", attn_logit_softcapping);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    check(!use_bidirectional_attention, ErrorCode::unsupported, "[config] ", where,
          ": \"use_bidirectional_attention\" is not supported");
    check(query_pre_attn_scalar > 0, ErrorCode::parse, "[config] ", where,
          ": \"query_pre_attn_scalar\" must be positive, got ", query_pre_attn_scalar);
    alternate_layer_types(2);
    mlp_bias = false;  // whatever the file says
  }
  Norm norm(const Scope& scope) const { return RmsNorm(scope, hidden_size, norm_eps, NormGain::one_plus_weight); }
};

std::unique_ptr<Body> gemma2_body(const Scope& scope, const Gemma2Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.scale = 1 / std::sqrt(c.query_pre_attn_scalar);
    attention.softcap = c.attn_logit_softcapping;
    return {.attention_norm = c.norm(layer / "input_layernorm"),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .attention_post_norm = c.norm(layer / "post_attention_layernorm"),
            .mlp_norm = c.norm(layer / "pre_feedforward_layernorm"),
            .mlp = gated_mlp(layer / "mlp", c.mlp(), c.activation()),
            .mlp_post_norm = c.norm(layer / "post_feedforward_layernorm")};
  });
  body->embedding_scale = std::sqrt(static_cast<double>(c.hidden_size));
  body->scales_given_embeddings = false;
  body->norm = c.norm(scope / "norm");
  return body;
}

std::unique_ptr<Model> make_gemma2(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Gemma2Config>(json, where);
  return make_decoder(c, json, where, root, head, {.logits_softcap = c.final_logit_softcapping}, true,
                      [&](const Scope& scope) { return gemma2_body(scope, c); });
}

GgufArchitecture gemma2_gguf() {
  GgufArchitecture g = gguf_decoder("gemma2");
  set_gguf_name(g, "model.layers.#.post_attention_layernorm", "blk.#.post_attention_norm");
  set_gguf_name(g, "model.layers.#.pre_feedforward_layernorm", "blk.#.ffn_norm");
  set_gguf_name(g, "model.layers.#.post_feedforward_layernorm", "blk.#.post_ffw_norm");
  shift_gguf_norms(g);
  g.config = [shared = g.config](const GgufMetadata& m) {
    Json c = shared(m);
    // The file does not say how scores are scaled: by the head's width, but in the 27B model.
    const std::int64_t heads = c.at("num_attention_heads").as_int("num_attention_heads");
    const std::int64_t width = m.get_int("gemma2.attention.key_length", 256);
    const bool largest = m.get_int("gemma2.block_count") == 46;
    c.set("query_pre_attn_scalar", Json(largest ? m.get_int("gemma2.embedding_length") / heads : width));
    c.set("sliding_window", Json(m.get_int("gemma2.attention.sliding_window", 4096)));
    c.set("attn_logit_softcapping", Json(m.get_double("gemma2.attn_logit_softcapping", 50)));
    c.set("final_logit_softcapping", Json(m.get_double("gemma2.final_logit_softcapping", 30)));
    return c;
  };
  return g;
}

}  // namespace

Architecture gemma2_architecture() {
  return {.model_type = "gemma2",
          .base_prefix = "model",
          .classes = decoder_classes("Gemma2", make_gemma2,
                                     {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification,
                                      DecoderHead::token_classification}),
          .gguf = gemma2_gguf()};
}

}  // namespace trustformers
