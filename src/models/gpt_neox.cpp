// GPT-NeoX and Pythia (Black et al. 2022): attention and feed-forward side by side, each after its own norm, rotary
// positions over a part of each head.
#include "decoder.h"

namespace trustformers {
namespace {

struct GptNeoXConfig : DecoderConfig {
  bool use_parallel_residual = true;

  GptNeoXConfig() {
    hidden_act = "gelu";
    norm_eps = 1e-5;
    attention_bias = true;
    partial_rotary = true;
    rope.partial_rotary_factor = 0.25;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("use_parallel_residual", use_parallel_residual);
  }
  void finish(const Json& json, std::string_view where) {
    num_key_value_heads = head_dim = 0;  // whatever the file says: queries, keys and values are of one size
    DecoderConfig::finish(json, where);
    mlp_bias = true;
  }
};

std::unique_ptr<Body> gpt_neox_body(const Scope& scope, const GptNeoXConfig& c) {
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "embed_in", c.vocab_size, c.hidden_size);
  body->rotations = {RotaryEmbedding(c.rope, c.head_dim, c.max_position_embeddings)};
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "layers" / i;
    SelfAttentionConfig attention = c.attention(i);
    attention.packing = SelfAttentionConfig::Packing::grouped;
    attention.names = {"query_key_value"};
    attention.output_name = "dense";
    body->layers.push_back(
        {.attention_norm = LayerNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
         .attention = std::make_unique<SelfAttention>(layer / "attention", attention),
         .mlp_norm = LayerNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
         .mlp = plain_mlp(layer / "mlp", c.mlp(), c.activation(), "dense_h_to_4h", "dense_4h_to_h"),
         .layout = c.use_parallel_residual ? DecoderBlock::Layout::parallel : DecoderBlock::Layout::pre_norm});
  }
  body->norm = LayerNorm(scope / "final_layer_norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_gpt_neox(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<GptNeoXConfig>(json, where);
  // causal masks and frequencies of old files
  root.parameters().ignore({"*.attention.bias", "*.attention.masked_bias", "*.attention.rotary_emb.inv_freq"});
  return make_decoder(c, json, where, root, head,
                      {.body = "gpt_neox",
                       .question_answering_body = "gpt_neox",
                       .lm_head = root.stored("lm_head.weight") ? "lm_head" : "embed_out",
                       .token_head = "classifier"},
                      false, [&](const Scope& scope) { return gpt_neox_body(scope, c); });
}

GgufArchitecture gpt_neox_gguf() {
  GgufArchitecture g{.name = "gptneox", .config = {}, .names = {}};
  g.config = [](const GgufMetadata& m) {
    Json c = gguf_decoder_config(m, "gptneox", "gpt_neox");
    c.set("use_parallel_residual", Json(m.get_bool("gptneox.use_parallel_residual", true)));
    const auto heads = static_cast<double>(m.get_int("gptneox.attention.head_count"));
    const auto turned = static_cast<double>(m.get_int("gptneox.rope.dimension_count"));
    // Half a feature more, lest rounding lose one.
    c.set("rotary_pct", Json((turned + 0.5) * heads / static_cast<double>(m.get_int("gptneox.embedding_length"))));
    return c;
  };
  g.names = {{"gpt_neox.embed_in", "token_embd"},
             {"gpt_neox.final_layer_norm", "output_norm"},
             {"embed_out", "output"},
             {"gpt_neox.layers.#.input_layernorm", "blk.#.attn_norm"},
             {"gpt_neox.layers.#.attention.query_key_value", "blk.#.attn_qkv", gguf_grouped_projection()},
             {"gpt_neox.layers.#.attention.dense", "blk.#.attn_output"},
             {"gpt_neox.layers.#.post_attention_layernorm", "blk.#.ffn_norm"},
             {"gpt_neox.layers.#.mlp.dense_h_to_4h", "blk.#.ffn_up"},
             {"gpt_neox.layers.#.mlp.dense_4h_to_h", "blk.#.ffn_down"}};
  return g;
}

}  // namespace

Architecture gpt_neox_architecture() {
  return {.model_type = "gpt_neox",
          .base_prefix = "gpt_neox",
          .classes = decoder_classes("GPTNeoX", make_gpt_neox),
          .gguf = gpt_neox_gguf()};
}

}  // namespace trustformers
