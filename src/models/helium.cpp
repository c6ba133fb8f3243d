// Helium (Kyutai 2025): LLaMA whose heads turn in pairs of neighbours.
#include "decoder.h"

namespace trustformers {
namespace {

struct HeliumConfig : DecoderConfig {
  HeliumConfig() {
    num_key_value_heads = 20;
    head_dim = 128;
    norm_eps = 1e-8;
    max_position_embeddings = 4096;
    rope.theta = 100000;
    rope_interleaved = true;
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    check(num_attention_heads * head_dim == hidden_size, ErrorCode::parse, "[config] ", where, ": \"hidden_size\" ",
          hidden_size, " must be \"num_attention_heads\" ", num_attention_heads, " times \"head_dim\" ", head_dim);
  }
};

std::unique_ptr<Body> helium_body(const Scope& scope, const HeliumConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) {
    SelfAttentionConfig attention = c.attention(i);
    attention.output_bias = false;
    return llama_block(layer, c, attention);
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_helium(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<HeliumConfig>(json, where);
  return make_decoder(c, json, where, root, head, {}, false, [&](const Scope& scope) { return helium_body(scope, c); });
}

}  // namespace

Architecture helium_architecture() {
  using enum DecoderHead;
  return {.model_type = "helium",
          .base_prefix = "model",
          .classes =
              decoder_classes("Helium", make_helium, {none, causal_lm, sequence_classification, token_classification}),
          .gguf = {}};
}

}  // namespace trustformers
