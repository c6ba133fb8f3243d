// Qwen3 (Yang et al. 2025): LLaMA with an RMSNorm on each head's queries and keys before they are turned.
#include "qwen_config.h"

namespace trustformers {
namespace {

struct Qwen3Config : QwenConfig {
  Qwen3Config() { head_dim = 128; }
};

std::unique_ptr<Body> qwen3_body(const Scope& scope, const Qwen3Config& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) {
    SelfAttentionConfig attention = c.attention(i);
    attention.q_norm = RmsNorm(layer / "self_attn" / "q_norm", c.head_dim, c.norm_eps);
    attention.k_norm = RmsNorm(layer / "self_attn" / "k_norm", c.head_dim, c.norm_eps);
    return llama_block(layer, c, attention);
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_qwen3(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Qwen3Config>(json, where);
  return make_decoder(c, json, where, root, head, {.question_answering_body = "transformer"}, false,
                      [&](const Scope& scope) { return qwen3_body(scope, c); });
}

}  // namespace

Architecture qwen3_architecture() {
  return {.model_type = "qwen3",
          .base_prefix = "model",
          .classes = decoder_classes("Qwen3", make_qwen3),
          .gguf = gguf_decoder("qwen3")};
}

}  // namespace trustformers
