// ERNIE 4.5 (Baidu 2025), the dense model: LLaMA whose heads turn in pairs of neighbours.
#include "decoder.h"

namespace trustformers {
namespace {

struct Ernie4_5Config : DecoderConfig {
  bool use_bias = false;

  Ernie4_5Config() {
    num_key_value_heads = 2;
    head_dim = 128;
    norm_eps = 1e-5;
    max_position_embeddings = 131072;
    rope.theta = 500000;
    rope_interleaved = true;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("use_bias", use_bias);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = use_bias;
  }
};

std::unique_ptr<Body> ernie4_5_body(const Scope& scope, const Ernie4_5Config& c) {
  auto body = stacked_decoder(
      scope, c, [&](const Scope& layer, std::int64_t i) { return llama_block(layer, c, c.attention(i)); });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_ernie4_5(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Ernie4_5Config>(json, where);
  return make_decoder(c, json, where, root, head, {}, true,
                      [&](const Scope& scope) { return ernie4_5_body(scope, c); });
}

GgufArchitecture ernie4_5_gguf() {
  GgufArchitecture g = gguf_decoder("ernie4_5");
  g.from_tensors = [](const WeightSource& source, Json& c) {
    c.set("use_bias", source.find("blk.0.attn_q.bias") != nullptr);
  };
  return g;
}

}  // namespace

Architecture ernie4_5_architecture() {
  using enum DecoderHead;
  return {.model_type = "ernie4_5",
          .base_prefix = "model",
          .classes = decoder_classes("Ernie4_5", make_ernie4_5, {none, causal_lm}),
          .gguf = ernie4_5_gguf()};
}

}  // namespace trustformers
