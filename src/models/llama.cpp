// LLaMA 1 to 3 (Touvron et al. 2023): pre-norm decoder with RMSNorm, rotary positions, grouped queries and SwiGLU.
#include "architectures.h"

#include <cmath>

#include "../nn/activation.h"
#include "../nn/attention.h"
#include "../nn/rope.h"
#include "../ops/elementwise/binary.h"
#include "heads.h"

namespace trustformers {
namespace {

struct LlamaConfig {
  std::int64_t vocab_size = 0, hidden_size = 0, intermediate_size = 0;
  std::int64_t num_hidden_layers = 0, num_attention_heads = 0, num_key_value_heads = 0, head_dim = 0;
  std::int64_t max_position_embeddings = 2048;
  std::string hidden_act = "silu";
  double rms_norm_eps = 1e-6;
  bool attention_bias = false, mlp_bias = false;
  RopeConfig rope;

  void fields(auto& v) {
    v.size("vocab_size", vocab_size);
    v.size("hidden_size", hidden_size);
    v.size("intermediate_size", intermediate_size);
    v.size("num_hidden_layers", num_hidden_layers);
    v.size("num_attention_heads", num_attention_heads);
    v("num_key_value_heads", num_key_value_heads);
    v("head_dim", head_dim);
    v("max_position_embeddings", max_position_embeddings);
    v("hidden_act", hidden_act);
    v("rms_norm_eps", rms_norm_eps);
    v("attention_bias", attention_bias);
    v("mlp_bias", mlp_bias);
  }
  static LlamaConfig parse(const Json& json, std::string_view where) {
    auto c = read_config<LlamaConfig>(json, where);
    if (c.num_key_value_heads == 0) c.num_key_value_heads = c.num_attention_heads;
    if (c.head_dim == 0) c.head_dim = c.hidden_size / c.num_attention_heads;
    check(c.num_key_value_heads > 0 && c.num_attention_heads % c.num_key_value_heads == 0, ErrorCode::parse,
          "[config] ", where, ": ", c.num_attention_heads, " query heads do not share ", c.num_key_value_heads,
          " key heads");
    check(c.head_dim > 0 && c.head_dim % 2 == 0, ErrorCode::parse, "[config] ", where,
          ": \"head_dim\" must be positive and even, got ", c.head_dim);
    c.rope = RopeConfig::parse(json, where);
    return c;
  }
};

class LlamaAttention {
 public:
  LlamaAttention(const Scope& scope, const LlamaConfig& c)
      : heads_(c.num_attention_heads),
        kv_heads_(c.num_key_value_heads),
        q_proj_(scope / "q_proj", c.hidden_size, heads_ * c.head_dim, c.attention_bias),
        k_proj_(scope / "k_proj", c.hidden_size, kv_heads_ * c.head_dim, c.attention_bias),
        v_proj_(scope / "v_proj", c.hidden_size, kv_heads_ * c.head_dim, c.attention_bias),
        o_proj_(scope / "o_proj", heads_ * c.head_dim, c.hidden_size, c.attention_bias),
        mask_{.scale = 1 / std::sqrt(static_cast<double>(c.head_dim)), .causal = true} {}

  Tensor operator()(const Tensor& x, const RotaryEmbedding& rotary, const RotaryEmbedding::Tables& tables,
                    const Tensor& positions, const Tensor& key_mask, KVCache* cache, std::size_t layer) const {
    const Tensor q = rotary(split_heads(q_proj_(x), heads_), tables, positions);
    Tensor k = rotary(split_heads(k_proj_(x), kv_heads_), tables, positions);
    Tensor v = split_heads(v_proj_(x), kv_heads_);
    if (cache) {
      const auto all = cache->update(layer, k, v);
      k = all.keys;
      v = all.values;
    }
    return o_proj_(merge_heads(attention(q, k, v, mask_, key_mask)));
  }

 private:
  std::int64_t heads_, kv_heads_;
  Linear q_proj_, k_proj_, v_proj_, o_proj_;
  AttentionAttrs mask_;
};

class LlamaLayer {
 public:
  LlamaLayer(const Scope& scope, const LlamaConfig& c)
      : input_layernorm_(scope / "input_layernorm", c.hidden_size, c.rms_norm_eps),
        self_attn_(scope / "self_attn", c),
        post_attention_layernorm_(scope / "post_attention_layernorm", c.hidden_size, c.rms_norm_eps),
        gate_proj_(scope / "mlp" / "gate_proj", c.hidden_size, c.intermediate_size, c.mlp_bias),
        up_proj_(scope / "mlp" / "up_proj", c.hidden_size, c.intermediate_size, c.mlp_bias),
        down_proj_(scope / "mlp" / "down_proj", c.intermediate_size, c.hidden_size, c.mlp_bias),
        act_(ActivationFunction::parse(c.hidden_act, "hidden_act")) {}

  Tensor operator()(const Tensor& x, const auto&... context) const {
    const Tensor h = x + self_attn_(input_layernorm_(x), context...);
    const Tensor y = post_attention_layernorm_(h);
    return h + down_proj_(act_.gated(gate_proj_(y), up_proj_(y)));
  }

 private:
  RmsNorm input_layernorm_;
  LlamaAttention self_attn_;
  RmsNorm post_attention_layernorm_;
  Linear gate_proj_, up_proj_, down_proj_;
  ActivationFunction act_;
};

class LlamaModel final : public Body {
 public:
  LlamaModel(const Scope& scope, const LlamaConfig& c)
      : embed_tokens_(scope / "embed_tokens", c.vocab_size, c.hidden_size),
        rotary_(c.rope, c.head_dim, c.max_position_embeddings) {
    for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) layers_.emplace_back(scope / "layers" / i, c);
    norm_ = RmsNorm(scope / "norm", c.hidden_size, c.rms_norm_eps);
  }

  ModelOutput forward(const ModelInputs& in) const override {
    ModelOutput out;
    Tensor x = in.inputs_embeds.defined() ? in.inputs_embeds : embed_tokens_(in.input_ids);
    const std::int64_t past = in.cache ? in.cache->length() : 0;
    const Tensor positions = in.position_ids.defined() ? in.position_ids : consecutive_positions(past, x.size(1));
    const RotaryEmbedding::Tables tables = rotary_.tables(positions_needed(positions));
    const Tensor mask = key_mask(in.attention_mask);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (in.output_hidden_states) out.hidden_states.push_back(x);
      x = layers_[i](x, rotary_, tables, positions, mask, in.cache, i);
    }
    out.last_hidden_state = norm_(x);
    if (in.output_hidden_states) out.hidden_states.push_back(out.last_hidden_state);
    return out;
  }
  const Embedding& input_embeddings() const override { return embed_tokens_; }

 private:
  Embedding embed_tokens_;
  std::vector<LlamaLayer> layers_;
  RmsNorm norm_;
  RotaryEmbedding rotary_;
};

std::unique_ptr<Model> make_llama(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const LlamaConfig config = LlamaConfig::parse(json, where);
  const DecoderNames names{.question_answering_body = "transformer"};
  CommonConfig common = CommonConfig::parse(json, where, false);
  // dynamic scaling is made to go beyond the trained context
  common.max_position_embeddings = config.rope.type == "dynamic" ? 0 : config.max_position_embeddings;
  return std::make_unique<DecoderModel>(std::move(common), root, names, head, [&](const Scope& scope) {
    return std::make_unique<LlamaModel>(scope, config);
  });
}

template <DecoderHead head>
std::unique_ptr<Model> make(const Json& json, std::string_view where, const Scope& root) {
  return make_llama(json, where, root, head);
}

/// [H·D, K] with the two halves of each head interleaved, as llama.cpp stores queries and keys, back to halves.
GgufTransform unpermute(std::string_view heads_key) {
  return [key = std::string(heads_key)](const Json& config) {
    const std::int64_t heads = config.at(key).as_int(key);
    return [heads](const Tensor& t) { return permute_rows_from_pairs(t, heads); };
  };
}

GgufArchitecture llama_gguf() {
  GgufArchitecture g;
  g.config = [](const GgufMetadata& m) {
    Json c = gguf_decoder_config(m, "llama");
    c.set("rms_norm_eps", Json(m.get_double("llama.attention.layer_norm_rms_epsilon")));
    return c;
  };
  g.names = {{"model.embed_tokens", "token_embd"},
             {"model.norm", "output_norm"},
             {"lm_head", "output"},
             {"model.layers.#.input_layernorm", "blk.#.attn_norm"},
             {"model.layers.#.self_attn.q_proj", "blk.#.attn_q", unpermute("num_attention_heads")},
             {"model.layers.#.self_attn.k_proj", "blk.#.attn_k", unpermute("num_key_value_heads")},
             {"model.layers.#.self_attn.v_proj", "blk.#.attn_v"},
             {"model.layers.#.self_attn.o_proj", "blk.#.attn_output"},
             {"model.layers.#.post_attention_layernorm", "blk.#.ffn_norm"},
             {"model.layers.#.mlp.gate_proj", "blk.#.ffn_gate"},
             {"model.layers.#.mlp.up_proj", "blk.#.ffn_up"},
             {"model.layers.#.mlp.down_proj", "blk.#.ffn_down"}};
  return g;
}

}  // namespace

Architecture llama_architecture() {
  return {
      .model_type = "llama",
      .base_prefix = "model",
      .classes = {{"LlamaModel", Task::base, make<DecoderHead::none>},
                  {"LlamaForCausalLM", Task::causal_lm, make<DecoderHead::causal_lm>},
                  {"LlamaForSequenceClassification", Task::sequence_classification,
                   make<DecoderHead::sequence_classification>},
                  {"LlamaForTokenClassification", Task::token_classification, make<DecoderHead::token_classification>},
                  {"LlamaForQuestionAnswering", Task::question_answering, make<DecoderHead::question_answering>}},
      .gguf = llama_gguf()};
}

}  // namespace trustformers
