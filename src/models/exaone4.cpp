// EXAONE 4.0 (LG AI Research 2025): norms on what the branches give, as in OLMo 2, norms of each head's queries and
// keys, and windows; where there are windows, only their layers know positions.
#include "decoder.h"

namespace trustformers {
namespace {

struct Exaone4Config : DecoderConfig {
  Exaone4Config() {
    num_key_value_heads = 32;
    norm_eps = 1e-5;
    sliding_window = 4096;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    window_fields(v);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    if (layer_types.empty()) list_layer_types(json, where);
    attention_bias = mlp_bias = false;  // whatever the file says
  }
  /// By "sliding_window_pattern": every how many layers one is full, or letters, L for the local layers ("LLLG").
  void list_layer_types(const Json& json, std::string_view where) {
    const Json* pattern = json.find("sliding_window_pattern");
    if (sliding_window == 0) return alternate_layer_types(1);
    if (pattern && pattern->is_string()) {
      const std::string& letters = pattern->as_string("sliding_window_pattern");
      check(!letters.empty(), ErrorCode::parse, "[config] ", where, ": \"sliding_window_pattern\" is empty");
      for (std::size_t i = 0; i < static_cast<std::size_t>(num_hidden_layers); ++i)
        layer_types.emplace_back(letters[i % letters.size()] == 'L' ? "sliding_attention" : "full_attention");
      return;
    }
    const std::int64_t period = pattern && !pattern->is_null() ? pattern->as_int("sliding_window_pattern") : 4;
    check(period > 0, ErrorCode::parse, "[config] ", where, ": \"sliding_window_pattern\" must be positive, got ",
          period);
    alternate_layer_types(period);
  }
};

std::unique_ptr<Body> exaone4_body(const Scope& scope, const Exaone4Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.q_norm = RmsNorm(layer / "self_attn" / "q_norm", c.head_dim, c.norm_eps);
    attention.k_norm = RmsNorm(layer / "self_attn" / "k_norm", c.head_dim, c.norm_eps);
    if (c.sliding_window > 0 && !c.is_sliding(i)) attention.rotation = {};
    return {.attention_norm = {},
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .attention_post_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = gated_mlp(layer / "mlp", c.mlp(), c.activation()),
            .mlp_post_norm = RmsNorm(layer / "post_feedforward_layernorm", c.hidden_size, c.norm_eps)};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_exaone4(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Exaone4Config>(json, where);
  return make_decoder(c, json, where, root, head, {.question_answering_body = "transformer"}, false,
                      [&](const Scope& scope) { return exaone4_body(scope, c); });
}

GgufArchitecture exaone4_gguf() {
  GgufArchitecture g = gguf_decoder("exaone4");
  set_gguf_name(g, "model.layers.#.post_attention_layernorm", "blk.#.post_attention_norm");
  set_gguf_name(g, "model.layers.#.post_feedforward_layernorm", "blk.#.post_ffw_norm");
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) { set_gguf_windows(m, "exaone4", c); });
  return g;
}

}  // namespace

Architecture exaone4_architecture() {
  return {.model_type = "exaone4",
          .base_prefix = "model",
          .classes = decoder_classes("Exaone4", make_exaone4),
          .gguf = exaone4_gguf()};
}

}  // namespace trustformers
