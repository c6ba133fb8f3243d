// GPT-2 (Radford et al. 2019): pre-norm decoder with learned positions; linear weights are stored input-major.
#include <cmath>

#include "../nn/cross_attention.h"
#include "decoder.h"
#include "double_heads.h"

namespace trustformers {
namespace {

struct Gpt2Config : DecoderConfig {
  bool scale_attn_weights = true, scale_attn_by_inverse_layer_idx = false, add_cross_attention = false;

  Gpt2Config() {
    hidden_act = "gelu_new";
    norm_eps = 1e-5;
    max_position_embeddings = 1024;
    attention_bias = mlp_bias = true;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("scale_attn_weights", scale_attn_weights);
    v("scale_attn_by_inverse_layer_idx", scale_attn_by_inverse_layer_idx);
    v("add_cross_attention", add_cross_attention);
  }
  void finish(const Json& json, std::string_view where) {
    if (intermediate_size == 0) intermediate_size = 4 * hidden_size;
    DecoderConfig::finish(json, where);
  }
};

std::unique_ptr<Body> gpt2_body(const Scope& scope, const Gpt2Config& c) {
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "wte", c.vocab_size, c.hidden_size);
  body->positions = Embedding(scope / "wpe", c.max_position_embeddings, c.hidden_size);
  body->token_types = true;
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "h" / i;
    SelfAttentionConfig attention = c.attention(i);
    attention.packing = SelfAttentionConfig::Packing::stacked;
    attention.names = {"c_attn"};
    attention.output_name = "c_proj";
    attention.stored = Linear::Stored::input_major;
    attention.rotation = {};
    attention.scale = c.scale_attn_weights ? 1 / std::sqrt(static_cast<double>(c.head_dim)) : 1;
    if (c.scale_attn_by_inverse_layer_idx) attention.scale /= static_cast<double>(i + 1);
    MlpShape mlp = c.mlp();
    mlp.stored = Linear::Stored::input_major;
    body->layers.push_back({.attention_norm = LayerNorm(layer / "ln_1", c.hidden_size, c.norm_eps),
                            .attention = std::make_unique<SelfAttention>(layer / "attn", attention),
                            .mlp_norm = LayerNorm(layer / "ln_2", c.hidden_size, c.norm_eps),
                            .mlp = plain_mlp(layer / "mlp", mlp, c.activation(), "c_fc", "c_proj")});
    if (c.add_cross_attention) {
      attention.names = {"q_attn", "c_attn"};
      body->layers.back().cross_norm = LayerNorm(layer / "ln_cross_attn", c.hidden_size, c.norm_eps);
      body->layers.back().cross_attention = std::make_unique<CrossAttention>(layer / "crossattention", attention);
    }
  }
  body->norm = LayerNorm(scope / "ln_f", c.hidden_size, c.norm_eps);
  return body;
}

/// Causal masks of old files.
void ignore_masks(const Scope& root) {
  root.parameters().ignore({"*.attn.bias", "*.attn.masked_bias", "*.crossattention.bias"});
}

std::unique_ptr<Model> make_gpt2(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Gpt2Config>(json, where);
  ignore_masks(root);
  return make_decoder(c, json, where, root, head,
                      {.body = "transformer", .question_answering_body = "transformer", .token_head = "classifier"},
                      true, [&](const Scope& scope) { return gpt2_body(scope, c); });
}

std::unique_ptr<Model> make_two_headed(const Json& json, std::string_view where, const Scope& root) {
  const auto c = read_decoder_config<Gpt2Config>(json, where);
  ignore_masks(root);
  return make_double_heads(c, json, where, root, "transformer",
                           [&](const Scope& scope) { return gpt2_body(scope, c); });
}

GgufArchitecture gpt2_gguf() {
  GgufArchitecture g;
  g.name = "gpt2";
  g.config = [](const GgufMetadata& m) {
    Json c = gguf_decoder_config(m, "gpt2", "gpt2");
    c.set("n_inner", Json(m.get_int("gpt2.feed_forward_length")));
    return c;
  };
  // llama.cpp stores the matrices output-major.
  const GgufTransform to_input_major = [](const Json&) { return [](const Tensor& t) { return swap_matrix(t); }; };
  g.names = {{"transformer.wte", "token_embd"},
             {"transformer.wpe", "position_embd"},
             {"transformer.ln_f", "output_norm"},
             {"lm_head", "output"},
             {"transformer.h.#.ln_1", "blk.#.attn_norm"},
             {"transformer.h.#.ln_2", "blk.#.ffn_norm"},
             {"transformer.h.#.attn.c_attn", "blk.#.attn_qkv", to_input_major},
             {"transformer.h.#.attn.c_proj", "blk.#.attn_output", to_input_major},
             {"transformer.h.#.mlp.c_fc", "blk.#.ffn_up", to_input_major},
             {"transformer.h.#.mlp.c_proj", "blk.#.ffn_down", to_input_major}};
  return g;
}

}  // namespace

Architecture gpt2_architecture() {
  std::vector<ModelClass> classes = decoder_classes("GPT2", make_gpt2);
  classes[1].name = "GPT2LMHeadModel";
  classes.push_back({"GPT2DoubleHeadsModel", Task::multiple_choice, make_two_headed});
  return {.model_type = "gpt2", .base_prefix = "transformer", .classes = std::move(classes), .gguf = gpt2_gguf()};
}

}  // namespace trustformers
