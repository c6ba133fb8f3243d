// Gemma 3 (Gemma Team 2025), the text model: Gemma 2 with norms on queries and keys instead of soft caps, and local
// layers that turn faster than the global ones.
#include <cmath>

#include "decoder.h"

namespace trustformers {
namespace {

struct Gemma3Config : DecoderConfig {
  bool use_bidirectional_attention = false;
  double query_pre_attn_scalar = 256, final_logit_softcapping = 0;  // "attn_logit_softcapping" is not heard any more
  std::int64_t sliding_window_pattern = 6;
  RopeConfig local_rope;

  Gemma3Config() {
    num_key_value_heads = 4;
    head_dim = 256;
    hidden_act = "gelu_pytorch_tanh";
    max_position_embeddings = 131072;
    sliding_window = 4096;
    rope.theta = 1e6;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    window_fields(v);
    v("sliding_window_pattern", sliding_window_pattern, {"_sliding_window_pattern"});
    v("rope_local_base_freq", local_rope.theta);
    v("use_bidirectional_attention", use_bidirectional_attention);
    v("query_pre_attn_scalar", query_pre_attn_scalar);
    v.nullable("final_logit_softcapping", final_logit_softcapping);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    rope = RopeConfig::parse_nested(json, where, rope, "full_attention");
    local_rope = RopeConfig::parse_nested(json, where, local_rope, "sliding_attention");
    check(query_pre_attn_scalar > 0 && sliding_window_pattern > 0, ErrorCode::parse, "[config] ", where,
          ": \"query_pre_attn_scalar\" and \"sliding_window_pattern\" must be positive, got ", query_pre_attn_scalar,
          " and ", sliding_window_pattern);
    alternate_layer_types(sliding_window_pattern);
    // Looking both ways, the window counts all that is seen; ours is the distance that is not.
    if (use_bidirectional_attention) sliding_window = sliding_window / 2 + 1;
    mlp_bias = false;  // whatever the file says
  }
  Norm norm(const Scope& scope, std::int64_t width) const {
    return RmsNorm(scope, width, norm_eps, NormGain::one_plus_weight);
  }
};

std::unique_ptr<Body> gemma3_body(const Scope& scope, const Gemma3Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.q_norm = c.norm(layer / "self_attn" / "q_norm", c.head_dim);
    attention.k_norm = c.norm(layer / "self_attn" / "k_norm", c.head_dim);
    attention.rotation = c.is_sliding(i) ? 1 : 0;
    attention.scale = 1 / std::sqrt(c.query_pre_attn_scalar);
    attention.causal = !c.use_bidirectional_attention;
    return {.attention_norm = c.norm(layer / "input_layernorm", c.hidden_size),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .attention_post_norm = c.norm(layer / "post_attention_layernorm", c.hidden_size),
            .mlp_norm = c.norm(layer / "pre_feedforward_layernorm", c.hidden_size),
            .mlp = gated_mlp(layer / "mlp", c.mlp(), c.activation()),
            .mlp_post_norm = c.norm(layer / "post_feedforward_layernorm", c.hidden_size)};
  });
  body->rotations.push_back(RotaryEmbedding(c.local_rope, c.head_dim, c.max_position_embeddings));
  body->embedding_scale = std::sqrt(static_cast<double>(c.hidden_size));
  body->scales_given_embeddings = false;
  body->norm = c.norm(scope / "norm", c.hidden_size);
  return body;
}

std::unique_ptr<Model> make_gemma3_text(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Gemma3Config>(json, where);
  return make_decoder(c, json, where, root, head, {.logits_softcap = c.final_logit_softcapping}, true,
                      [&](const Scope& scope) { return gemma3_body(scope, c); });
}

GgufArchitecture gemma3_gguf() {
  GgufArchitecture g = gguf_decoder("gemma3", "gemma3_text");
  set_gguf_name(g, "model.layers.#.post_attention_layernorm", "blk.#.post_attention_norm");
  set_gguf_name(g, "model.layers.#.pre_feedforward_layernorm", "blk.#.ffn_norm");
  set_gguf_name(g, "model.layers.#.post_feedforward_layernorm", "blk.#.post_ffw_norm");
  shift_gguf_norms(g);
  g.config = [shared = g.config](const GgufMetadata& m) {
    Json c = shared(m);
    // The file does not say how scores are scaled: by the head's width, but in the 27B model.
    const std::int64_t heads = c.at("num_attention_heads").as_int("num_attention_heads");
    const std::int64_t width = m.get_int("gemma3.attention.key_length", 256);
    const bool largest = m.get_int("gemma3.block_count") == 62;
    c.set("query_pre_attn_scalar", Json(largest ? m.get_int("gemma3.embedding_length") / heads : width));
    c.set("sliding_window", Json(m.get_int("gemma3.attention.sliding_window", 4096)));
    // The scaling is that of the global layers.
    Json rope = Json::object();
    rope.set("full_attention", c.at("rope_parameters"));
    c.set("rope_parameters", std::move(rope));
    return c;
  };
  return g;
}

}  // namespace

Architecture gemma3_text_architecture() {
  std::vector<ModelClass> classes = decoder_classes(
      "Gemma3", make_gemma3_text, {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification});
  classes[0].name = "Gemma3TextModel";
  classes[2].name = "Gemma3TextForSequenceClassification";
  return {.model_type = "gemma3_text", .base_prefix = "model", .classes = std::move(classes), .gguf = gemma3_gguf()};
}

}  // namespace trustformers
