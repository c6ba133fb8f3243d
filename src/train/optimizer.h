// What turns gradients into new weights. With the cache of nn/, the one place where tensors change (law 10).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "../weights/safetensors.h"

namespace trustformers {

/// How strongly weights are pulled towards zero, and which.
struct WeightDecay {
  double value = 0;
  /// Parameters it acts on, by name and tensor; empty: all.
  std::function<bool(std::string_view name, const Tensor& parameter)> applies;
};
/// The usual choice for transformers: matrices, but no biases and no norms.
bool decays_matrices(std::string_view name, const Tensor& parameter);

/// An update rule over those of the named parameters that require gradients: f32 leaves in host memory. State is f32
/// and made when a parameter's first gradient comes. backward() adds to gradients, so several calls before step()
/// accumulate.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update in place. Parameters without a gradient stay as they are.
  void step(double lr);
  /// Forgets all gradients.
  void zero_grad();
  const std::vector<NamedTensor>& parameters() const { return parameters_; }

 protected:
  /// One parameter's turn: n elements in row-major order.
  struct Update {
    std::size_t parameter;  // its number
    const Shape& shape;
    std::span<float> weights;
    std::span<const float> grad;
    std::int64_t step;  // of this parameter, from 1
    double lr;
    double weight_decay;
  };
  Optimizer(std::vector<NamedTensor> parameters, const WeightDecay& decay);
  virtual void update(const Update& u) = 0;

  /// A vector of zeros for each parameter, sized at its first use.
  class State {
   public:
    std::span<float> at(std::size_t parameter, std::size_t size);

   private:
    std::vector<std::vector<float>> values_;
  };

 private:
  std::vector<NamedTensor> parameters_;
  std::vector<double> weight_decay_;
  std::vector<std::int64_t> steps_;
};

/// The Euclidean norm of all gradients together. Gradients are scaled to `max_norm` when it is larger (Pascanu et al.
/// 2013), by max_norm / (norm + 1e-6) as PyTorch does. Parameters without a gradient do not count.
double clip_grad_norm(std::span<const NamedTensor> parameters,
                      double max_norm = std::numeric_limits<double>::infinity());

}  // namespace trustformers
