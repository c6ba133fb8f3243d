// MPT (MosaicML 2023): decoder without any bias vectors, with linear biases instead of positions.
#include "../nn/alibi.h"
#include "decoder.h"

namespace trustformers {
namespace {

struct MptConfig : DecoderConfig {
  double clip_qkv = 0;       // 0: no clamping
  double softmax_scale = 0;  // 0: 1/sqrt(head_dim)

  MptConfig() {
    hidden_act = "gelu";
    norm_eps = 1e-5;
  }
  void finish(const Json& json, std::string_view where) {
    intermediate_size = 4 * hidden_size;  // whatever "expansion_ratio" says, as in transformers
    hidden_act = "gelu";
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = false;
    if (const Json* inner = json.find("attn_config"); inner && inner->is_object()) read_attention(*inner, where);
  }

 private:
  void read_attention(const Json& json, std::string_view where) {
    ConfigReader v(json, where);
    std::string attn_type = "multihead_attention";
    bool alibi = true, prefix_lm = false, qk_ln = false;
    v("clip_qkv", clip_qkv);
    v("softmax_scale", softmax_scale);
    v("attn_type", attn_type);
    v("alibi", alibi);
    v("prefix_lm", prefix_lm);
    v("qk_ln", qk_ln);
    check(attn_type == "multihead_attention", ErrorCode::unsupported, "[config] ", where,
          ": \"attn_type\" must be \"multihead_attention\", got \"", attn_type, "\"");
    check(alibi && !prefix_lm && !qk_ln, ErrorCode::unsupported, "[config] ", where,
          ": \"attn_config\" must have \"alibi\" and neither \"prefix_lm\" nor \"qk_ln\"");
  }
};

std::unique_ptr<Body> mpt_body(const Scope& scope, const MptConfig& c) {
  const auto norm = [&](const Scope& s) { return LayerNorm(s, c.hidden_size, c.norm_eps, false); };
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "wte", c.vocab_size, c.hidden_size);
  // Keys are counted back from the last one; padding counts.
  body->score_bias = [alibi = Alibi(c.num_attention_heads)](const Tensor&, std::int64_t keys) {
    return alibi(consecutive_positions(1 - keys, keys));
  };
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "blocks" / i;
    SelfAttentionConfig attention = c.attention(i);
    attention.packing = SelfAttentionConfig::Packing::stacked;
    attention.names = {"Wqkv"};
    attention.output_name = "out_proj";
    attention.rotation = {};
    attention.clip = c.clip_qkv;
    attention.scale = c.softmax_scale;
    body->layers.push_back({.attention_norm = norm(layer / "norm_1"),
                            .attention = std::make_unique<SelfAttention>(layer / "attn", attention),
                            .mlp_norm = norm(layer / "norm_2"),
                            .mlp = plain_mlp(layer / "ffn", c.mlp(), c.activation(), "up_proj", "down_proj")});
  }
  body->norm = norm(scope / "norm_f");
  return body;
}

std::unique_ptr<Model> make_mpt(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<MptConfig>(json, where);
  return make_decoder(c, json, where, root, head,
                      {.body = "transformer", .question_answering_body = "transformer", .token_head = "classifier"},
                      true, [&](const Scope& scope) { return mpt_body(scope, c); });
}

GgufArchitecture mpt_gguf() {
  GgufArchitecture g = gguf_decoder("mpt");
  g.names = {{"transformer.wte", "token_embd"},
             {"transformer.norm_f", "output_norm"},
             {"lm_head", "output"},
             {"transformer.blocks.#.norm_1", "blk.#.attn_norm"},
             {"transformer.blocks.#.attn.Wqkv", "blk.#.attn_qkv"},
             {"transformer.blocks.#.attn.out_proj", "blk.#.attn_output"},
             {"transformer.blocks.#.norm_2", "blk.#.ffn_norm"},
             {"transformer.blocks.#.ffn.up_proj", "blk.#.ffn_up"},
             {"transformer.blocks.#.ffn.down_proj", "blk.#.ffn_down"}};
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) {
    Json attention = Json::object();
    attention.set("clip_qkv", m.get_double("mpt.attention.clamp_kqv", 0));
    c.set("attn_config", std::move(attention));
  });
  return g;
}

}  // namespace

Architecture mpt_architecture() {
  return {.model_type = "mpt",
          .base_prefix = "transformer",
          .classes = decoder_classes("Mpt", make_mpt),
          .gguf = mpt_gguf()};
}

}  // namespace trustformers
