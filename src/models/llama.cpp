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

/// [H·D, K] with the two halves of each head interleaved, as llama.cpp stores queries and keys, back to halves.
GgufTransform unpermute(std::string_view heads_key) {
  return [key = std::string(heads_key)](const Json& config) {
    const std::int64_t heads = config.at(key).as_int(key);
    return [heads](const Tensor& t) { return permute_rows_from_pairs(t, heads); };
  };
}

GgufArchitecture llama_gguf() {
  GgufArchitecture g = gguf_rms_decoder("llama");
  for (GgufName& row : g.names) {
    if (row.theirs == "blk.#.attn_q") row.transform = unpermute("num_attention_heads");
    if (row.theirs == "blk.#.attn_k") row.transform = unpermute("num_key_value_heads");
  }
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
