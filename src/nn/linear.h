// Layers with weights: Linear and Embedding. Each is built from a Scope and called like a function.
#pragma once

#include "../ops/index/index.h"
#include "adapter.h"
#include "norm.h"
#include "parameters.h"

namespace trustformers {

/// y = x·weightᵀ + bias with weight [N, K] in whatever format the checkpoint has, and an adapter beside it if there is
/// one: x [..., K] -> [..., N].
class Linear {
 public:
  /// How the checkpoint stores the weight: [N, K], or [K, N] as GPT-2's Conv1D.
  enum class Stored { output_major, input_major };

  Linear() = default;
  Linear(const Scope& scope, std::int64_t inputs, std::int64_t outputs, bool bias = true,
         Stored stored = Stored::output_major);
  /// Shares the table of an embedding (tied output layer), with its own bias or none.
  static Linear tied(const Scope& parameters, const Tensor& table, const std::string& table_name,
                     const Tensor& bias = Tensor());

  Tensor operator()(const Tensor& x) const;
  const Tensor& weight() const { return weight_; }

 private:
  Tensor weight_;  // [N, K]; a transposed view where the checkpoint is input-major
  Tensor bias_;
  LoraWeights lora_;
  bool exact_ = true;
};

/// Rows of a table [V, D], and of an adapter beside it if there is one: ids [...] -> f32 [..., D]. Looking up `padding`
/// does not train its row, as PyTorch's padding_idx.
class Embedding {
 public:
  Embedding() = default;
  Embedding(const Scope& scope, std::int64_t rows, std::int64_t width, std::optional<std::int64_t> padding = {});
  /// False when there is none: it was made without a scope.
  explicit operator bool() const { return !name_.empty(); }
  Tensor operator()(const Tensor& ids) const;
  const Tensor& weight() const { return weight_; }
  const std::string& name() const { return name_; }

 private:
  Tensor rows_of(const Tensor& table, const Tensor& ids) const;

  Tensor weight_;
  LoraWeights lora_;
  std::string name_;
  std::optional<std::int64_t> padding_;
};

}  // namespace trustformers
