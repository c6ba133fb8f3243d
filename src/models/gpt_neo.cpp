// GPT-Neo (Black et al. 2021): GPT-2 with separate projections, unscaled scores and local attention in some layers.
#include "../ops/elementwise/binary.h"
#include "../ops/shape/shape_ops.h"
#include "decoder.h"

namespace trustformers {
namespace {

struct GptNeoConfig : DecoderConfig {
  std::int64_t window_size = 256;
  std::vector<bool> local;  // of each layer, from "attention_types"

  GptNeoConfig() {
    hidden_act = "gelu_new";
    norm_eps = 1e-5;
    mlp_bias = true;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("window_size", window_size);
  }
  void finish(const Json& json, std::string_view where) {
    if (intermediate_size == 0) intermediate_size = 4 * hidden_size;
    DecoderConfig::finish(json, where);
    expand_attention_types(json.find("attention_types"), where);
    check(static_cast<std::int64_t>(local.size()) == num_hidden_layers, ErrorCode::parse, "[config] ", where,
          ": \"attention_types\" describes ", local.size(), " layers, \"num_layers\" is ", num_hidden_layers);
  }

 private:
  /// [[["global", "local"], 12]] is that pair twelve times, which is also the default.
  void expand_attention_types(const Json* types, std::string_view where) {
    static const Json usual = Json::parse(R"([[["global", "local"], 12]])", "attention_types");
    for (const Json& group : (types && !types->is_null() ? *types : usual).as_array(str(where, ": attention_types"))) {
      const Json::Array& pattern_and_times = group.as_array(str(where, ": attention_types"));
      check(pattern_and_times.size() == 2, ErrorCode::parse, "[config] ", where,
            ": \"attention_types\" must hold pairs of a pattern and a number");
      const std::int64_t times = pattern_and_times[1].as_int("attention_types");
      for (std::int64_t i = 0; i < times; ++i)
        for (const Json& type : pattern_and_times[0].as_array("attention_types")) {
          const std::string& name = type.as_string("attention_types");
          check(name == "global" || name == "local", ErrorCode::parse, "[config] ", where,
                ": an attention type is \"global\" or \"local\", got \"", name, "\"");
          local.push_back(name == "local");
          check(static_cast<std::int64_t>(local.size()) <= num_hidden_layers, ErrorCode::parse, "[config] ", where,
                ": \"attention_types\" describes more than the ", num_hidden_layers, " layers of \"num_layers\"");
        }
    }
  }
};

/// Attention through a window. A query that sees padding alone there takes the mean of that padding and of the tokens
/// before the window, as transformers has it: its window and its padding hide keys by large numbers, not altogether.
class LocalAttention final : public TokenMixer {
 public:
  LocalAttention(const Scope& scope, const SelfAttentionConfig& c) : attention_(scope, c), window_(c.window) {}
  Tensor operator()(const Tensor& x, const ForwardContext& context) const override {
    if (!context.bias.defined()) return attention_(x, context);
    ForwardContext local = context;
    local.ordered_by_bias = true;
    local.bias = with_window(context.bias, context.past, x.size(1));
    return attention_(x, local);
  }

 private:
  /// padding [B, 1, 1, S]: 0 for tokens and Decoder::padding_score for padding -> [B, 1, L, S]
  Tensor with_window(const Tensor& padding, std::int64_t past, std::int64_t length) const {
    const std::int64_t keys = padding.size(3);
    const Tensor i = unsqueeze(Tensor::arange(static_cast<double>(past), static_cast<double>(past + length)), 1);
    const Tensor distance = i - unsqueeze(Tensor::arange(0, static_cast<double>(keys)), 0);
    const Tensor near = less(distance, static_cast<double>(window_));
    const Tensor hidden = Tensor::full({}, 2 * Decoder::padding_score), far = Tensor::full({}, Decoder::padding_score);
    const Tensor outside = where(equal(padding, 0), far, hidden);
    return where(less(distance, 0), hidden, where(near, padding, outside));
  }

  SelfAttention attention_;
  std::int64_t window_;
};

std::unique_ptr<TokenMixer> gpt_neo_attention(const Scope& scope, const SelfAttentionConfig& c) {
  if (c.window > 0) return std::make_unique<LocalAttention>(scope, c);
  return std::make_unique<SelfAttention>(scope, c);
}

std::unique_ptr<Body> gpt_neo_body(const Scope& scope, const GptNeoConfig& c) {
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "wte", c.vocab_size, c.hidden_size);
  body->positions = Embedding(scope / "wpe", c.max_position_embeddings, c.hidden_size);
  body->token_types = true;
  body->blind_sees = Decoder::BlindSees::padding;
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "h" / i;
    SelfAttentionConfig attention = c.attention(i);
    attention.bias = false;
    attention.output_bias = true;
    attention.output_name = "out_proj";
    attention.rotation = {};
    attention.scale = 1;
    attention.window = c.local[static_cast<std::size_t>(i)] ? c.window_size : 0;
    body->layers.push_back({.attention_norm = LayerNorm(layer / "ln_1", c.hidden_size, c.norm_eps),
                            .attention = gpt_neo_attention(layer / "attn" / "attention", attention),
                            .mlp_norm = LayerNorm(layer / "ln_2", c.hidden_size, c.norm_eps),
                            .mlp = plain_mlp(layer / "mlp", c.mlp(), c.activation(), "c_fc", "c_proj")});
  }
  body->norm = LayerNorm(scope / "ln_f", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_gpt_neo(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<GptNeoConfig>(json, where);
  root.parameters().ignore({"*.attn.attention.bias", "*.attn.attention.masked_bias"});  // causal masks of old files
  return make_decoder(c, json, where, root, head,
                      {.body = "transformer", .question_answering_body = "transformer", .token_head = "classifier"},
                      true, [&](const Scope& scope) { return gpt_neo_body(scope, c); });
}

}  // namespace

Architecture gpt_neo_architecture() {
  return {.model_type = "gpt_neo", .base_prefix = "transformer", .classes = decoder_classes("GPTNeo", make_gpt_neo)};
}

}  // namespace trustformers
