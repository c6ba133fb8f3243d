// Ministral (Mistral AI 2024): Mistral with full attention in some layers.
#include "decoder.h"

namespace trustformers {
namespace {

struct MinistralConfig : DecoderConfig {
  MinistralConfig() {
    num_key_value_heads = 8;
    max_position_embeddings = 4096 * 32;
    sliding_window = 4096;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    window_fields(v);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = false;  // whatever the file says
  }
};

std::unique_ptr<Body> ministral_body(const Scope& scope, const MinistralConfig& c) {
  auto body = stacked_decoder(
      scope, c, [&](const Scope& layer, std::int64_t i) { return llama_block(layer, c, c.attention(i)); });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_ministral(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<MinistralConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.question_answering_body = "transformer"}, false,
                      [&](const Scope& scope) { return ministral_body(scope, c); });
}

}  // namespace

Architecture ministral_architecture() {
  return {.model_type = "ministral", .base_prefix = "model", .classes = decoder_classes("Ministral", make_ministral)};
}

}  // namespace trustformers
