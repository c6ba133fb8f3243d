// LLaMA 1 to 3 (Touvron et al. 2023): pre-norm decoder with RMSNorm, rotary positions, grouped queries and SwiGLU.
#include "decoder.h"

namespace trustformers {
namespace {

struct LlamaConfig : DecoderConfig {
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    check(head_dim % 2 == 0, ErrorCode::parse, "[config] ", where, ": \"head_dim\" must be even, got ", head_dim);
  }
};

std::unique_ptr<Body> llama_body(const Scope& scope, const LlamaConfig& c) {
  auto body = stacked_decoder(
      scope, c, [&](const Scope& layer, std::int64_t i) { return llama_block(layer, c, c.attention(i)); });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_llama(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<LlamaConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.question_answering_body = "transformer"}, false,
                      [&](const Scope& scope) { return llama_body(scope, c); });
}

/// The file calls Mixtral by the same name.
GgufArchitecture llama_gguf() {
  GgufArchitecture g = gguf_decoder("llama");
  pair_gguf_heads(g);
  extend_gguf_config(g, [](const GgufMetadata&, Json& c) {
    if (c.find("num_local_experts")) c.set("model_type", "mixtral");
  });
  return g;
}

}  // namespace

Architecture llama_architecture() {
  return {.model_type = "llama",
          .base_prefix = "model",
          .classes = decoder_classes("Llama", make_llama),
          .gguf = llama_gguf()};
}

}  // namespace trustformers
