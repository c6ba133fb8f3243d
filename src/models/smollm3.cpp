// SmolLM3 (Hugging Face 2025): LLaMA where every fourth layer knows no positions (Yang et al. 2025, NoPE).
#include "decoder.h"

namespace trustformers {
namespace {

struct SmolLM3Config : DecoderConfig {
  bool use_sliding_window = false;
  std::int64_t no_rope_layer_interval = 4;
  std::vector<std::int64_t> no_rope_layers;  // 1: the layer turns, 0: it does not

  SmolLM3Config() {
    num_key_value_heads = 4;
    max_position_embeddings = 32768;
    rope.theta = 2e6;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    window_fields(v);
    v("use_sliding_window", use_sliding_window);
    v("no_rope_layer_interval", no_rope_layer_interval);
    v("no_rope_layers", no_rope_layers);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    check(no_rope_layer_interval > 0, ErrorCode::parse, "[config] ", where,
          ": \"no_rope_layer_interval\" must be positive, got ", no_rope_layer_interval);
    if (no_rope_layers.empty())
      for (std::int64_t i = 0; i < num_hidden_layers; ++i)
        no_rope_layers.push_back((i + 1) % no_rope_layer_interval != 0);
    check(std::ssize(no_rope_layers) == num_hidden_layers, ErrorCode::parse, "[config] ", where,
          ": \"no_rope_layers\" names ", no_rope_layers.size(), " layers, \"num_hidden_layers\" is ",
          num_hidden_layers);
    if (!use_sliding_window) sliding_window = 0;
    for (std::int64_t i = std::ssize(layer_types); i < num_hidden_layers; ++i)
      layer_types.emplace_back(sliding_window > 0 && !turns(i) ? "sliding_attention" : "full_attention");
  }
  bool turns(std::int64_t i) const { return no_rope_layers[static_cast<std::size_t>(i)] != 0; }
};

std::unique_ptr<Body> smollm3_body(const Scope& scope, const SmolLM3Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) {
    SelfAttentionConfig attention = c.attention(i);
    if (!c.turns(i)) attention.rotation = {};
    return llama_block(layer, c, attention);
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_smollm3(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<SmolLM3Config>(json, where);
  return make_decoder(c, json, where, root, head, {.question_answering_body = "transformer"}, true,
                      [&](const Scope& scope) { return smollm3_body(scope, c); });
}

GgufArchitecture smollm3_gguf() {
  GgufArchitecture g = gguf_decoder("smollm3");
  pair_gguf_heads(g);
  return g;
}

}  // namespace

Architecture smollm3_architecture() {
  return {.model_type = "smollm3",
          .base_prefix = "model",
          .classes = decoder_classes("SmolLM3", make_smollm3),
          .gguf = smollm3_gguf()};
}

}  // namespace trustformers
