// Mixtral (Jiang et al. 2024): Mistral with a mixture of experts in every layer, two of which compute each token.
#include "moe_decoder.h"

namespace trustformers {
namespace {

struct MixtralConfig : MoeDecoderConfig {
  MixtralConfig() {
    norm_eps = 1e-5;
    max_position_embeddings = 4096 * 32;
    num_key_value_heads = 8;
    rope.theta = 1e6;
  }
  void finish(const Json& json, std::string_view where) {
    norm_topk_prob = true;
    MoeDecoderConfig::finish(json, where);
  }
};

std::unique_ptr<Body> mixtral_body(const Scope& scope, const MixtralConfig& c) {
  MoeConfig moe{.router = c.router(), .experts = c.expert()};
  moe.experts.names = {.gate = "w1", .up = "w3", .down = "w2"};
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    const Scope mixture = layer / "block_sparse_moe";
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", c.attention(i)),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = mixture_of_experts(mixture / "gate", mixture / "experts", moe)};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_mixtral(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<MixtralConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.router_loss = c.router_loss()}, false,
                      [&](const Scope& scope) { return mixtral_body(scope, c); });
}

/// Its files call themselves "llama", whose table makes the config.
GgufArchitecture mixtral_gguf() {
  GgufArchitecture g{.name = "llama", .config = {}, .names = gguf_decoder_names()};
  pair_gguf_heads(g);
  add_gguf_experts(g, "model.layers.#.block_sparse_moe.gate", "model.layers.#.block_sparse_moe.experts");
  return g;
}

}  // namespace

Architecture mixtral_architecture() {
  return {.model_type = "mixtral",
          .base_prefix = "model",
          .classes = decoder_classes("Mixtral", make_mixtral),
          .gguf = mixtral_gguf()};
}

}  // namespace trustformers
