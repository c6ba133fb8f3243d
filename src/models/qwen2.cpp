// Qwen2 and Qwen2.5 (Yang et al. 2024): LLaMA with biases on queries, keys and values.
#include "qwen_config.h"

namespace trustformers {
namespace {

std::unique_ptr<Body> qwen2_body(const Scope& scope, const QwenConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) {
    SelfAttentionConfig attention = c.attention(i);
    attention.bias = true;
    attention.output_bias = false;
    return llama_block(layer, c, attention);
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_qwen2(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<QwenConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.question_answering_body = "transformer"}, false,
                      [&](const Scope& scope) { return qwen2_body(scope, c); });
}

}  // namespace

Architecture qwen2_architecture() {
  return {.model_type = "qwen2",
          .base_prefix = "model",
          .classes = decoder_classes("Qwen2", make_qwen2),
          .gguf = gguf_decoder("qwen2")};
}

}  // namespace trustformers
