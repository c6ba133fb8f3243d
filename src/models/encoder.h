// An encoder with one of the heads that transformers gives encoders.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "../nn/activation.h"
#include "architectures.h"
#include "heads.h"

namespace trustformers {

/// What lies between hidden states and scores: dense, activation, norm, each where it has a name. Names are from the
/// root on.
struct TransformSpec {
  std::string_view dense = {};
  std::optional<ActivationFunction> activation = {};
  std::string_view norm = {};
  std::int64_t outputs = 0;  // of dense; 0: as many as its inputs
  bool dense_bias = true, norm_bias = true;
  double eps = 1e-12;
};

/// An activation that no key of the config chooses.
inline ActivationFunction fixed_activation(std::string_view name) { return ActivationFunction::parse(name, "a head"); }

class Transform {
 public:
  Transform() = default;
  Transform(const Scope& root, const TransformSpec& spec, std::int64_t inputs);
  Tensor operator()(const Tensor& x) const;

 private:
  std::optional<Linear> dense_;
  std::optional<ActivationFunction> act_;
  std::optional<LayerNorm> norm_;
};

/// The vector that stands for a text: the body's pooler output, or the state of one position or the mean of many;
/// `seen` leaves padding out.
enum class SentenceVector { pooler, first, last, mean, first_seen, mean_seen };

/// How an architecture's heads are called and made.
struct EncoderHeads {
  std::string_view body = {};  // "bert"

  /// Language models: scores over the vocabulary with the input table or, untied, with a matrix `lm_decoder`.
  TransformSpec lm = {};
  std::string_view lm_decoder = {};
  std::string_view lm_bias = {}, lm_untied_bias = {};  // empty: none
  /// Only positions with another label than this get logits when labels are given (ModernBERT).
  std::optional<std::int64_t> sparse_ignore_index = {};

  SentenceVector sentence = SentenceVector::pooler;
  TransformSpec sentence_transform = {};
  std::string_view sentence_classifier = "classifier";
  /// Replaces classification_loss; may reshape the logits.
  Tensor (*sentence_loss)(Tensor& logits, const Tensor& labels, const CommonConfig& config,
                          double label_smoothing) = nullptr;

  SentenceVector choice = SentenceVector::pooler;
  TransformSpec choice_transform = {};

  TransformSpec token_transform = {};  // before token classification and question answering
  std::string_view question_answering = "qa_outputs";

  /// Pretraining: a second score of the pooled text under one of these names, or ELECTRA's score of each token.
  std::string_view pair_classifier = {};
  std::int64_t pair_labels = 2;
  Tensor ModelOutput::* pair_logits = nullptr;
  Tensor ModelInputs::* pair_label = nullptr;
  TransformSpec detector_transform = {};
  std::string_view detector = {};
};

/// The heads of RoBERTa, which MPNet and ESM have too.
EncoderHeads roberta_heads(std::string_view body, double eps);

/// Whether a body has its pooler: bodies alone are often published without it, heads that read it need it.
enum class PoolerUse { none, if_stored, required };
/// Whether a pooler whose weights would lie at `dense` is to be built.
bool uses_pooler(PoolerUse use, const Scope& dense);

/// Builds the class of an architecture that serves `task`.
using MakeEncoder = std::unique_ptr<Model> (*)(const Json& config, std::string_view where, const Scope& root,
                                               Task task);
/// `family` with transformers' names of the tasks: "AlbertModel", "AlbertForMaskedLM", ...
std::vector<ModelClass> encoder_classes(std::string_view family, std::initializer_list<Task> tasks, MakeEncoder make);

class EncoderModel final : public Model {
 public:
  using MakeBody = std::function<std::unique_ptr<Body>(const Scope&, PoolerUse)>;
  EncoderModel(CommonConfig config, const Scope& root, Task task, const EncoderHeads& heads, const MakeBody& make_body,
               bool can_generate = false);
  ModelOutput forward(const ModelInputs& inputs) const override;
  bool can_generate() const override { return can_generate_; }

 private:
  SentenceVector sentence_vector() const;
  Tensor pooled(const ModelInputs& in, const Tensor& hidden, const Tensor& pooler_output) const;
  void language_model(const ModelInputs& in, Tensor hidden, ModelOutput& out) const;
  void pretraining(const ModelInputs& in, const Tensor& hidden, const Tensor& pooler_output, ModelOutput& out) const;

  Task task_;
  EncoderHeads heads_;
  bool can_generate_;
  std::unique_ptr<Body> body_;
  Transform lm_transform_, transform_;
  Linear lm_decoder_, classifier_;
};

}  // namespace trustformers
