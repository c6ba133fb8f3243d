// GPT-J (Wang & Komatsuzaki 2021): attention and feed-forward side by side after one norm, partial rotary positions
// over neighbouring features. CodeGen (Nijkamp et al. 2022) is GPT-J with its queries, values and keys in one matrix,
// in the four shards of the machines that trained it.
#include "decoder.h"

namespace trustformers {
namespace {

constexpr std::int64_t codegen_shards = 4;

struct GptJConfig : DecoderConfig {
  std::int64_t rotary_dim = 64;

  GptJConfig() {
    hidden_act = "gelu_new";
    norm_eps = 1e-5;
    mlp_bias = true;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("rotary_dim", rotary_dim);
  }
  void finish(const Json& json, std::string_view where) {
    if (intermediate_size == 0) intermediate_size = 4 * hidden_size;
    DecoderConfig::finish(json, where);
    check(rotary_dim > 0 && rotary_dim % 2 == 0 && rotary_dim <= head_dim, ErrorCode::parse, "[config] ", where,
          ": \"rotary_dim\" must be even and at most the ", head_dim, " features of a head, got ", rotary_dim);
  }
};

enum class GptJKind { gptj, codegen };

std::unique_ptr<Body> gptj_body(const Scope& scope, const GptJConfig& c, GptJKind kind) {
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "wte", c.vocab_size, c.hidden_size);
  body->token_types = true;
  body->rotations = {RotaryEmbedding({}, c.rotary_dim, c.max_position_embeddings, true)};
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "h" / i;
    SelfAttentionConfig attention = c.attention(i);
    attention.bias = attention.output_bias = false;
    attention.output_name = "out_proj";
    if (kind == GptJKind::codegen) {
      attention.packing = SelfAttentionConfig::Packing::sharded;
      attention.shards = codegen_shards;
      attention.names = {"qkv_proj"};
    }
    body->layers.push_back({.attention_norm = LayerNorm(layer / "ln_1", c.hidden_size, c.norm_eps),
                            .attention = std::make_unique<SelfAttention>(layer / "attn", attention),
                            .mlp = plain_mlp(layer / "mlp", c.mlp(), c.activation(), "fc_in", "fc_out"),
                            .layout = DecoderBlock::Layout::parallel});
  }
  body->norm = LayerNorm(scope / "ln_f", c.hidden_size, c.norm_eps);
  return body;
}

template <GptJKind kind>
std::unique_ptr<Model> make_gptj(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<GptJConfig>(json, where);
  check(kind == GptJKind::gptj || c.num_attention_heads % codegen_shards == 0, ErrorCode::parse, "[config] ", where,
        ": \"", c.spelled("num_attention_heads"), "\" must be a multiple of the ", codegen_shards, " shards, got ",
        c.num_attention_heads);
  root.parameters().ignore({"*.attn.causal_mask", "*.attn.bias", "*.attn.masked_bias"});  // masks of old files
  return make_decoder(c, json, where, root, head,
                      {.body = "transformer", .question_answering_body = "transformer", .lm_head_bias = true}, false,
                      [&](const Scope& scope) { return gptj_body(scope, c, kind); });
}

}  // namespace

Architecture gptj_architecture() {
  using enum DecoderHead;
  return {.model_type = "gptj",
          .base_prefix = "transformer",
          .classes = decoder_classes("GPTJ", make_gptj<GptJKind::gptj>,
                                     {none, causal_lm, sequence_classification, question_answering})};
}

Architecture codegen_architecture() {
  using enum DecoderHead;
  return {.model_type = "codegen",
          .base_prefix = "transformer",
          .classes = decoder_classes("CodeGen", make_gptj<GptJKind::codegen>, {none, causal_lm})};
}

}  // namespace trustformers
