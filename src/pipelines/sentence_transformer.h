// Sentence embeddings, as the sentence-transformers package computes them.
#pragma once

#include <span>
#include <string>

#include "auto_classes.h"

namespace trustformers {

/// An encoder with the pooling that modules.json describes (mean of the tokens when there is none). Immutable.
class SentenceTransformer {
 public:
  /// `model` as resolve_model takes it. Errors as of AutoModel, and unsupported for modules other than Transformer,
  /// Pooling (mean, cls, max) and Normalize.
  static SentenceTransformer from_pretrained(std::string_view model, const LoadOptions& options = {});

  /// One row a text: f32 [N, D]. Texts are cut to max_length tokens and batched by length.
  Tensor encode(std::span<const std::string> texts, std::int64_t batch_size = 32) const;
  Tensor encode(std::initializer_list<std::string> texts) const {
    return encode(std::span(texts.begin(), texts.size()));
  }
  std::int64_t dimension() const { return model_.model().common().hidden_size; }

  /// a [N, D], b [M, D] -> cosines [N, M].
  static Tensor similarity(const Tensor& a, const Tensor& b);

 private:
  enum class Pooling { mean, cls, max };
  SentenceTransformer(PreTrainedTokenizer tokenizer, PreTrainedModel model)
      : tokenizer_(std::move(tokenizer)), model_(std::move(model)) {}
  Tensor pool(const Tensor& hidden, const Tensor& attention_mask) const;

  PreTrainedTokenizer tokenizer_;
  PreTrainedModel model_;
  Pooling pooling_ = Pooling::mean;
  bool normalize_ = false;
  std::size_t max_length_ = 512;
};

}  // namespace trustformers
