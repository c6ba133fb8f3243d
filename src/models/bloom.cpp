// BLOOM (Le Scao et al. 2022): decoder with normed embeddings and linear biases instead of positions.
#include "../nn/alibi.h"
#include "decoder.h"

namespace trustformers {
namespace {

struct BloomConfig : DecoderConfig {
  bool apply_residual_connection_post_layernorm = false, slow_but_exact = false;
  std::int64_t pretraining_tp = 1;

  BloomConfig() {
    hidden_act = "gelu_new";
    norm_eps = 1e-5;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("apply_residual_connection_post_layernorm", apply_residual_connection_post_layernorm);
    v("slow_but_exact", slow_but_exact);
    v("pretraining_tp", pretraining_tp);
  }
  void finish(const Json& json, std::string_view where) {
    intermediate_size = 4 * hidden_size;
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = true;
    max_position_embeddings = 0;  // biases have no end
    check(!slow_but_exact || pretraining_tp <= 1, ErrorCode::unsupported, "[config] ", where,
          ": \"slow_but_exact\" with \"pretraining_tp\" ", pretraining_tp, " is not supported");
  }
};

std::unique_ptr<Body> bloom_body(const Scope& scope, const BloomConfig& c) {
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "word_embeddings", c.vocab_size, c.hidden_size);
  body->embedding_norm = LayerNorm(scope / "word_embeddings_layernorm", c.hidden_size, c.norm_eps);
  body->score_bias = [alibi = Alibi(c.num_attention_heads)](const Tensor& mask, std::int64_t keys) {
    return alibi(key_positions(mask, keys));
  };
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "h" / i;
    SelfAttentionConfig attention = c.attention(i);
    attention.packing = SelfAttentionConfig::Packing::grouped;
    attention.names = {"query_key_value"};
    attention.output_name = "dense";
    attention.rotation = {};
    body->layers.push_back({.attention_norm = LayerNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
                            .attention = std::make_unique<SelfAttention>(layer / "self_attention", attention),
                            .mlp_norm = LayerNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
                            .mlp = plain_mlp(layer / "mlp", c.mlp(), c.activation(), "dense_h_to_4h", "dense_4h_to_h"),
                            .layout = c.apply_residual_connection_post_layernorm
                                          ? DecoderBlock::Layout::residual_from_norm
                                          : DecoderBlock::Layout::pre_norm});
  }
  body->norm = LayerNorm(scope / "ln_f", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_bloom(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<BloomConfig>(json, where);
  return make_decoder(c, json, where, root, head,
                      {.body = "transformer", .question_answering_body = "transformer", .token_head = "classifier"},
                      true, [&](const Scope& scope) { return bloom_body(scope, c); });
}

GgufArchitecture bloom_gguf() {
  GgufArchitecture g{.name = "bloom", .config = {}, .names = {}};
  g.config = [](const GgufMetadata& m) {
    Json c = gguf_decoder_config(m, "bloom", "bloom");
    return c;
  };
  g.names = {{"transformer.word_embeddings", "token_embd"},
             {"transformer.word_embeddings_layernorm", "token_embd_norm"},
             {"transformer.ln_f", "output_norm"},
             {"lm_head", "output"},
             {"transformer.h.#.input_layernorm", "blk.#.attn_norm"},
             {"transformer.h.#.self_attention.query_key_value", "blk.#.attn_qkv", gguf_grouped_projection()},
             {"transformer.h.#.self_attention.dense", "blk.#.attn_output"},
             {"transformer.h.#.post_attention_layernorm", "blk.#.ffn_norm"},
             {"transformer.h.#.mlp.dense_h_to_4h", "blk.#.ffn_up"},
             {"transformer.h.#.mlp.dense_4h_to_h", "blk.#.ffn_down"}};
  return g;
}

}  // namespace

Architecture bloom_architecture() {
  return {.model_type = "bloom",
          .base_prefix = "transformer",
          .classes = decoder_classes("Bloom", make_bloom),
          .gguf = bloom_gguf()};
}

}  // namespace trustformers
