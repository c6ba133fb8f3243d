// StableLM (Stability AI 2023): LLaMA with LayerNorm and a quarter of each head turned; some sizes side by side and
// with a norm for each head.
#include "decoder.h"

namespace trustformers {
namespace {

struct StableLmConfig : DecoderConfig {
  bool use_qkv_bias = false, qk_layernorm = false, use_parallel_residual = false;

  StableLmConfig() {
    num_key_value_heads = 32;
    norm_eps = 1e-5;
    max_position_embeddings = 4096;
    partial_rotary = true;
    rope.partial_rotary_factor = 0.25;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("use_qkv_bias", use_qkv_bias);
    v("qk_layernorm", qk_layernorm);
    v("use_parallel_residual", use_parallel_residual);
  }
  void finish(const Json& json, std::string_view where) {
    head_dim = 0;  // whatever the file says
    DecoderConfig::finish(json, where);
    mlp_bias = false;
  }
};

std::unique_ptr<Body> stablelm_body(const Scope& scope, const StableLmConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) {
    SelfAttentionConfig attention = c.attention(i);
    attention.bias = c.use_qkv_bias;
    attention.output_bias = false;
    if (c.qk_layernorm) {
      const Scope self = layer / "self_attn";
      attention.q_norm = HeadLayerNorm::listed(self / "q_layernorm", c.num_attention_heads, c.head_dim, c.norm_eps);
      attention.k_norm = HeadLayerNorm::listed(self / "k_layernorm", c.num_key_value_heads, c.head_dim, c.norm_eps);
    }
    DecoderBlock block{.attention_norm = LayerNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
                       .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
                       .mlp = gated_mlp(layer / "mlp", c.mlp(), c.activation())};
    if (c.use_parallel_residual)
      block.layout = DecoderBlock::Layout::parallel;
    else
      block.mlp_norm = LayerNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps);
    return block;
  });
  body->norm = LayerNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_stablelm(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<StableLmConfig>(json, where);
  return make_decoder(c, json, where, root, head, {}, false,
                      [&](const Scope& scope) { return stablelm_body(scope, c); });
}

GgufArchitecture stablelm_gguf() {
  GgufArchitecture g{.name = "stablelm", .config = {}, .names = gguf_decoder_names()};
  set_gguf_name(g, "model.layers.#.self_attn.q_layernorm", "blk.#.attn_q_norm");
  set_gguf_name(g, "model.layers.#.self_attn.k_layernorm", "blk.#.attn_k_norm");
  g.config = [](const GgufMetadata& m) {
    Json c = gguf_decoder_config(m, "stablelm", "stablelm");
    c.set("use_parallel_residual", Json(m.get_bool("stablelm.use_parallel_residual", false)));
    return c;
  };
  g.from_tensors = [](const WeightSource& source, Json& c) {
    c.set("use_qkv_bias", Json(source.find("blk.0.attn_q.bias") != nullptr));
    c.set("qk_layernorm", Json(source.find("blk.0.attn_q_norm.weight") != nullptr));
  };
  return g;
}

}  // namespace

Architecture stablelm_architecture() {
  using enum DecoderHead;
  return {.model_type = "stablelm",
          .base_prefix = "model",
          .classes = decoder_classes("StableLm", make_stablelm,
                                     {none, causal_lm, sequence_classification, token_classification}),
          .gguf = stablelm_gguf()};
}

}  // namespace trustformers
