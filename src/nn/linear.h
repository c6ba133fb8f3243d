// Layers with weights: Linear, Embedding and the norms. Each is built from a Scope and called like a function.
#pragma once

#include "../ops/index/index.h"
#include "../ops/norm/norm.h"
#include "adapter.h"
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

/// Rows of a table [V, D]: ids [...] -> f32 [..., D].
class Embedding {
 public:
  Embedding() = default;
  Embedding(const Scope& scope, std::int64_t rows, std::int64_t width);
  Tensor operator()(const Tensor& ids) const;
  const Tensor& weight() const { return weight_; }
  const std::string& name() const { return name_; }

 private:
  Tensor weight_;
  std::string name_;
};

class LayerNorm {
 public:
  LayerNorm() = default;
  LayerNorm(const Scope& scope, std::int64_t width, double eps, bool bias = true);
  Tensor operator()(const Tensor& x) const { return layer_norm(x, weight_, bias_, eps_); }

 private:
  Tensor weight_, bias_;
  double eps_ = 1e-5;
};

class RmsNorm {
 public:
  RmsNorm() = default;
  RmsNorm(const Scope& scope, std::int64_t width, double eps)
      : weight_(scope.get("weight", {width}, init_ones)), eps_(eps) {}
  Tensor operator()(const Tensor& x) const { return rms_norm(x, weight_, eps_); }

 private:
  Tensor weight_;
  double eps_ = 1e-6;
};

}  // namespace trustformers
