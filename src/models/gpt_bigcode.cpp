// GPT-BigCode: SantaCoder and StarCoder (Ben Allal et al. 2023; Li et al. 2023), GPT-2 with one key head for all
// queries.
#include "decoder.h"

namespace trustformers {
namespace {

struct GptBigCodeConfig : DecoderConfig {
  bool multi_query = true, scale_attn_weights = true, add_cross_attention = false;

  GptBigCodeConfig() {
    hidden_act = "gelu_pytorch_tanh";
    norm_eps = 1e-5;
    max_position_embeddings = 1024;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("multi_query", multi_query);
    v("scale_attn_weights", scale_attn_weights);
    v("add_cross_attention", add_cross_attention);
  }
  void finish(const Json& json, std::string_view where) {
    if (intermediate_size == 0) intermediate_size = 4 * hidden_size;
    num_key_value_heads = multi_query ? 1 : num_attention_heads;
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = true;
    check(!add_cross_attention, ErrorCode::unsupported, "[config] ", where,
          ": \"add_cross_attention\" is not supported");
  }
};

std::unique_ptr<Body> gpt_bigcode_body(const Scope& scope, const GptBigCodeConfig& c) {
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "wte", c.vocab_size, c.hidden_size);
  body->positions = Embedding(scope / "wpe", c.max_position_embeddings, c.hidden_size);
  body->token_types = true;
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "h" / i;
    SelfAttentionConfig attention = c.attention(i);
    attention.packing = SelfAttentionConfig::Packing::grouped;
    attention.names = {"c_attn"};
    attention.output_name = "c_proj";
    attention.rotation = {};
    if (!c.scale_attn_weights) attention.scale = 1;
    body->layers.push_back({.attention_norm = LayerNorm(layer / "ln_1", c.hidden_size, c.norm_eps),
                            .attention = std::make_unique<SelfAttention>(layer / "attn", attention),
                            .mlp_norm = LayerNorm(layer / "ln_2", c.hidden_size, c.norm_eps),
                            .mlp = plain_mlp(layer / "mlp", c.mlp(), c.activation(), "c_fc", "c_proj")});
  }
  body->norm = LayerNorm(scope / "ln_f", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_gpt_bigcode(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<GptBigCodeConfig>(json, where);
  root.parameters().ignore({"*.attn.bias", "*.attn.masked_bias"});  // causal masks of old files
  return make_decoder(c, json, where, root, head, {.body = "transformer", .token_head = "classifier"}, true,
                      [&](const Scope& scope) { return gpt_bigcode_body(scope, c); });
}

GgufArchitecture gpt_bigcode_gguf() {
  GgufArchitecture g = gguf_decoder("starcoder", "gpt_bigcode");
  g.names = {{"transformer.wte", "token_embd"},
             {"transformer.wpe", "position_embd"},
             {"transformer.ln_f", "output_norm"},
             {"lm_head", "output"},
             {"transformer.h.#.ln_1", "blk.#.attn_norm"},
             {"transformer.h.#.attn.c_attn", "blk.#.attn_qkv"},
             {"transformer.h.#.attn.c_proj", "blk.#.attn_output"},
             {"transformer.h.#.ln_2", "blk.#.ffn_norm"},
             {"transformer.h.#.mlp.c_fc", "blk.#.ffn_up"},
             {"transformer.h.#.mlp.c_proj", "blk.#.ffn_down"}};
  return g;
}

}  // namespace

Architecture gpt_bigcode_architecture() {
  return {.model_type = "gpt_bigcode",
          .base_prefix = "transformer",
          .classes = decoder_classes("GPTBigCode", make_gpt_bigcode,
                                     {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification,
                                      DecoderHead::token_classification}),
          .gguf = gpt_bigcode_gguf()};
}

}  // namespace trustformers
