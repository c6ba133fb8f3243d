// Seed-OSS (ByteDance 2025): LLaMA with biases on queries, keys and values.
#include "decoder.h"

namespace trustformers {
namespace {

struct SeedOssConfig : DecoderConfig {
  bool attention_out_bias = false;

  SeedOssConfig() {
    num_key_value_heads = 8;
    head_dim = 128;
    attention_bias = true;
    max_position_embeddings = 524288;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("attention_out_bias", attention_out_bias);
  }
};

std::unique_ptr<Body> seed_oss_body(const Scope& scope, const SeedOssConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) {
    SelfAttentionConfig attention = c.attention(i);
    attention.output_bias = c.attention_out_bias;
    return llama_block(layer, c, attention);
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_seed_oss(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<SeedOssConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.question_answering_body = "transformer"}, false,
                      [&](const Scope& scope) { return seed_oss_body(scope, c); });
}

GgufArchitecture seed_oss_gguf() {
  GgufArchitecture g = gguf_decoder("seed_oss");
  set_gguf_name(g, "model.layers.#.post_attention_layernorm", "blk.#.post_attention_norm");
  return g;
}

}  // namespace

Architecture seed_oss_architecture() {
  return {.model_type = "seed_oss",
          .base_prefix = "model",
          .classes = decoder_classes("SeedOss", make_seed_oss),
          .gguf = seed_oss_gguf()};
}

}  // namespace trustformers
