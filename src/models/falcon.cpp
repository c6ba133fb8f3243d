// Falcon (Almazrouei et al. 2023) in its three forms: one key head and one norm (7B), groups of heads and two norms
// (40B), and one block after the other, mostly with linear biases (RW).
#include <cmath>

#include "../nn/alibi.h"
#include "decoder.h"

namespace trustformers {
namespace {

struct FalconConfig : DecoderConfig {
  bool alibi = false, new_decoder_architecture = false, multi_query = true, parallel_attn = true, bias = false;
  std::int64_t num_ln_in_parallel_attn = 0;  // 0: two in the new architecture, else one
  std::string attn_implementation;

  /// The attention that transformers 5 calls eager adds the biases twice, once with its mask. Its default does not, nor
  /// did transformers 4 or the training: a config has to ask for it.
  double bias_scale() const {
    return (attn_implementation == "eager" ? 2 : 1) / std::sqrt(static_cast<double>(head_dim));
  }

  FalconConfig() {
    hidden_act = "gelu";
    norm_eps = 1e-5;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("alibi", alibi);
    v("new_decoder_architecture", new_decoder_architecture);
    v("multi_query", multi_query);
    v("parallel_attn", parallel_attn);
    v("bias", bias);
    v("num_ln_in_parallel_attn", num_ln_in_parallel_attn);
    v("attn_implementation", attn_implementation);
  }
  void finish(const Json& json, std::string_view where) {
    if (intermediate_size == 0) intermediate_size = 4 * hidden_size;
    if (!new_decoder_architecture) {
      check(multi_query || num_key_value_heads == 0 || num_key_value_heads == num_attention_heads, ErrorCode::parse,
            "[config] ", where, ": \"num_kv_heads\" is ", num_key_value_heads, " of ", num_attention_heads,
            " heads, which needs \"new_decoder_architecture\"");
      num_key_value_heads = multi_query ? 1 : num_attention_heads;
    }
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = bias;
    if (alibi) max_position_embeddings = 0;  // biases have no end
    if (num_ln_in_parallel_attn == 0) num_ln_in_parallel_attn = new_decoder_architecture ? 2 : 1;
    check(!new_decoder_architecture || parallel_attn, ErrorCode::unsupported, "[config] ", where,
          ": \"new_decoder_architecture\" without \"parallel_attn\" is not supported");
    check(num_ln_in_parallel_attn == 1 || (num_ln_in_parallel_attn == 2 && new_decoder_architecture),
          ErrorCode::unsupported, "[config] ", where, ": \"num_ln_in_parallel_attn\" ", num_ln_in_parallel_attn,
          new_decoder_architecture ? " is neither 1 nor 2" : " needs \"new_decoder_architecture\"");
  }
};

DecoderBlock falcon_block(const Scope& layer, const FalconConfig& c, std::int64_t i) {
  const auto norm = [&](std::string_view name) { return LayerNorm(layer / name, c.hidden_size, c.norm_eps); };
  SelfAttentionConfig attention = c.attention(i);
  attention.packing = SelfAttentionConfig::Packing::grouped;
  attention.names = {"query_key_value"};
  attention.output_name = "dense";
  if (c.alibi) attention.rotation = {};
  const bool two_norms = c.parallel_attn && c.num_ln_in_parallel_attn == 2;
  DecoderBlock block{.attention_norm = norm(two_norms ? "ln_attn" : "input_layernorm"),
                     .attention = std::make_unique<SelfAttention>(layer / "self_attention", attention),
                     .mlp = plain_mlp(layer / "mlp", c.mlp(), c.activation(), "dense_h_to_4h", "dense_4h_to_h"),
                     .layout = c.parallel_attn ? DecoderBlock::Layout::parallel : DecoderBlock::Layout::pre_norm};
  if (two_norms) block.mlp_norm = norm("ln_mlp");
  if (!c.parallel_attn) block.mlp_norm = norm("post_attention_layernorm");
  return block;
}

std::unique_ptr<Body> falcon_body(const Scope& scope, const FalconConfig& c) {
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "word_embeddings", c.vocab_size, c.hidden_size);
  if (c.alibi) {
    // The reference builds the biases in bf16 and scales them together with the scores.
    const Alibi alibi(c.num_attention_heads, Alibi::Precision::bf16, c.bias_scale());
    body->score_bias = [alibi](const Tensor& mask, std::int64_t keys) { return alibi(key_positions(mask, keys)); };
  } else {
    body->rotations = {RotaryEmbedding(c.rope, c.head_dim, c.max_position_embeddings)};
  }
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) body->layers.push_back(falcon_block(scope / "h" / i, c, i));
  body->norm = LayerNorm(scope / "ln_f", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_falcon(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<FalconConfig>(json, where);
  root.parameters().ignore({"lm_head.weight", "*.rotary_emb.inv_freq"});  // old files repeat the tied table
  return make_decoder(c, json, where, root, head,
                      {.body = "transformer", .question_answering_body = "transformer", .token_head = "classifier"},
                      true, [&](const Scope& scope) { return falcon_body(scope, c); });
}

/// llama.cpp knows the 7B and the 40B form; the file tells them apart by their key heads.
GgufArchitecture falcon_gguf() {
  GgufArchitecture g{.name = "falcon", .config = {}, .names = {}};
  g.config = [](const GgufMetadata& m) {
    Json c = gguf_decoder_config(m, "falcon", "falcon");
    c.set("new_decoder_architecture", Json(m.get_int("falcon.attention.head_count_kv", 1) > 1));
    return c;
  };
  const GgufTransform grouped = [](const Json& config) {
    const std::int64_t heads = config.at("num_attention_heads").as_int("num_attention_heads");
    const std::int64_t kv_heads = config.at("num_key_value_heads").as_int("num_key_value_heads");
    return [=](const Tensor& t) { return group_rows_by_key_head(t, heads, kv_heads); };
  };
  g.names = {{"transformer.word_embeddings", "token_embd"},
             {"transformer.ln_f", "output_norm"},
             {"lm_head", "output"},
             {"transformer.h.#.input_layernorm", "blk.#.attn_norm"},
             {"transformer.h.#.ln_mlp", "blk.#.attn_norm"},
             {"transformer.h.#.ln_attn", "blk.#.attn_norm_2"},
             {"transformer.h.#.self_attention.query_key_value", "blk.#.attn_qkv", grouped},
             {"transformer.h.#.self_attention.dense", "blk.#.attn_output"},
             {"transformer.h.#.mlp.dense_h_to_4h", "blk.#.ffn_up"},
             {"transformer.h.#.mlp.dense_4h_to_h", "blk.#.ffn_down"}};
  return g;
}

}  // namespace

Architecture falcon_architecture() {
  return {.model_type = "falcon",
          .base_prefix = "transformer",
          .classes = decoder_classes("Falcon", make_falcon),
          .gguf = falcon_gguf()};
}

}  // namespace trustformers
