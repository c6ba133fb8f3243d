// GLM-4 of 2024 (GLM Team 2024): LLaMA with biases on queries, keys and values, half of each head turned, in pairs.
// Its successors GLM-4-0414 and GLM-Z1 (Z.ai 2025) norm what the branches give, too.
#include "decoder.h"

namespace trustformers {
namespace {

struct GlmConfig : DecoderConfig {
  GlmConfig() {
    num_key_value_heads = 2;
    head_dim = 128;
    norm_eps = 1.5625e-7;
    attention_bias = true;
    max_position_embeddings = 131072;
    partial_rotary = true;
    rope.partial_rotary_factor = 0.5;
    rope_interleaved = true;
  }
  SelfAttentionConfig attention(std::int64_t i) const {
    SelfAttentionConfig attention = DecoderConfig::attention(i);
    attention.output_bias = false;
    return attention;
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    mlp_bias = false;  // whatever the file says
  }
};

enum class Generation { glm, glm4 };

std::unique_ptr<Body> glm_body(const Scope& scope, const GlmConfig& c, Generation generation) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) {
    const auto norm = [&](std::string_view name) { return RmsNorm(layer / name, c.hidden_size, c.norm_eps); };
    DecoderBlock block{.attention_norm = norm("input_layernorm"),
                       .attention = std::make_unique<SelfAttention>(layer / "self_attn", c.attention(i)),
                       .mlp_norm = norm("post_attention_layernorm"),
                       .mlp = fused_gated_mlp(layer / "mlp", c.mlp(), c.activation())};
    if (generation == Generation::glm4) {
      block.attention_post_norm = norm("post_self_attn_layernorm");
      block.mlp_post_norm = norm("post_mlp_layernorm");
    }
    return block;
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

template <Generation generation>
std::unique_ptr<Model> make_glm(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<GlmConfig>(json, where);
  return make_decoder(c, json, where, root, head, {}, false,
                      [&](const Scope& scope) { return glm_body(scope, c, generation); });
}

GgufArchitecture glm_gguf(Generation generation) {
  const bool newer = generation == Generation::glm4;
  GgufArchitecture g = newer ? gguf_decoder("glm4") : gguf_decoder("chatglm", "glm");
  set_gguf_name(g, "model.layers.#.mlp.gate_up_proj", "blk.#.ffn_up");
  if (newer) {
    set_gguf_name(g, "model.layers.#.post_self_attn_layernorm", "blk.#.post_attention_norm");
    set_gguf_name(g, "model.layers.#.post_mlp_layernorm", "blk.#.post_ffw_norm");
  }
  return g;
}

template <Generation generation>
Architecture glm_like(std::string_view model_type, std::string_view prefix) {
  using enum DecoderHead;
  return {.model_type = model_type,
          .base_prefix = "model",
          .classes = decoder_classes(prefix, make_glm<generation>,
                                     {none, causal_lm, sequence_classification, token_classification}),
          .gguf = glm_gguf(generation)};
}

}  // namespace

Architecture glm_architecture() { return glm_like<Generation::glm>("glm", "Glm"); }
Architecture glm4_architecture() { return glm_like<Generation::glm4>("glm4", "Glm4"); }

}  // namespace trustformers
