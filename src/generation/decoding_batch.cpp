#include "decoding_batch.h"

#include <algorithm>

#include "../nn/attention.h"
#include "../tensor/device.h"
#include "../tensor/op.h"
#include "processors/numeric.h"
#include "processors/score_math.h"

namespace trustformers {
namespace {

/// Moves rows of a list; in place where nothing moves, so that the usual case costs nothing.
template <class T>
void reorder(std::vector<T>& list, std::span<const std::int64_t> rows) {
  std::vector<T> out;
  out.reserve(rows.size());
  for (const std::int64_t row : rows) {
    out.push_back(list[static_cast<std::size_t>(row)]);
    if constexpr (requires { out.back().reserve(0); })
      out.back().reserve(list[static_cast<std::size_t>(row)].capacity());
  }
  list = std::move(out);
}

Tensor take_rows(const Tensor& t, std::span<const std::int64_t> rows) {
  Shape shape = t.shape();
  shape[0] = static_cast<std::int64_t>(rows.size());
  Tensor out = Tensor::empty(shape, t.dtype(), &t.device());
  const auto row = [](const Tensor& of, std::int64_t r) {
    Shape one = of.shape();
    one[0] = 1;
    return make_view(of, one, of.strides(), of.impl().offset + r * of.strides()[0]);
  };
  for (std::size_t i = 0; i < rows.size(); ++i)
    out.device().write(row(t, rows[i]), row(out, static_cast<std::int64_t>(i)));
  return out;
}

bool is_identity(std::span<const std::int64_t> rows, std::int64_t batch) {
  if (static_cast<std::int64_t>(rows.size()) != batch) return false;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

}  // namespace

DecodingBatch::DecodingBatch(const Model& model, Prompt prompt, KVCache* cache, std::int64_t held)
    : model_(model),
      context_(std::move(prompt.context)),
      cache_(cache),
      read_(cache ? held : 0),
      prompt_length_(prompt.length),
      padded_(!prompt.mask.empty()),
      sources_(std::move(prompt.sources)) {
  check(prompt.batch > 0 && prompt.length > 0, ErrorCode::invalid_argument, "[generate] the prompt is empty");
  const std::int64_t context = model.common().max_position_embeddings;
  check(context == 0 || prompt.length <= context, ErrorCode::out_of_range, "[generate] the prompt has ", prompt.length,
        " tokens, the model's context holds ", context);
  const auto width = static_cast<std::size_t>(prompt.length);
  for (std::size_t b = 0; b < static_cast<std::size_t>(prompt.batch); ++b) {
    const auto from = static_cast<std::ptrdiff_t>(b * width), to = static_cast<std::ptrdiff_t>((b + 1) * width);
    histories_.emplace_back(prompt.ids.begin() + from, prompt.ids.begin() + to);
    prompts_.push_back(b);
    padding_.push_back(0);
    if (!padded_) continue;
    masks_.emplace_back(prompt.mask.begin() + from, prompt.mask.begin() + to);
    padding_.back() = static_cast<std::size_t>(std::find(masks_[b].begin(), masks_[b].end(), 1) - masks_[b].begin());
  }
}

void DecodingBatch::guide(std::unique_ptr<DecodingBatch> unconditional, double scale) {
  unconditional_ = std::move(unconditional);
  guidance_scale_ = scale;
}

std::int64_t DecodingBatch::room(std::int64_t wanted) const {
  const CommonConfig& common = model_.common();
  // Rotary models go on past their context, as in transformers; a table of positions cannot.
  if (common.max_position_embeddings > 0 && common.learned_positions)
    wanted = std::min(wanted, common.max_position_embeddings - prompt_length_ + 1);
  return std::max<std::int64_t>(wanted, 0);
}

void DecodingBatch::reserve(std::int64_t length) {
  for (auto& history : histories_) history.reserve(static_cast<std::size_t>(length));
  for (auto& mask : masks_) mask.reserve(static_cast<std::size_t>(length));
  if (cache_) cache_->reserve(length);
  if (unconditional_) unconditional_->reserve(length - prompt_length_ + unconditional_->prompt_length_);
}

std::span<float> DecodingBatch::scores(std::int64_t count) {
  const std::int64_t total = length(), fed = total - read_, rows = batch();
  const bool decoder = model_.is_encoder_decoder();
  ModelInputs inputs = context_;
  Tensor& ids = decoder ? inputs.decoder_input_ids : inputs.input_ids;
  ids = Tensor::empty({rows, fed}, DType::i64);
  for (std::int64_t b = 0; b < rows; ++b)
    std::copy_n(histories_[static_cast<std::size_t>(b)].data() + read_, fed,
                ids.mutable_data<std::int64_t>() + b * fed);
  if (padded_) {
    Tensor& mask = decoder ? inputs.decoder_attention_mask : inputs.attention_mask;
    mask = Tensor::empty({rows, total}, DType::u8);
    for (std::int64_t b = 0; b < rows; ++b)
      std::copy_n(masks_[static_cast<std::size_t>(b)].data(), total, mask.mutable_data<std::uint8_t>() + b * total);
    // As transformers has it, the decoder of an encoder-decoder counts its padding.
    if (!decoder) inputs.position_ids = positions_from_mask(mask, fed);
  } else if (!decoder) {
    // From 0, as transformers counts here even for models that begin elsewhere when left alone (RoBERTa).
    inputs.position_ids = consecutive_positions(read_, fed);
  }
  inputs.cache = cache_;
  inputs.logits_to_keep = count;
  inputs.output_hidden_states = keep_hidden_;
  ModelOutput output = model_.forward(inputs);  // [B, count, V], ours alone
  logits_ = std::move(output.logits);
  if (keep_hidden_) hidden_ = output.hidden_states.empty() ? output.last_hidden_state : output.hidden_states.back();
  vocabulary_ = logits_.size(-1);
  if (cache_) read_ = total;
  const std::span<float> out(logits_.mutable_data<float>(), static_cast<std::size_t>(logits_.numel()));
  if (unconditional_) {
    const std::span<float> other = unconditional_->scores(count);
    const auto width = static_cast<std::size_t>(vocabulary_);
    for (std::size_t at = 0; at < out.size(); at += width) {
      log_softmax_in_place(out.subspan(at, width));
      log_softmax_in_place(other.subspan(at, width));
      apply_guidance(out.subspan(at, width), other.subspan(at, width), guidance_scale_);
    }
  }
  return out;
}

void DecodingBatch::append(std::span<const std::int64_t> tokens) {
  for (std::size_t b = 0; b < histories_.size(); ++b) histories_[b].push_back(tokens[b]);
  // Padding after the end stays visible, as in transformers: it cannot reach other rows, and the row is over.
  for (auto& mask : masks_) mask.push_back(1);
  if (unconditional_) unconditional_->append(tokens);
}

void DecodingBatch::select_context(std::span<const std::int64_t> rows) {
  for (Tensor* t : {&context_.encoder_hidden_states, &context_.encoder_attention_mask, &context_.attention_mask})
    if (t->defined() && t->size(0) == batch()) *t = take_rows(*t, rows);
}

void DecodingBatch::select_rows(std::span<const std::int64_t> rows) {
  if (is_identity(rows, batch())) return;
  std::vector<std::size_t> prompts = prompts_;
  reorder(prompts, rows);
  const bool same_prompts = prompts == prompts_;  // beams of one prompt share its encoder's states
  if (!same_prompts) select_context(rows);
  prompts_ = std::move(prompts);
  reorder(histories_, rows);
  reorder(padding_, rows);
  if (padded_) reorder(masks_, rows);
  if (cache_) same_prompts ? cache_->select_growing_rows(rows) : cache_->select_rows(rows);
  if (unconditional_) unconditional_->select_rows(rows);
}

void DecodingBatch::truncate(std::int64_t length) {
  const std::int64_t dropped = this->length() - length;
  for (auto& history : histories_) history.resize(static_cast<std::size_t>(length));
  for (auto& mask : masks_) mask.resize(static_cast<std::size_t>(length));
  if (cache_ && read_ > length) {
    cache_->truncate(length);
    read_ = length;
  }
  if (unconditional_) unconditional_->truncate(unconditional_->length() - dropped);
}

RowState DecodingBatch::state(std::size_t row, std::uint64_t seed) const {
  RowState out;
  out.ids = histories_[row];
  out.padding = padding_[row];
  out.prompt_length = static_cast<std::size_t>(prompt_length_);
  out.source = sources_[prompts_[row]];
  out.prompt = prompts_[row];
  out.row = row;
  out.seed = seed;
  return out;
}

}  // namespace trustformers
