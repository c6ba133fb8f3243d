#include "encoder.h"

#include <utility>

#include "../nn/attention.h"
#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/loss/loss.h"
#include "../ops/reduce/reduce.h"

namespace trustformers {
namespace {

/// [B, C, L] -> [B·C, L]
void flatten_choices(ModelInputs& in) {
  const Tensor& given = in.input_ids.defined() ? in.input_ids : in.inputs_embeds;
  check(given.defined() && given.rank() == (in.input_ids.defined() ? 3 : 4), ErrorCode::shape_mismatch,
        "[multiple_choice] input_ids must be [B, C, L], got ", describe(given));
  for (Tensor* t : {&in.input_ids, &in.attention_mask, &in.token_type_ids, &in.position_ids})
    if (t->defined() && t->rank() == 3) *t = reshape(*t, {-1, t->size(2)});
  if (in.inputs_embeds.defined())
    in.inputs_embeds = reshape(in.inputs_embeds, {-1, in.inputs_embeds.size(2), in.inputs_embeds.size(3)});
}

/// Indices at which `keep` holds, as i64 [N].
template <class Keep>
Tensor indices_where(const Tensor& values, const Keep& keep) {
  const std::vector<std::int64_t> all = values.to_vector<std::int64_t>();
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (keep(all[i])) kept.push_back(static_cast<std::int64_t>(i));
  return Tensor::from(kept, {static_cast<std::int64_t>(kept.size())});
}

}  // namespace

Transform::Transform(const Scope& root, const TransformSpec& spec, std::int64_t inputs) {
  const std::int64_t outputs = spec.outputs > 0 ? spec.outputs : inputs;
  if (!spec.dense.empty()) dense_.emplace(root / spec.dense, inputs, outputs, spec.dense_bias);
  act_ = spec.activation;
  if (!spec.norm.empty()) norm_.emplace(root / spec.norm, outputs, spec.eps, spec.norm_bias);
}

Tensor Transform::operator()(const Tensor& x) const {
  Tensor y = dense_ ? (*dense_)(x) : x;
  if (act_) y = (*act_)(y);
  return norm_ ? (*norm_)(y) : y;
}

EncoderHeads roberta_heads(std::string_view body, double eps) {
  return {.body = body,
          .lm = {.dense = "lm_head.dense",
                 .activation = fixed_activation("gelu"),
                 .norm = "lm_head.layer_norm",
                 .eps = eps},
          .lm_decoder = "lm_head.decoder",
          .lm_bias = "lm_head.bias",
          .lm_untied_bias = "lm_head.decoder.bias",
          .sentence = SentenceVector::first,
          .sentence_transform = {.dense = "classifier.dense", .activation = fixed_activation("tanh")},
          .sentence_classifier = "classifier.out_proj"};
}

bool uses_pooler(PoolerUse use, const Scope& dense) {
  return use == PoolerUse::required || (use == PoolerUse::if_stored && dense.available("weight"));
}

std::vector<ModelClass> encoder_classes(std::string_view family, std::initializer_list<Task> tasks, MakeEncoder make) {
  const auto suffix = [](Task task) -> std::string_view {
    switch (task) {
      case Task::base: return "Model";
      case Task::masked_lm: return "ForMaskedLM";
      case Task::causal_lm: return "ForCausalLM";
      case Task::sequence_classification: return "ForSequenceClassification";
      case Task::token_classification: return "ForTokenClassification";
      case Task::question_answering: return "ForQuestionAnswering";
      case Task::multiple_choice: return "ForMultipleChoice";
      case Task::next_sentence_prediction: return "ForNextSentencePrediction";
      case Task::pretraining: return "ForPreTraining";
      default: break;
    }
    fail(ErrorCode::internal, "[encoder] no class for ", to_string(task));
  };
  std::vector<ModelClass> classes;
  for (const Task task : tasks)
    classes.push_back({std::string(family).append(suffix(task)), task,
                       [make, task](const Json& config, std::string_view where, const Scope& root) {
                         return make(config, where, root, task);
                       }});
  return classes;
}

EncoderModel::EncoderModel(CommonConfig config, const Scope& root, Task task, const EncoderHeads& heads,
                           const MakeBody& make_body, bool can_generate)
    : task_(task), heads_(heads), can_generate_(can_generate && task == Task::causal_lm) {
  common_ = std::move(config);
  const bool paired = task == Task::next_sentence_prediction || (task == Task::pretraining && heads.detector.empty());
  const bool sentence = task == Task::sequence_classification || task == Task::multiple_choice;
  if (task == Task::base) {
    body_ = make_body(root, PoolerUse::if_stored);
    return;
  }
  const bool pooler = paired || (sentence && sentence_vector() == SentenceVector::pooler);
  body_ = make_body(root / heads.body, pooler ? PoolerUse::required : PoolerUse::none);
  const std::int64_t width = common_.hidden_size;

  if (task == Task::masked_lm || task == Task::causal_lm || (task == Task::pretraining && paired)) {
    lm_transform_ = Transform(root, heads.lm, width);
    const Embedding& table = body_->input_embeddings();
    const std::string_view bias_name = common_.tie_word_embeddings ? heads.lm_bias : heads.lm_untied_bias;
    const Tensor bias = bias_name.empty() ? Tensor() : root.get(bias_name, {common_.vocab_size}, init_zeros);
    if (common_.tie_word_embeddings) {
      lm_decoder_ = Linear::tied(root, table.weight(), table.name(), bias);
    } else {
      const Scope decoder = root / heads.lm_decoder;
      const std::int64_t inputs = heads.lm.outputs > 0 ? heads.lm.outputs : width;
      lm_decoder_ =
          Linear::tied(root, decoder.get("weight", {common_.vocab_size, inputs}), decoder.name("weight"), bias);
    }
  }
  switch (task) {
    case Task::sequence_classification:
      transform_ = Transform(root, heads.sentence_transform, width);
      classifier_ = Linear(root / heads.sentence_classifier, width, common_.num_labels);
      break;
    case Task::multiple_choice:
      transform_ = Transform(root, heads.choice_transform, width);
      classifier_ = Linear(root / "classifier", width, 1);
      break;
    case Task::token_classification:
      transform_ = Transform(root, heads.token_transform, width);
      classifier_ = Linear(root / "classifier", width, common_.num_labels);
      break;
    case Task::question_answering:
      transform_ = Transform(root, heads.token_transform, width);
      classifier_ = Linear(root / heads.question_answering, width, 2);
      break;
    case Task::pretraining:
    case Task::next_sentence_prediction:
      if (paired) {
        classifier_ = Linear(root / heads.pair_classifier, width, heads.pair_labels);
      } else {
        transform_ = Transform(root, heads.detector_transform, width);
        classifier_ = Linear(root / heads.detector, width, 1);
      }
      break;
    default: break;
  }
}

SentenceVector EncoderModel::sentence_vector() const {
  return task_ == Task::multiple_choice ? heads_.choice : heads_.sentence;
}

Tensor EncoderModel::pooled(const ModelInputs& in, const Tensor& hidden, const Tensor& pooler_output) const {
  switch (sentence_vector()) {
    case SentenceVector::pooler: return pooler_output;
    case SentenceVector::first: return contiguous(select(hidden, 1, 0));
    case SentenceVector::last: return contiguous(select(hidden, 1, hidden.size(1) - 1));
    case SentenceVector::mean: return mean(hidden, {1});
    case SentenceVector::first_seen: {
      if (!in.attention_mask.defined()) return contiguous(select(hidden, 1, 0));
      const Tensor first = reshape(argmax(cast(in.attention_mask, DType::f32), 1), {hidden.size(0), 1, 1});
      return squeeze(gather(hidden, 1, expand(first, {hidden.size(0), 1, hidden.size(2)})), 1);
    }
    case SentenceVector::mean_seen: {
      if (!in.attention_mask.defined()) return mean(hidden, {1});
      const Tensor weights = unsqueeze(cast(in.attention_mask, DType::f32), 2);
      return sum(hidden * weights, {1}) / sum(weights, {1});
    }
  }
  fail(ErrorCode::internal, "[encoder] no such sentence vector");
}

void EncoderModel::language_model(const ModelInputs& in, Tensor hidden, ModelOutput& out) const {
  if (task_ == Task::causal_lm) {
    if (in.logits_to_keep > 0) hidden = contiguous(slice(hidden, 1, -in.logits_to_keep));
    out.logits = lm_decoder_(lm_transform_(hidden));
    if (in.labels.defined()) out.loss = causal_lm_loss(out.logits, in.labels, in.label_smoothing);
    return;
  }
  if (heads_.sparse_ignore_index && in.labels.defined()) {
    const Tensor labels = reshape(in.labels, {1, -1});
    const Tensor kept = indices_where(labels, [&](std::int64_t label) { return label != *heads_.sparse_ignore_index; });
    const Tensor rows = expand(unsqueeze(kept, 1), {kept.numel(), hidden.size(2)});
    out.logits = lm_decoder_(lm_transform_(gather(reshape(hidden, {-1, hidden.size(2)}), 0, rows)));
    out.loss = token_loss(unsqueeze(out.logits, 0), gather(labels, 1, unsqueeze(kept, 0)), in.label_smoothing);
    return;
  }
  out.logits = lm_decoder_(lm_transform_(hidden));
  if (in.labels.defined()) out.loss = token_loss(out.logits, in.labels, in.label_smoothing);
}

void EncoderModel::pretraining(const ModelInputs& in, const Tensor& hidden, const Tensor& pooler_output,
                               ModelOutput& out) const {
  if (!heads_.detector.empty()) {
    out.logits = squeeze(classifier_(transform_(hidden)), 2);
    if (!in.labels.defined()) return;
    Tensor logits = reshape(out.logits, {-1});
    Tensor labels = reshape(cast(in.labels, DType::f32), {-1});
    if (in.attention_mask.defined()) {
      const Tensor seen = indices_where(in.attention_mask, [](std::int64_t s) { return s == 1; });
      logits = gather(logits, 0, seen);
      labels = gather(labels, 0, seen);
    }
    out.loss = binary_cross_entropy_with_logits(logits, labels);
    return;
  }
  out.prediction_logits = lm_decoder_(lm_transform_(hidden));
  out.*heads_.pair_logits = classifier_(pooler_output);
  const Tensor& pair_label = in.*heads_.pair_label;
  if (in.labels.defined() && pair_label.defined())
    out.loss = token_loss(out.prediction_logits, in.labels, in.label_smoothing) +
               cross_entropy(out.*heads_.pair_logits, reshape(pair_label, {-1}));
}

ModelOutput EncoderModel::forward(const ModelInputs& given) const {
  ModelInputs in = given;
  if (task_ == Task::multiple_choice) flatten_choices(in);
  ModelOutput out = body_->forward(in);
  if (task_ == Task::base) return out;
  const Tensor hidden = std::exchange(out.last_hidden_state, Tensor());
  const Tensor pooler_output = std::exchange(out.pooler_output, Tensor());
  switch (task_) {
    case Task::masked_lm:
    case Task::causal_lm: language_model(in, hidden, out); break;
    case Task::pretraining: pretraining(in, hidden, pooler_output, out); break;
    case Task::next_sentence_prediction:
      out.logits = classifier_(pooler_output);
      if (in.labels.defined()) out.loss = cross_entropy(out.logits, reshape(in.labels, {-1}));
      break;
    case Task::sequence_classification:
      out.logits = classifier_(transform_(pooled(in, hidden, pooler_output)));
      if (in.labels.defined())
        out.loss = heads_.sentence_loss ? heads_.sentence_loss(out.logits, in.labels, common_, in.label_smoothing)
                                        : classification_loss(out.logits, in.labels, common_, in.label_smoothing);
      break;
    case Task::token_classification:
      out.logits = classifier_(transform_(hidden));
      if (in.labels.defined()) out.loss = token_loss(out.logits, in.labels, in.label_smoothing);
      break;
    case Task::multiple_choice: {
      const Tensor& choices = given.input_ids.defined() ? given.input_ids : given.inputs_embeds;
      out.logits = reshape(classifier_(transform_(pooled(in, hidden, pooler_output))), {-1, choices.size(1)});
      if (in.labels.defined()) out.loss = cross_entropy(out.logits, in.labels);
      break;
    }
    case Task::question_answering: {
      const Tensor logits = classifier_(transform_(hidden));
      out.start_logits = select(logits, 2, 0);
      out.end_logits = select(logits, 2, 1);
      if (in.start_positions.defined())
        out.loss = span_loss(out.start_logits, out.end_logits, in.start_positions, in.end_positions);
      break;
    }
    default: fail(ErrorCode::unsupported, "[encoder] has no head for ", to_string(task_));
  }
  return out;
}

}  // namespace trustformers
