// Sentence embeddings, as the sentence-transformers package computes them.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "auto_classes.h"
#include "sentence_modules.h"

namespace trustformers {

class FileSet;

/// An encoder with the pooling that modules.json describes (mean of the tokens when there is none). Immutable.
class SentenceTransformer {
 public:
  /// `model` as resolve_model takes it. Errors as of AutoModel, and unsupported for modules other than Transformer,
  /// Pooling, Dense and Normalize.
  static SentenceTransformer from_pretrained(std::string_view model, const LoadOptions& options = {});
  /// Of parts that are open, and of the small files beside them: modules.json and what it names. `folder` is where
  /// dense layers have their weights; empty: such a layer is unsupported.
  SentenceTransformer(PreTrainedTokenizer tokenizer, PreTrainedModel model, const FileSet& files,
                      const std::filesystem::path& folder = {});

  /// One row a text: f32 [N, D]. Texts are cut to max_length tokens and batched by length.
  Tensor encode(std::span<const std::string> texts, std::int64_t batch_size = 32) const;
  Tensor encode(std::initializer_list<std::string> texts) const {
    return encode(std::span(texts.begin(), texts.size()));
  }
  const PreTrainedTokenizer& tokenizer() const { return tokenizer_; }
  const PreTrainedModel& model() const { return model_; }
  /// D: the width of the vectors.
  std::int64_t dimension() const;

  /// a [N, D], b [M, D] -> cosines [N, M].
  static Tensor similarity(const Tensor& a, const Tensor& b);

 private:
  PreTrainedTokenizer tokenizer_;
  PreTrainedModel model_;
  SentencePooling pooling_;
  std::vector<std::function<Tensor(const Tensor&)>> modules_;  // after pooling, in order
  std::int64_t dense_outputs_ = 0;                             // of the last dense layer, 0: there is none
  std::size_t max_length_ = 512;
};

}  // namespace trustformers
