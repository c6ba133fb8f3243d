// Texts on their way through an encoder: tokens, batches of about one length, rows of the result.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "pipeline_task.h"

namespace trustformers {

/// One text or a list of texts.
struct TextInputs {
  std::vector<std::string> texts;
  bool list = false;
};
/// Errors: invalid_argument for anything else.
TextInputs text_inputs(const Json& inputs, std::string_view task);

/// Reads add_special_tokens, truncation and max_length, which may also stand in an object `nested` (transformers calls
/// it tokenizer_kwargs or tokenize_kwargs).
EncodeOptions read_encode_options(CallOptions& options, const Tokenizer& tokenizer, std::string_view nested = {});
/// The tokenizer's model_max_length, or more than any text has.
std::int64_t max_length_of(const Tokenizer& tokenizer);
/// Reads batch_size: 8 when absent.
std::int64_t read_batch_size(CallOptions& options);

/// One row of a batch: which of the encodings it is, and where its tokens lie between padding.
struct BatchRow {
  std::size_t index;
  std::int64_t row, first, length;
  /// Of states [B, L, ...]: the row's own, [length, ...].
  Tensor of(const Tensor& states) const;
};

using OnBatch =
    std::function<void(const ModelOutput& output, const Tensor& attention_mask, std::span<const BatchRow> rows)>;

/// Runs the model on encodings, the longest first, in batches of neighbours in length, so that little is padding.
/// Encodings of different lengths share a batch only where the model can tell padding from text.
void run_batches(const PipelineParts& parts, std::span<const Encoding> encodings, std::int64_t batch_size,
                 const CancelToken& cancel, const OnBatch& on_batch);

/// exp(x - max) / sum, in f32 as NumPy does it.
std::vector<float> softmax_of(std::span<const float> logits);
float sigmoid_of(float logit);

}  // namespace trustformers
