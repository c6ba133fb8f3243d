#include "encoder_decoder.h"

#include <algorithm>

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/index/index.h"
#include "../ops/shape/shape_ops.h"

namespace trustformers {
namespace {

/// What the encoder's own class is given.
ModelInputs encoder_inputs(const ModelInputs& in) {
  ModelInputs out;
  out.input_ids = in.input_ids;
  out.inputs_embeds = in.inputs_embeds;
  out.attention_mask = in.attention_mask;
  out.output_hidden_states = in.output_hidden_states;
  return out;
}

}  // namespace

Tensor shift_right(const Tensor& ids, const CommonConfig& config, EncoderDecoderHeads::Shift shift) {
  check(ids.rank() == 2 && ids.size(1) > 0, ErrorCode::shape_mismatch, "[shift_right] ids must be [B, L], got ",
        describe(ids));
  check(config.pad_token_id.has_value(), ErrorCode::invalid_argument, "[shift_right] the config has no pad_token_id");
  const bool start = shift == EncoderDecoderHeads::Shift::start_token;
  check(!start || config.decoder_start_token_id, ErrorCode::invalid_argument,
        "[shift_right] the config has no decoder_start_token_id");
  const std::int64_t length = ids.size(1), pad = *config.pad_token_id;
  std::vector<std::int64_t> values = ids.to_vector<std::int64_t>();
  for (std::int64_t* row = values.data(); row != values.data() + values.size(); row += length) {
    std::replace(row, row + length, std::int64_t{-100}, pad);
    const std::int64_t tokens = length - std::count(row, row + length, pad);
    const std::int64_t first = start ? *config.decoder_start_token_id : row[std::max<std::int64_t>(tokens - 1, 0)];
    std::copy_backward(row, row + length - 1, row + length);
    *row = first;
  }
  return Tensor::from(values, ids.shape());
}

ForwardContext stack_context(const ModelInputs& inputs) {
  return {.positions = {},
          .key_mask = self_key_mask(inputs),
          .bias = {},
          .encoder_states = inputs.encoder_hidden_states,
          .encoder_mask = cross_key_mask(inputs),
          .cache = inputs.cache,
          .rotations = {}};
}

Embedding shared_embedding(const Scope& scope, std::int64_t rows, std::int64_t width,
                           std::optional<std::int64_t> padding) {
  // Writers that keep one of several equal tensors do not all keep the same one.
  for (const std::string_view name : {"shared", "encoder.embed_tokens", "decoder.embed_tokens"})
    if ((scope / name).stored("weight")) return {scope / name, rows, width, padding};
  return {scope / "shared", rows, width, padding};
}

Linear output_layer(const Scope& root, std::string_view name, const CommonConfig& config, const Embedding& table,
                    std::int64_t vocab_size) {
  const std::string weight = std::string(name) + ".weight";
  const bool tied = root.stored(weight) ? root.parameters().stored_equals(root.name(weight), table.weight())
                                        : config.tie_word_embeddings;
  if (!tied) return Linear(root / name, config.hidden_size, vocab_size, false);
  root.parameters().ignore({root.name(weight)});
  return Linear::tied(root, table.weight(), table.name());
}

EncoderDecoderModel::EncoderDecoderModel(CommonConfig config, const Scope& root, const EncoderDecoderHeads& heads,
                                         EncoderDecoderHead head, const MakeBodies& make_bodies)
    : head_(head), names_(heads) {
  common_ = std::move(config);
  const std::int64_t width = common_.hidden_size;
  const auto inside = [&](std::string_view body) { return body.empty() ? root : root / body; };
  switch (head) {
    case EncoderDecoderHead::none: bodies_ = make_bodies(root); break;
    case EncoderDecoderHead::seq2seq_lm: {
      bodies_ = make_bodies(inside(heads.body));
      const std::int64_t vocab = heads.target_vocab_size > 0 ? heads.target_vocab_size : common_.vocab_size;
      output_ = output_layer(root, "lm_head", common_, bodies_.decoder->input_embeddings(), vocab);
      // Files that were written before the buffer existed lack it.
      if (heads.final_logits_bias && root.available("final_logits_bias"))
        logits_bias_ = root.get_buffer("final_logits_bias", {1, vocab}, init_zeros);
      break;
    }
    case EncoderDecoderHead::sequence_classification:
      bodies_ = make_bodies(inside(heads.classification_body));
      dense_ = Linear(root / "classification_head" / "dense", width, width);
      output_ = Linear(root / "classification_head" / "out_proj", width, common_.num_labels);
      break;
    case EncoderDecoderHead::question_answering:
      bodies_ = make_bodies(inside(heads.body));
      output_ = Linear(root / "qa_outputs", width, 2);
      break;
  }
  common_.learned_positions = bodies_.decoder->learned_positions();
  common_.mixes_lengths = bodies_.decoder->mixes_lengths();
}

ModelOutput EncoderDecoderModel::encode(const ModelInputs& in) const {
  ModelOutput stack = bodies_.encoder->forward(encoder_inputs(in));
  ModelOutput out;
  out.encoder_last_hidden_state = std::move(stack.last_hidden_state);
  out.encoder_hidden_states = std::move(stack.hidden_states);
  return out;
}

ModelOutput EncoderDecoderModel::decode(const ModelInputs& in, const Tensor& encoder_states) const {
  ModelInputs decoder;
  decoder.input_ids = in.decoder_input_ids;
  decoder.inputs_embeds = in.decoder_inputs_embeds;
  decoder.attention_mask = in.decoder_attention_mask;
  decoder.encoder_hidden_states = encoder_states;
  decoder.encoder_attention_mask = in.attention_mask;
  decoder.cache = in.cache;
  decoder.output_hidden_states = in.output_hidden_states;
  if (!decoder.input_ids.defined() && !decoder.inputs_embeds.defined()) {
    const bool labelled = head_ == EncoderDecoderHead::seq2seq_lm && in.labels.defined();
    check(labelled || (names_.shifts_inputs && in.input_ids.defined()), ErrorCode::invalid_argument, "[forward] ",
          class_name(), " needs decoder_input_ids", head_ == EncoderDecoderHead::seq2seq_lm ? " or labels" : "");
    decoder.input_ids = shift_right(labelled ? in.labels : in.input_ids, common_, names_.shift);
  }
  return bodies_.decoder->forward(decoder);
}

/// The decoder's state at the last end token of each text: [B, L, D] -> [B, D].
Tensor EncoderDecoderModel::text_vectors(const Tensor& states, const Tensor& input_ids) const {
  check(input_ids.defined() && input_ids.rank() == 2 && input_ids.size(0) == states.size(0) &&
            input_ids.size(1) == states.size(1),
        ErrorCode::shape_mismatch, "[sequence_classification] input_ids must be [", states.size(0), ", ",
        states.size(1), "] as the decoder's");
  check(!common_.eos_token_id.empty(), ErrorCode::invalid_argument,
        "[sequence_classification] the config has no eos_token_id");
  const std::int64_t length = input_ids.size(1);
  const std::vector<std::int64_t> ids = input_ids.to_vector<std::int64_t>();
  std::vector<std::int64_t> last;
  std::int64_t ends = -1;  // of the first row
  for (const std::int64_t* row = ids.data(); row != ids.data() + ids.size(); row += length) {
    const std::int64_t count = std::count(row, row + length, common_.eos_token_id[0]);
    if (ends < 0) ends = count;
    check(count > 0 && count == ends, ErrorCode::invalid_argument,
          "[sequence_classification] all texts need the same number of end tokens, at least one, got ", ends, " and ",
          count);
    std::int64_t at = length - 1;
    while (row[at] != common_.eos_token_id[0]) --at;
    last.push_back(at);
  }
  const Tensor at = Tensor::from(last, {states.size(0), 1, 1});
  return squeeze(gather(states, 1, expand(at, {states.size(0), 1, states.size(2)})), 1);
}

ModelOutput EncoderDecoderModel::forward(const ModelInputs& in) const {
  ModelOutput out;
  if (in.encoder_hidden_states.defined())
    out.encoder_last_hidden_state = in.encoder_hidden_states;
  else
    out = encode(in);
  ModelOutput decoded = decode(in, out.encoder_last_hidden_state);
  out.decoder_hidden_states = std::move(decoded.hidden_states);
  Tensor states = decoded.last_hidden_state;
  switch (head_) {
    case EncoderDecoderHead::none: out.last_hidden_state = states; break;
    case EncoderDecoderHead::seq2seq_lm:
      if (in.logits_to_keep > 0)
        states = contiguous(slice(states, 1, std::max<std::int64_t>(0, states.size(1) - in.logits_to_keep)));
      if (names_.states_scale != 1) states = states * names_.states_scale;
      out.logits = output_(states);
      if (logits_bias_.defined()) out.logits = out.logits + cast(logits_bias_, DType::f32);
      if (in.labels.defined()) out.loss = token_loss(out.logits, in.labels, in.label_smoothing);
      break;
    case EncoderDecoderHead::sequence_classification:
      out.logits = output_(tanh(dense_(text_vectors(states, in.input_ids))));
      if (in.labels.defined()) out.loss = classification_loss(out.logits, in.labels, common_, in.label_smoothing);
      break;
    case EncoderDecoderHead::question_answering: {
      const Tensor logits = output_(states);
      out.start_logits = select(logits, 2, 0);
      out.end_logits = select(logits, 2, 1);
      if (in.start_positions.defined())
        out.loss = span_loss(out.start_logits, out.end_logits, in.start_positions, in.end_positions);
      break;
    }
  }
  return out;
}

std::vector<ModelClass> encoder_decoder_classes(std::string_view prefix, std::string_view seq2seq_suffix,
                                                bool text_heads, const MakeEncoderDecoder& make) {
  std::vector<ModelClass> classes;
  const auto add = [&](std::string_view suffix, Task task, EncoderDecoderHead head) {
    classes.push_back({std::string(prefix) + std::string(suffix), task,
                       [make, head](const Json& config, std::string_view where, const Scope& root) {
                         return make(config, where, root, head);
                       }});
  };
  add("Model", Task::base, EncoderDecoderHead::none);
  add(seq2seq_suffix, Task::seq2seq_lm, EncoderDecoderHead::seq2seq_lm);
  if (!text_heads) return classes;
  add("ForSequenceClassification", Task::sequence_classification, EncoderDecoderHead::sequence_classification);
  add("ForQuestionAnswering", Task::question_answering, EncoderDecoderHead::question_answering);
  return classes;
}

}  // namespace trustformers
