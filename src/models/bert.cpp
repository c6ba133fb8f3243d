// BERT (Devlin et al. 2019): post-norm encoder with learned positions; as a decoder also causal, with cross-attention.
#include "architectures.h"

#include <cmath>

#include "../nn/activation.h"
#include "../nn/attention.h"
#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/loss/loss.h"
#include "heads.h"

namespace trustformers {
namespace {

struct BertConfig {
  std::int64_t vocab_size = 0, hidden_size = 0, intermediate_size = 0, num_hidden_layers = 0, num_attention_heads = 0;
  std::int64_t max_position_embeddings = 512, type_vocab_size = 2;
  std::string hidden_act = "gelu", position_embedding_type = "absolute";
  double layer_norm_eps = 1e-12;
  bool is_decoder = false, add_cross_attention = false;

  void fields(auto& v) {
    v.size("vocab_size", vocab_size);
    v.size("hidden_size", hidden_size);
    v.size("intermediate_size", intermediate_size);
    v.size("num_hidden_layers", num_hidden_layers);
    v.size("num_attention_heads", num_attention_heads);
    v("max_position_embeddings", max_position_embeddings);
    v("type_vocab_size", type_vocab_size);
    v("hidden_act", hidden_act);
    v("position_embedding_type", position_embedding_type);
    v("layer_norm_eps", layer_norm_eps);
    v("is_decoder", is_decoder);
    v("add_cross_attention", add_cross_attention);
  }
  static BertConfig parse(const Json& json, std::string_view where) {
    auto c = read_config<BertConfig>(json, where);
    check(c.hidden_size % c.num_attention_heads == 0, ErrorCode::parse, "[config] ", where, ": ", c.hidden_size,
          " features do not split into ", c.num_attention_heads, " heads");
    check(c.position_embedding_type == "absolute", ErrorCode::unsupported, "[config] ", where,
          ": position_embedding_type \"", c.position_embedding_type, "\" is not supported, only \"absolute\"");
    return c;
  }
};

class BertEmbeddings {
 public:
  BertEmbeddings(const Scope& scope, const BertConfig& c)
      : words_(scope / "word_embeddings", c.vocab_size, c.hidden_size),
        positions_(scope / "position_embeddings", c.max_position_embeddings, c.hidden_size),
        types_(scope / "token_type_embeddings", c.type_vocab_size, c.hidden_size),
        norm_(scope / "LayerNorm", c.hidden_size, c.layer_norm_eps) {}

  Tensor operator()(const ModelInputs& in) const {
    const Tensor x = in.inputs_embeds.defined() ? in.inputs_embeds : words_(in.input_ids);
    const std::int64_t past = in.cache ? in.cache->length() : 0;
    const Tensor positions = in.position_ids.defined() ? in.position_ids : consecutive_positions(past, x.size(1));
    const Tensor types = in.token_type_ids.defined() ? in.token_type_ids : Tensor::zeros({1, x.size(1)}, DType::i64);
    return norm_(x + types_(types) + positions_(positions));
  }
  const Embedding& words() const { return words_; }

 private:
  Embedding words_, positions_, types_;
  LayerNorm norm_;
};

/// Self-attention, or attention to an encoder: projections, output projection, residual, norm.
class BertAttention {
 public:
  BertAttention(const Scope& scope, const BertConfig& c, bool causal)
      : heads_(c.num_attention_heads),
        query_(scope / "self" / "query", c.hidden_size, c.hidden_size),
        key_(scope / "self" / "key", c.hidden_size, c.hidden_size),
        value_(scope / "self" / "value", c.hidden_size, c.hidden_size),
        dense_(scope / "output" / "dense", c.hidden_size, c.hidden_size),
        norm_(scope / "output" / "LayerNorm", c.hidden_size, c.layer_norm_eps),
        mask_{.scale = 1 / std::sqrt(static_cast<double>(c.hidden_size / heads_)), .causal = causal} {}

  Tensor operator()(const Tensor& x, const Tensor& key_mask, KVCache* cache, std::size_t layer) const {
    const KVCache::KeysValues own = keys_values(x);
    return attend(x, cache ? cache->update(layer, own.keys, own.values) : own, key_mask);
  }
  /// Keys and values come from an encoder's states.
  Tensor cross(const Tensor& x, const Tensor& source, const Tensor& key_mask, KVCache* cache, std::size_t layer) const {
    return attend(x, cross_keys_values(cache, layer, [&] { return keys_values(source); }), key_mask);
  }

 private:
  KVCache::KeysValues keys_values(const Tensor& source) const {
    return {split_heads(key_(source), heads_), split_heads(value_(source), heads_)};
  }
  Tensor attend(const Tensor& x, const KVCache::KeysValues& seen, const Tensor& key_mask) const {
    const Tensor q = split_heads(query_(x), heads_);
    return norm_(dense_(merge_heads(attention(q, seen.keys, seen.values, mask_, key_mask))) + x);
  }

  std::int64_t heads_;
  Linear query_, key_, value_, dense_;
  LayerNorm norm_;
  AttentionAttrs mask_;
};

struct BertContext {
  Tensor key_mask, encoder_states, encoder_mask;
  KVCache* cache = nullptr;
};

class BertLayer {
 public:
  BertLayer(const Scope& scope, const BertConfig& c)
      : attention_(scope / "attention", c, c.is_decoder),
        intermediate_(scope / "intermediate" / "dense", c.hidden_size, c.intermediate_size),
        output_(scope / "output" / "dense", c.intermediate_size, c.hidden_size),
        norm_(scope / "output" / "LayerNorm", c.hidden_size, c.layer_norm_eps),
        act_(ActivationFunction::parse(c.hidden_act, "hidden_act")) {
    if (c.add_cross_attention) cross_.emplace(scope / "crossattention", c, false);
  }

  Tensor operator()(Tensor x, const BertContext& context, std::size_t layer) const {
    x = attention_(x, context.key_mask, context.cache, layer);
    if (cross_ && context.encoder_states.defined())
      x = cross_->cross(x, context.encoder_states, context.encoder_mask, context.cache, layer);
    return norm_(output_(act_(intermediate_(x))) + x);
  }

 private:
  BertAttention attention_;
  std::optional<BertAttention> cross_;
  Linear intermediate_, output_;
  LayerNorm norm_;
  ActivationFunction act_;
};

class BertModel final : public Body {
 public:
  BertModel(const Scope& scope, const BertConfig& c, bool pooler) : embeddings_(scope / "embeddings", c) {
    scope.parameters().ignore({"*embeddings.position_ids", "*cls.*", "*pooler.*", "*classifier.*"});
    for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) layers_.emplace_back(scope / "encoder" / "layer" / i, c);
    // Embedding models are often published without the pooler.
    if (pooler && scope.available("pooler.dense.weight"))
      pooler_.emplace(scope / "pooler" / "dense", c.hidden_size, c.hidden_size);
  }

  ModelOutput forward(const ModelInputs& in) const override {
    ModelOutput out;
    Tensor x = embeddings_(in);
    const BertContext context{key_mask(in.attention_mask), in.encoder_hidden_states,
                              key_mask(in.encoder_attention_mask), in.cache};
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (in.output_hidden_states) out.hidden_states.push_back(x);
      x = layers_[i](x, context, i);
    }
    if (in.output_hidden_states) out.hidden_states.push_back(x);
    out.last_hidden_state = x;
    if (pooler_) out.pooler_output = tanh((*pooler_)(contiguous(select(x, 1, 0))));
    return out;
  }
  const Embedding& input_embeddings() const override { return embeddings_.words(); }

 private:
  BertEmbeddings embeddings_;
  std::vector<BertLayer> layers_;
  std::optional<Linear> pooler_;
};

/// dense, activation, norm, then scores over the vocabulary with the input table or a matrix of its own.
class MaskedLmHead {
 public:
  MaskedLmHead(const Scope& scope, const BertConfig& c, const CommonConfig& common, const Embedding& table)
      : dense_(scope / "transform" / "dense", c.hidden_size, c.hidden_size),
        norm_(scope / "transform" / "LayerNorm", c.hidden_size, c.layer_norm_eps),
        act_(ActivationFunction::parse(c.hidden_act, "hidden_act")) {
    if (common.tie_word_embeddings)
      decoder_ = Linear::tied(scope, table.weight(), table.name(), scope.get("bias", {c.vocab_size}, init_zeros));
    else
      decoder_ = Linear(scope / "decoder", c.hidden_size, c.vocab_size);
  }
  Tensor operator()(const Tensor& x) const { return decoder_(norm_(act_(dense_(x)))); }

 private:
  Linear dense_;
  LayerNorm norm_;
  ActivationFunction act_;
  Linear decoder_;
};

class BertWithHead final : public Model {
 public:
  BertWithHead(const Json& json, std::string_view where, const Scope& root, Task task)
      : task_(task), config_(BertConfig::parse(json, where)) {
    common_ = CommonConfig::parse(json, where, true);
    common_.max_position_embeddings = config_.max_position_embeddings;
    common_.learned_positions = true;
    const bool pooled = task != Task::masked_lm && task != Task::causal_lm && task != Task::token_classification &&
                        task != Task::question_answering;
    body_ = std::make_unique<BertModel>(task == Task::base ? root : root / "bert", config_, pooled);
    const std::int64_t width = config_.hidden_size;
    if (task == Task::masked_lm || task == Task::causal_lm || task == Task::pretraining)
      masked_lm_.emplace(root / "cls" / "predictions", config_, common_, body_->input_embeddings());
    if (task == Task::pretraining || task == Task::next_sentence_prediction)
      classifier_ = Linear(root / "cls" / "seq_relationship", width, 2);
    if (task == Task::sequence_classification || task == Task::token_classification)
      classifier_ = Linear(root / "classifier", width, common_.num_labels);
    if (task == Task::multiple_choice) classifier_ = Linear(root / "classifier", width, 1);
    if (task == Task::question_answering) classifier_ = Linear(root / "qa_outputs", width, 2);
  }

  bool can_generate() const override { return task_ == Task::causal_lm && config_.is_decoder; }

  ModelOutput forward(const ModelInputs& given) const override {
    ModelInputs in = given;
    if (task_ == Task::multiple_choice) flatten_choices(in);
    ModelOutput out = body_->forward(in);
    if (task_ == Task::base) return out;
    const Tensor hidden = std::exchange(out.last_hidden_state, Tensor());
    const Tensor pooled = std::exchange(out.pooler_output, Tensor());
    const double smoothing = in.label_smoothing;
    switch (task_) {
      case Task::masked_lm:
        out.logits = (*masked_lm_)(hidden);
        if (in.labels.defined()) out.loss = token_loss(out.logits, in.labels, smoothing);
        break;
      case Task::causal_lm:
        out.logits = (*masked_lm_)(in.logits_to_keep > 0 ? contiguous(slice(hidden, 1, -in.logits_to_keep)) : hidden);
        if (in.labels.defined()) out.loss = causal_lm_loss(out.logits, in.labels, smoothing);
        break;
      case Task::pretraining:
        out.prediction_logits = (*masked_lm_)(hidden);
        out.seq_relationship_logits = classifier_(pooled);
        if (in.labels.defined() && in.next_sentence_label.defined())
          out.loss = token_loss(out.prediction_logits, in.labels, smoothing) +
                     cross_entropy(out.seq_relationship_logits, reshape(in.next_sentence_label, {-1}));
        break;
      case Task::next_sentence_prediction:
        out.logits = classifier_(pooled);
        if (in.labels.defined()) out.loss = cross_entropy(out.logits, reshape(in.labels, {-1}));
        break;
      case Task::sequence_classification:
        out.logits = classifier_(pooled);
        if (in.labels.defined()) out.loss = classification_loss(out.logits, in.labels, common_, smoothing);
        break;
      case Task::token_classification:
        out.logits = classifier_(hidden);
        if (in.labels.defined()) out.loss = token_loss(out.logits, in.labels, smoothing);
        break;
      case Task::multiple_choice:
        out.logits = reshape(classifier_(pooled), {given.input_ids.size(0), given.input_ids.size(1)});
        if (in.labels.defined()) out.loss = cross_entropy(out.logits, in.labels);
        break;
      case Task::question_answering: {
        const Tensor logits = classifier_(hidden);
        out.start_logits = select(logits, 2, 0);
        out.end_logits = select(logits, 2, 1);
        if (in.start_positions.defined())
          out.loss = span_loss(out.start_logits, out.end_logits, in.start_positions, in.end_positions);
        break;
      }
      case Task::base:
      case Task::seq2seq_lm: break;
    }
    return out;
  }

 private:
  /// [B, C, L] -> [B·C, L]
  static void flatten_choices(ModelInputs& in) {
    check(in.input_ids.defined() && in.input_ids.rank() == 3, ErrorCode::shape_mismatch,
          "[multiple_choice] input_ids must be [B, C, L], got ", describe(in.input_ids));
    for (Tensor* t : {&in.input_ids, &in.attention_mask, &in.token_type_ids, &in.position_ids})
      if (t->defined() && t->rank() == 3) *t = reshape(*t, {-1, t->size(2)});
  }

  Task task_;
  BertConfig config_;
  std::unique_ptr<BertModel> body_;
  std::optional<MaskedLmHead> masked_lm_;
  Linear classifier_;
};

template <Task task>
std::unique_ptr<Model> make(const Json& json, std::string_view where, const Scope& root) {
  return std::make_unique<BertWithHead>(json, where, root, task);
}

GgufArchitecture bert_gguf() {
  GgufArchitecture g;
  g.name = "bert";
  g.config = [](const GgufMetadata& m) {
    Json c = gguf_decoder_config(m, "bert");
    c.set("layer_norm_eps", Json(m.get_double("bert.attention.layer_norm_epsilon")));
    return c;
  };
  g.names = {{"embeddings.word_embeddings", "token_embd"},
             {"embeddings.position_embeddings", "position_embd"},
             {"embeddings.token_type_embeddings", "token_types"},
             {"embeddings.LayerNorm", "token_embd_norm"},
             {"encoder.layer.#.attention.self.query", "blk.#.attn_q"},
             {"encoder.layer.#.attention.self.key", "blk.#.attn_k"},
             {"encoder.layer.#.attention.self.value", "blk.#.attn_v"},
             {"encoder.layer.#.attention.output.dense", "blk.#.attn_output"},
             {"encoder.layer.#.attention.output.LayerNorm", "blk.#.attn_output_norm"},
             {"encoder.layer.#.intermediate.dense", "blk.#.ffn_up"},
             {"encoder.layer.#.output.dense", "blk.#.ffn_down"},
             {"encoder.layer.#.output.LayerNorm", "blk.#.layer_output_norm"}};
  return g;
}

}  // namespace

Architecture bert_architecture() {
  return {
      .model_type = "bert",
      .base_prefix = "bert",
      .classes = {{"BertModel", Task::base, make<Task::base>},
                  {"BertForMaskedLM", Task::masked_lm, make<Task::masked_lm>},
                  {"BertLMHeadModel", Task::causal_lm, make<Task::causal_lm>},
                  {"BertForNextSentencePrediction", Task::next_sentence_prediction,
                   make<Task::next_sentence_prediction>},
                  {"BertForPreTraining", Task::pretraining, make<Task::pretraining>},
                  {"BertForSequenceClassification", Task::sequence_classification, make<Task::sequence_classification>},
                  {"BertForTokenClassification", Task::token_classification, make<Task::token_classification>},
                  {"BertForQuestionAnswering", Task::question_answering, make<Task::question_answering>},
                  {"BertForMultipleChoice", Task::multiple_choice, make<Task::multiple_choice>}},
      .gguf = bert_gguf()};
}

}  // namespace trustformers
