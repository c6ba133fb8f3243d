// GPT-2 (Radford et al. 2019): pre-norm decoder with learned positions; linear weights are stored input-major.
#include "architectures.h"

#include <cmath>

#include "../nn/activation.h"
#include "../nn/attention.h"
#include "../ops/elementwise/binary.h"
#include "heads.h"

namespace trustformers {
namespace {

struct Gpt2Config {
  std::int64_t vocab_size = 0, n_embd = 0, n_layer = 0, n_head = 0, n_positions = 1024, n_inner = 0;
  std::string activation_function = "gelu_new";
  double layer_norm_epsilon = 1e-5;
  bool scale_attn_weights = true, scale_attn_by_inverse_layer_idx = false;

  void fields(auto& v) {
    v.size("vocab_size", vocab_size);
    v.size("n_embd", n_embd, {"hidden_size"});
    v.size("n_layer", n_layer, {"num_hidden_layers"});
    v.size("n_head", n_head, {"num_attention_heads"});
    v("n_positions", n_positions, {"max_position_embeddings", "n_ctx"});
    v("n_inner", n_inner);
    v("activation_function", activation_function);
    v("layer_norm_epsilon", layer_norm_epsilon);
    v("scale_attn_weights", scale_attn_weights);
    v("scale_attn_by_inverse_layer_idx", scale_attn_by_inverse_layer_idx);
  }
  static Gpt2Config parse(const Json& json, std::string_view where) {
    auto c = read_config<Gpt2Config>(json, where);
    if (c.n_inner == 0) c.n_inner = 4 * c.n_embd;
    check(c.n_embd % c.n_head == 0, ErrorCode::parse, "[config] ", where, ": ", c.n_embd,
          " features do not split into ", c.n_head, " heads");
    return c;
  }
};

Linear conv1d_layer(const Scope& scope, std::int64_t inputs, std::int64_t outputs) {
  return Linear(scope, inputs, outputs, true, Linear::Stored::input_major);
}

class Gpt2Layer {
 public:
  Gpt2Layer(const Scope& scope, const Gpt2Config& c, std::int64_t index)
      : ln_1_(scope / "ln_1", c.n_embd, c.layer_norm_epsilon),
        c_attn_(conv1d_layer(scope / "attn" / "c_attn", c.n_embd, 3 * c.n_embd)),
        c_proj_(conv1d_layer(scope / "attn" / "c_proj", c.n_embd, c.n_embd)),
        ln_2_(scope / "ln_2", c.n_embd, c.layer_norm_epsilon),
        c_fc_(conv1d_layer(scope / "mlp" / "c_fc", c.n_embd, c.n_inner)),
        mlp_c_proj_(conv1d_layer(scope / "mlp" / "c_proj", c.n_inner, c.n_embd)),
        act_(ActivationFunction::parse(c.activation_function, "activation_function")),
        heads_(c.n_head) {
    mask_.causal = true;
    mask_.scale = c.scale_attn_weights ? 1 / std::sqrt(static_cast<double>(c.n_embd / c.n_head)) : 1;
    if (c.scale_attn_by_inverse_layer_idx) mask_.scale /= static_cast<double>(index + 1);
  }

  Tensor operator()(const Tensor& x, const Tensor& key_mask, KVCache* cache, std::size_t layer) const {
    const Tensor h = x + attend(ln_1_(x), key_mask, cache, layer);
    return h + mlp_c_proj_(act_(c_fc_(ln_2_(h))));
  }

 private:
  Tensor attend(const Tensor& x, const Tensor& key_mask, KVCache* cache, std::size_t layer) const {
    const Tensor qkv = c_attn_(x);
    const std::int64_t width = x.size(2);
    const auto part = [&](std::int64_t i) { return split_heads(slice(qkv, 2, i * width, (i + 1) * width), heads_); };
    const Tensor q = part(0);
    Tensor k = part(1);
    Tensor v = part(2);
    if (cache) {
      const auto all = cache->update(layer, k, v);
      k = all.keys;
      v = all.values;
    }
    return c_proj_(merge_heads(attention(q, k, v, mask_, key_mask)));
  }

  LayerNorm ln_1_;
  Linear c_attn_, c_proj_;
  LayerNorm ln_2_;
  Linear c_fc_, mlp_c_proj_;
  ActivationFunction act_;
  std::int64_t heads_;
  AttentionAttrs mask_;
};

class Gpt2Model final : public Body {
 public:
  Gpt2Model(const Scope& scope, const Gpt2Config& c)
      : wte_(scope / "wte", c.vocab_size, c.n_embd), wpe_(scope / "wpe", c.n_positions, c.n_embd) {
    for (std::int64_t i = 0; i < c.n_layer; ++i) h_.emplace_back(scope / "h" / i, c, i);
    ln_f_ = LayerNorm(scope / "ln_f", c.n_embd, c.layer_norm_epsilon);
  }

  ModelOutput forward(const ModelInputs& in) const override {
    ModelOutput out;
    Tensor x = in.inputs_embeds.defined() ? in.inputs_embeds : wte_(in.input_ids);
    const std::int64_t past = in.cache ? in.cache->length() : 0;
    x = x + wpe_(in.position_ids.defined() ? in.position_ids : consecutive_positions(past, x.size(1)));
    if (in.token_type_ids.defined()) x = x + wte_(in.token_type_ids);
    const Tensor mask = key_mask(in.attention_mask);
    for (std::size_t i = 0; i < h_.size(); ++i) {
      if (in.output_hidden_states) out.hidden_states.push_back(x);
      x = h_[i](x, mask, in.cache, i);
    }
    out.last_hidden_state = ln_f_(x);
    if (in.output_hidden_states) out.hidden_states.push_back(out.last_hidden_state);
    return out;
  }
  const Embedding& input_embeddings() const override { return wte_; }

 private:
  Embedding wte_, wpe_;
  std::vector<Gpt2Layer> h_;
  LayerNorm ln_f_;
};

template <DecoderHead head>
std::unique_ptr<Model> make(const Json& json, std::string_view where, const Scope& root) {
  const Gpt2Config config = Gpt2Config::parse(json, where);
  root.parameters().ignore({"*h.*.attn.bias", "*h.*.attn.masked_bias"});  // causal masks of old files
  const DecoderNames names{.body = "transformer", .question_answering_body = "transformer", .token_head = "classifier"};
  CommonConfig common = CommonConfig::parse(json, where, true);
  common.max_position_embeddings = config.n_positions;
  common.learned_positions = true;
  return std::make_unique<DecoderModel>(std::move(common), root, names, head,
                                        [&](const Scope& scope) { return std::make_unique<Gpt2Model>(scope, config); });
}

GgufArchitecture gpt2_gguf() {
  GgufArchitecture g;
  g.config = [](const GgufMetadata& m) {
    Json c = gguf_decoder_config(m, "gpt2");
    c.set("layer_norm_epsilon", Json(m.get_double("gpt2.attention.layer_norm_epsilon")));
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
  return {
      .model_type = "gpt2",
      .base_prefix = "transformer",
      .classes = {{"GPT2Model", Task::base, make<DecoderHead::none>},
                  {"GPT2LMHeadModel", Task::causal_lm, make<DecoderHead::causal_lm>},
                  {"GPT2ForSequenceClassification", Task::sequence_classification,
                   make<DecoderHead::sequence_classification>},
                  {"GPT2ForTokenClassification", Task::token_classification, make<DecoderHead::token_classification>},
                  {"GPT2ForQuestionAnswering", Task::question_answering, make<DecoderHead::question_answering>}},
      .gguf = gpt2_gguf()};
}

}  // namespace trustformers
