// GPT (Radford et al. 2018): post-norm decoder with learned positions; linear weights are stored input-major.
#include "decoder.h"
#include "double_heads.h"

namespace trustformers {
namespace {

struct OpenAiGptConfig : DecoderConfig {
  OpenAiGptConfig() {
    hidden_act = "gelu";
    norm_eps = 1e-5;
    max_position_embeddings = 512;
  }
  void finish(const Json& json, std::string_view where) {
    intermediate_size = 4 * hidden_size;
    DecoderConfig::finish(json, where);
    attention_bias = mlp_bias = true;
    check(hidden_act == "gelu" || hidden_act == "relu" || hidden_act == "silu" || hidden_act == "swish",
          ErrorCode::unsupported, "[config] ", where, ": \"afn\" must be gelu, relu, silu or swish, got \"", hidden_act,
          "\"");
    if (hidden_act == "gelu") hidden_act = "gelu_new";  // what this model means by the name
  }
};

std::unique_ptr<Body> openai_gpt_body(const Scope& root, const Scope& scope, const OpenAiGptConfig& c) {
  auto body = std::make_unique<Decoder>();
  // The class with two heads is written with the tied table under the name of the output layer.
  const bool by_output = !scope.stored("tokens_embed.weight") && root.stored("lm_head.weight");
  body->tokens = Embedding(by_output ? root / "lm_head" : scope / "tokens_embed", c.vocab_size, c.hidden_size);
  body->positions = Embedding(scope / "positions_embed", c.max_position_embeddings, c.hidden_size);
  body->token_types = true;
  body->blind_sees = Decoder::BlindSees::later_tokens;
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "h" / i;
    SelfAttentionConfig attention = c.attention(i);
    attention.packing = SelfAttentionConfig::Packing::stacked;
    attention.names = {"c_attn"};
    attention.output_name = "c_proj";
    attention.stored = Linear::Stored::input_major;
    attention.rotation = {};
    MlpShape mlp = c.mlp();
    mlp.stored = Linear::Stored::input_major;
    body->layers.push_back({.attention_norm = LayerNorm(layer / "ln_1", c.hidden_size, c.norm_eps),
                            .attention = std::make_unique<SelfAttention>(layer / "attn", attention),
                            .mlp_norm = LayerNorm(layer / "ln_2", c.hidden_size, c.norm_eps),
                            .mlp = plain_mlp(layer / "mlp", mlp, c.activation(), "c_fc", "c_proj"),
                            .layout = DecoderBlock::Layout::post_norm});
  }
  return body;
}

/// Causal masks and counters of old files.
void ignore_buffers(const Scope& root) { root.parameters().ignore({"*.attn.bias", "*position_ids"}); }

std::unique_ptr<Model> make_openai_gpt(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<OpenAiGptConfig>(json, where);
  ignore_buffers(root);
  return make_decoder(c, json, where, root, head, {.body = "transformer"}, true,
                      [&](const Scope& scope) { return openai_gpt_body(root, scope, c); });
}

std::unique_ptr<Model> make_two_headed(const Json& json, std::string_view where, const Scope& root) {
  const auto c = read_decoder_config<OpenAiGptConfig>(json, where);
  ignore_buffers(root);
  return make_double_heads(c, json, where, root, "transformer",
                           [&](const Scope& scope) { return openai_gpt_body(root, scope, c); });
}

}  // namespace

Architecture openai_gpt_architecture() {
  std::vector<ModelClass> classes = decoder_classes(
      "OpenAIGPT", make_openai_gpt, {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification});
  classes[1].name = "OpenAIGPTLMHeadModel";
  classes.push_back({"OpenAIGPTDoubleHeadsModel", Task::multiple_choice, make_two_headed});
  return {.model_type = "openai-gpt", .base_prefix = "transformer", .classes = std::move(classes)};
}

}  // namespace trustformers
