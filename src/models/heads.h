// Task heads that are alike in all architectures, and their losses.
#pragma once

#include "../nn/linear.h"
#include "model.h"

namespace trustformers {

/// The transformer under a head: tokens in, hidden states out.
class Body {
 public:
  virtual ~Body() = default;
  /// Fills last_hidden_state (after the final norm), hidden_states when asked for, and pooler_output if there is a
  /// pooler.
  virtual ModelOutput forward(const ModelInputs& inputs) const = 0;
  virtual const Embedding& input_embeddings() const = 0;
  /// True when positions come from a table, so that none beyond its end exists.
  virtual bool learned_positions() const { return false; }
  /// True when one pass may go on with cached texts of different lengths: what is said of a text depends on nothing but
  /// itself, and its past lies in the cache's keys and values alone.
  virtual bool mixes_lengths() const { return false; }
};

/// Shifted next-token cross entropy: logits [B, L, V], labels [B, L].
Tensor causal_lm_loss(const Tensor& logits, const Tensor& labels, double label_smoothing);
/// Cross entropy over all labelled positions: logits [B, L, C], labels [B, L].
Tensor token_loss(const Tensor& logits, const Tensor& labels, double label_smoothing);
/// logits [B, C]: mean squared error for one label (regression), binary cross entropy for multi-label targets, else
/// cross entropy; chosen by problem_type, or by num_labels and the labels' dtype as transformers does.
Tensor classification_loss(const Tensor& logits, const Tensor& labels, const CommonConfig& config,
                           double label_smoothing);
/// The mean of the cross entropies of start and end: logits [B, L], positions [B]; one outside the text does not count.
Tensor span_loss(const Tensor& start_logits, const Tensor& end_logits, const Tensor& starts, const Tensor& ends);

/// What the heads of a decoder are called in checkpoints, and how its logits are made.
struct DecoderHeads {
  std::string_view body = "model";
  std::string_view question_answering_body = "model";
  std::string_view lm_head = "lm_head";
  std::string_view sequence_head = "score";
  std::string_view token_head = "score";
  bool token_head_bias = true;
  std::int64_t width = 0;  // of what the heads read; 0: hidden_size
  bool lm_head_bias = false;
  bool token_loss_skips_padding = false;  // labels of padding do not count
  double logits_scale = 1;                // of the language model's logits
  double logits_softcap = 0;              // > 0: they become softcap · tanh(logits / softcap) (Gemma 2)

  /// What a mixture of experts adds to the language model's loss when router logits are asked for.
  struct RouterLoss {
    std::int64_t chosen = 0;  // experts a token; 0: nothing
    double weight = 0;
    bool always = false;  // the config asks for router logits
  };
  RouterLoss router_loss = {};
};

enum class DecoderHead { none, causal_lm, sequence_classification, token_classification, question_answering };

/// A decoder with one of the heads that transformers gives all decoders.
class DecoderModel final : public Model {
 public:
  using MakeBody = std::function<std::unique_ptr<Body>(const Scope&)>;
  DecoderModel(CommonConfig config, const Scope& root, const DecoderHeads& names, DecoderHead head,
               const MakeBody& make_body);
  ModelOutput forward(const ModelInputs& inputs) const override;
  bool can_generate() const override { return head_ == DecoderHead::causal_lm; }

 private:
  Tensor pooled_positions(const ModelInputs& inputs) const;

  DecoderHead head_;
  std::unique_ptr<Body> body_;
  DecoderHeads heads_;
  Linear output_;
};

}  // namespace trustformers
