#include "prompt.h"

#include <algorithm>
#include <array>

#include "../ops/elementwise/unary.h"
#include "../ops/shape/shape_ops.h"
#include "../tensor/op.h"

namespace trustformers {
namespace {

struct Tokens {
  Tensor ids, mask;  // [B, L]; the mask may be undefined
};

/// One start token for each row [B, 1].
Tensor start_tokens(const Model& model, const GenerationConfig& config, std::int64_t batch) {
  std::vector<std::int64_t> start = config.decoder_start_token_id;
  const CommonConfig& common = model.common();
  for (const auto& fallback : {common.decoder_start_token_id, config.bos_token_id, common.bos_token_id})
    if (start.empty() && fallback) start = {*fallback};
  check(!start.empty(), ErrorCode::invalid_argument, "[generate] ", model.class_name(),
        " needs decoder_start_token_id");
  if (start.size() == 1) start.resize(static_cast<std::size_t>(batch), start[0]);
  check(static_cast<std::int64_t>(start.size()) == batch, ErrorCode::invalid_argument, "[generate] ", start.size(),
        " start tokens for ", batch, " rows");
  return Tensor::from(start, {batch, 1});
}

Tokens decoder_tokens(const ModelInputs& inputs, ModelInputs& context) {
  for (const Tensor* t : {&inputs.inputs_embeds, &inputs.token_type_ids})
    check(!t->defined(), ErrorCode::unsupported,
          "[generate] inputs_embeds and token_type_ids cannot be continued, only input_ids");
  context = inputs;
  context.input_ids = context.attention_mask = context.position_ids = Tensor();
  return {inputs.input_ids, inputs.attention_mask};
}

Tokens encoder_decoder_tokens(const Model& model, const ModelInputs& inputs, const GenerationConfig& config,
                              ModelInputs& context) {
  Tokens out{inputs.decoder_input_ids, inputs.decoder_attention_mask};
  const NoGrad quiet;
  context.encoder_hidden_states = inputs.encoder_hidden_states.defined()
                                      ? inputs.encoder_hidden_states
                                      : model.encode(inputs).encoder_last_hidden_state;
  context.attention_mask = inputs.attention_mask;
  const std::int64_t batch = context.encoder_hidden_states.size(0);
  const Tensor start = start_tokens(model, config, batch);
  if (!out.ids.defined()) return {start, Tensor()};
  check(out.ids.rank() == 2 && out.ids.size(0) == batch && out.ids.size(1) > 0, ErrorCode::shape_mismatch,
        "[generate] decoder_input_ids must be [", batch, ", L], got ", describe(out.ids));
  const auto first = select(out.ids, 1, 0).to_vector<std::int64_t>(), wanted = start.to_vector<std::int64_t>();
  bool begun = false;
  for (std::size_t b = 0; b < first.size(); ++b) begun = begun || first[b] == wanted[b];
  if (!begun) {
    out.ids = concat(std::array{start, cast(out.ids, DType::i64)}, 1);
    if (out.mask.defined()) out.mask = concat(std::array{Tensor::ones({batch, 1}, out.mask.dtype()), out.mask}, 1);
  }
  return out;
}

/// The unpadded tokens of each row.
std::vector<std::vector<std::int64_t>> rows_of(const Tensor& ids, const Tensor& mask) {
  if (!ids.defined() || ids.rank() != 2) return {};
  const auto values = ids.to_vector<std::int64_t>();
  const auto seen = mask.defined() ? mask.to_vector<std::int64_t>() : std::vector<std::int64_t>(values.size(), 1);
  std::vector<std::vector<std::int64_t>> rows(static_cast<std::size_t>(ids.size(0)));
  const auto width = static_cast<std::size_t>(ids.size(1));
  for (std::size_t i = 0; i < values.size(); ++i)
    if (seen[i] != 0) rows[i / width].push_back(values[i]);
  return rows;
}

}  // namespace

Prompt make_prompt(const Model& model, const ModelInputs& inputs, const GenerationConfig& config) {
  check(model.can_generate(), ErrorCode::unsupported, "[generate] ", model.class_name(), " does not generate text");
  Prompt out;
  const Tokens tokens = model.is_encoder_decoder() ? encoder_decoder_tokens(model, inputs, config, out.context)
                                                   : decoder_tokens(inputs, out.context);
  check(tokens.ids.defined() && tokens.ids.rank() == 2, ErrorCode::shape_mismatch,
        "[generate] input_ids must be [B, L], got ", tokens.ids.defined() ? str(describe(tokens.ids)) : "nothing");
  out.batch = tokens.ids.size(0);
  out.length = tokens.ids.size(1);
  check(out.batch > 0 && out.length > 0, ErrorCode::invalid_argument, "[generate] the prompt is empty");
  out.ids = tokens.ids.to_vector<std::int64_t>();
  if (tokens.mask.defined()) {
    check(tokens.mask.shape() == tokens.ids.shape(), ErrorCode::shape_mismatch, "[generate] attention_mask must be ",
          to_string(tokens.ids.shape()), ", got ", describe(tokens.mask));
    out.mask = tokens.mask.to_vector<std::uint8_t>();
    if (std::find(out.mask.begin(), out.mask.end(), 0) == out.mask.end()) out.mask.clear();
  }
  for (std::int64_t b = 0; b < out.batch && !out.mask.empty(); ++b)
    check(out.mask[static_cast<std::size_t>((b + 1) * out.length - 1)] != 0, ErrorCode::invalid_argument,
          "[generate] row ", b, " ends in padding: prompts must be padded on the left");
  out.sources =
      model.is_encoder_decoder() ? rows_of(inputs.input_ids, inputs.attention_mask) : rows_of(tokens.ids, tokens.mask);
  out.sources.resize(static_cast<std::size_t>(out.batch));
  return out;
}

}  // namespace trustformers
