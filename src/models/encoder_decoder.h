// An encoder-decoder with one of the heads that transformers gives them.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "../nn/self_attention.h"
#include "architectures.h"
#include "heads.h"

namespace trustformers {

enum class EncoderDecoderHead { none, seq2seq_lm, sequence_classification, question_answering };

/// Two stacks. Each takes the inputs that its class in transformers takes: input_ids or inputs_embeds with
/// attention_mask, the decoder also encoder_hidden_states with encoder_attention_mask, and the cache.
struct EncoderDecoderBodies {
  std::unique_ptr<Body> encoder, decoder;
};

/// How an architecture's heads are called, and how decoder inputs come about.
struct EncoderDecoderHeads {
  std::string_view body = "model";  // of the language model and of question answering
  std::string_view classification_body = "model";
  double states_scale = 1;             // of the decoder's states before the output layer
  bool final_logits_bias = false;      // a buffer [1, V] on top of the logits
  std::int64_t target_vocab_size = 0;  // 0: as vocab_size
  /// What becomes the first token when labels or inputs are shifted to the right: the decoder's start token, or the
  /// last token that is not padding (mBART's language).
  enum class Shift { start_token, last_token };
  Shift shift = Shift::start_token;
  /// The decoder reads the shifted input_ids when it is given nothing else (denoising; classification).
  bool shifts_inputs = false;
};

/// ids [B, L] moved one to the right as EncoderDecoderHeads::Shift says; labels of -100 become padding.
Tensor shift_right(const Tensor& ids, const CommonConfig& config, EncoderDecoderHeads::Shift shift);

class EncoderDecoderModel final : public Model {
 public:
  using MakeBodies = std::function<EncoderDecoderBodies(const Scope&)>;
  EncoderDecoderModel(CommonConfig config, const Scope& root, const EncoderDecoderHeads& heads, EncoderDecoderHead head,
                      const MakeBodies& make_bodies);
  ModelOutput forward(const ModelInputs& inputs) const override;
  ModelOutput encode(const ModelInputs& inputs) const override;
  bool can_generate() const override { return head_ == EncoderDecoderHead::seq2seq_lm; }
  bool is_encoder_decoder() const override { return true; }

 private:
  ModelOutput decode(const ModelInputs& inputs, const Tensor& encoder_states) const;
  Tensor text_vectors(const Tensor& states, const Tensor& input_ids) const;

  EncoderDecoderHead head_;
  EncoderDecoderHeads names_;
  EncoderDecoderBodies bodies_;
  Linear dense_, output_;
  Tensor logits_bias_;
};

/// What the layers of a stack share that adds its positions to its input or biases: masks, states, the cache.
ForwardContext stack_context(const ModelInputs& inputs);

/// The table [rows, width] that both stacks share, under the first of its names that the file has.
Embedding shared_embedding(const Scope& scope, std::int64_t rows, std::int64_t width,
                           std::optional<std::int64_t> padding = {});

/// The output layer of a language model: shares the table when the config says so, or when the file holds a second
/// copy of it under the output layer's name, and has a matrix of its own where the file holds another one.
Linear output_layer(const Scope& root, std::string_view name, const CommonConfig& config, const Embedding& table,
                    std::int64_t vocab_size);

using MakeEncoderDecoder = std::function<std::unique_ptr<Model>(const Json& config, std::string_view where,
                                                                const Scope& root, EncoderDecoderHead head)>;
/// The classes <prefix>Model, <prefix><seq2seq_suffix> and, with `text_heads`, <prefix>ForSequenceClassification and
/// …ForQuestionAnswering.
std::vector<ModelClass> encoder_decoder_classes(std::string_view prefix, std::string_view seq2seq_suffix,
                                                bool text_heads, const MakeEncoderDecoder& make);

}  // namespace trustformers
