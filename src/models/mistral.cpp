// Mistral (Jiang et al. 2023): LLaMA with a window on every layer.
#include "decoder.h"

namespace trustformers {
namespace {

struct MistralConfig : DecoderConfig {
  MistralConfig() {
    num_key_value_heads = 8;
    max_position_embeddings = 4096 * 32;
    sliding_window = 4096;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v.nullable("sliding_window", sliding_window);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = false;  // whatever the file says
  }
};

std::unique_ptr<Body> mistral_body(const Scope& scope, const MistralConfig& c) {
  auto body = stacked_decoder(
      scope, c, [&](const Scope& layer, std::int64_t i) { return llama_block(layer, c, c.attention(i)); });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_mistral(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<MistralConfig>(json, where);
  return make_decoder(c, json, where, root, head, {}, false,
                      [&](const Scope& scope) { return mistral_body(scope, c); });
}

}  // namespace

Architecture mistral_architecture() {  // its GGUF files call themselves llama
  return {
      .model_type = "mistral", .base_prefix = "model", .classes = decoder_classes("Mistral", make_mistral), .gguf = {}};
}

}  // namespace trustformers
