#include "heads.h"

#include <algorithm>

#include "../nn/router.h"
#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/loss/loss.h"
#include "../ops/reduce/reduce.h"
#include "../ops/shape/shape_ops.h"

namespace trustformers {

Tensor causal_lm_loss(const Tensor& logits, const Tensor& labels, double label_smoothing) {
  const std::int64_t length = logits.size(1);
  return token_loss(slice(logits, 1, 0, length - 1), slice(labels, 1, 1), label_smoothing);
}

Tensor token_loss(const Tensor& logits, const Tensor& labels, double label_smoothing) {
  check(labels.rank() == 2 && labels.size(0) == logits.size(0) && labels.size(1) == logits.size(1),
        ErrorCode::shape_mismatch, "[loss] labels must be [", logits.size(0), ", ", logits.size(1), "], got ",
        describe(labels));
  return cross_entropy(reshape(logits, {-1, logits.size(-1)}), reshape(labels, {-1}),
                       {.ignore_index = -100, .label_smoothing = label_smoothing, .mean = true});
}

Tensor classification_loss(const Tensor& logits, const Tensor& labels, const CommonConfig& config,
                           double label_smoothing) {
  std::string kind = config.problem_type;
  if (kind.empty()) {
    kind = config.num_labels == 1       ? "regression"
           : is_integer(labels.dtype()) ? "single_label_classification"
                                        : "multi_label_classification";
  }
  if (kind == "regression") return mse_loss(reshape(logits, labels.shape()), cast(labels, logits.dtype()));
  if (kind == "multi_label_classification") return binary_cross_entropy_with_logits(logits, labels);
  check(kind == "single_label_classification", ErrorCode::invalid_argument,
        "[loss] problem_type must be regression, single_label_classification or multi_label_classification, got ",
        kind);
  return cross_entropy(logits, reshape(labels, {-1}),
                       {.ignore_index = -100, .label_smoothing = label_smoothing, .mean = true});
}

Tensor span_loss(const Tensor& start_logits, const Tensor& end_logits, const Tensor& starts, const Tensor& ends) {
  const std::int64_t length = start_logits.size(1);
  const auto clamped = [&](const Tensor& positions) {
    std::vector<std::int64_t> values = positions.to_vector<std::int64_t>();
    for (std::int64_t& v : values) v = std::clamp<std::int64_t>(v, 0, length);
    return Tensor::from(values, {positions.numel()});
  };
  const CrossEntropyAttrs attrs{.ignore_index = length, .label_smoothing = 0, .mean = true};
  return (cross_entropy(start_logits, clamped(starts), attrs) + cross_entropy(end_logits, clamped(ends), attrs)) * 0.5;
}

DecoderModel::DecoderModel(CommonConfig config, const Scope& root, const DecoderHeads& heads, DecoderHead head,
                           const MakeBody& make_body)
    : head_(head), heads_(heads) {
  common_ = std::move(config);
  const std::int64_t width = heads.width > 0 ? heads.width : common_.hidden_size;
  switch (head) {
    case DecoderHead::none: body_ = make_body(root); break;
    case DecoderHead::question_answering:
      body_ = make_body(root / heads.question_answering_body);
      output_ = Linear(root / "qa_outputs", width, 2);
      break;
    case DecoderHead::sequence_classification:
      body_ = make_body(root / heads.body);
      output_ = Linear(root / heads.sequence_head, width, common_.num_labels, false);
      break;
    case DecoderHead::token_classification:
      body_ = make_body(root / heads.body);
      output_ = Linear(root / heads.token_head, width, common_.num_labels, heads.token_head_bias);
      break;
    case DecoderHead::causal_lm: {
      body_ = make_body(root / heads.body);
      const Embedding& table = body_->input_embeddings();
      const Tensor bias = heads.lm_head_bias && common_.tie_word_embeddings
                              ? (root / heads.lm_head).get("bias", {common_.vocab_size}, init_zeros)
                              : Tensor();
      output_ = common_.tie_word_embeddings
                    ? Linear::tied(root, table.weight(), table.name(), bias)
                    : Linear(root / heads.lm_head, width, common_.vocab_size, heads.lm_head_bias);
      break;
    }
  }
  common_.learned_positions = body_->learned_positions();
  common_.mixes_lengths = body_->mixes_lengths();
}

/// The last position whose id is not padding, as transformers' sequence classifiers choose it (the mask has no say).
Tensor DecoderModel::pooled_positions(const ModelInputs& inputs) const {
  const Tensor& given = inputs.input_ids.defined() ? inputs.input_ids : inputs.inputs_embeds;
  const std::int64_t batch = given.size(0);
  const std::int64_t length = given.size(1);
  std::vector<std::int64_t> last(static_cast<std::size_t>(batch), length - 1);
  if (common_.pad_token_id && inputs.input_ids.defined()) {
    const std::vector<std::int64_t> ids = inputs.input_ids.to_vector<std::int64_t>();
    for (std::int64_t b = 0; b < batch; ++b) {
      std::int64_t at = length - 1;
      while (at > 0 && ids[static_cast<std::size_t>(b * length + at)] == *common_.pad_token_id) --at;
      last[static_cast<std::size_t>(b)] = at;
    }
  } else {
    check(batch == 1 || common_.pad_token_id, ErrorCode::invalid_argument, "[sequence_classification] a batch of ",
          batch, " needs a pad_token_id in the config");
  }
  return Tensor::from(last, {batch, 1, 1});
}

ModelOutput DecoderModel::forward(const ModelInputs& given) const {
  ModelInputs inputs = given;
  // of the prompt or text as a whole: the mask also counts what is cached
  const bool balances = head_ == DecoderHead::causal_lm && heads_.router_loss.chosen > 0 && !inputs.cache;
  inputs.output_router_logits |= balances && heads_.router_loss.always;
  ModelOutput out = body_->forward(inputs);
  if (balances && inputs.output_router_logits)
    out.aux_loss = load_balancing_loss(out.router_logits, heads_.router_loss.chosen, inputs.attention_mask);
  if (head_ == DecoderHead::none) return out;
  Tensor hidden = out.last_hidden_state;
  out.last_hidden_state = Tensor();
  if (inputs.logits_to_keep > 0 && head_ == DecoderHead::causal_lm) {
    hidden = contiguous(slice(hidden, 1, std::max<std::int64_t>(0, hidden.size(1) - inputs.logits_to_keep)));
  }
  Tensor logits = output_(hidden);
  if (head_ == DecoderHead::causal_lm) {
    if (heads_.logits_scale != 1) logits = logits * heads_.logits_scale;
    if (heads_.logits_softcap > 0) logits = tanh(logits * (1 / heads_.logits_softcap)) * heads_.logits_softcap;
  }
  switch (head_) {
    case DecoderHead::causal_lm:
      out.logits = logits;
      if (inputs.labels.defined()) out.loss = causal_lm_loss(logits, inputs.labels, inputs.label_smoothing);
      if (out.loss.defined() && out.aux_loss.defined()) out.loss = out.loss + out.aux_loss * heads_.router_loss.weight;
      break;
    case DecoderHead::sequence_classification: {
      const Tensor at = expand(pooled_positions(inputs), {logits.size(0), 1, logits.size(2)});
      out.logits = squeeze(gather(logits, 1, at), 1);
      if (inputs.labels.defined())
        out.loss = classification_loss(out.logits, inputs.labels, common_, inputs.label_smoothing);
      break;
    }
    case DecoderHead::token_classification:
      out.logits = logits;
      if (inputs.labels.defined()) {
        const bool skips = heads_.token_loss_skips_padding && inputs.attention_mask.defined();
        const Tensor labels = skips ? where(cast(inputs.attention_mask, DType::boolean), inputs.labels,
                                            Tensor::full({}, -100, inputs.labels.dtype()))
                                    : inputs.labels;
        out.loss = token_loss(logits, labels, inputs.label_smoothing);
      }
      break;
    case DecoderHead::question_answering:
      out.start_logits = select(logits, 2, 0);
      out.end_logits = select(logits, 2, 1);
      if (inputs.start_positions.defined())
        out.loss = span_loss(out.start_logits, out.end_logits, inputs.start_positions, inputs.end_positions);
      break;
    case DecoderHead::none: break;
  }
  return out;
}

}  // namespace trustformers
