#include "optimizer.h"

#include <cmath>

#include "../base/error.h"
#include "../ops/elementwise/binary.h"
#include "../ops/shape/shape_ops.h"
#include "../tensor/context.h"
#include "../tensor/op.h"

namespace trustformers {

bool decays_matrices(std::string_view, const Tensor& parameter) { return parameter.rank() >= 2; }

Optimizer::Optimizer(std::vector<NamedTensor> parameters, const WeightDecay& decay)
    : parameters_(std::move(parameters)) {
  check(decay.value >= 0, ErrorCode::invalid_argument, "[optimizer] weight decay must not be negative, got ",
        decay.value);
  std::erase_if(parameters_, [](const NamedTensor& p) { return p.tensor.defined() && !p.tensor.requires_grad(); });
  check(!parameters_.empty(), ErrorCode::invalid_argument, "[optimizer] none of the parameters requires gradients");
  steps_.resize(parameters_.size());
  for (const NamedTensor& p : parameters_) {
    check(p.tensor.defined() && p.tensor.dtype() == DType::f32 && p.tensor.is_contiguous(), ErrorCode::invalid_argument,
          "[optimizer] ", p.name, " must be a contiguous f32 leaf");
    weight_decay_.push_back(!decay.applies || decay.applies(p.name, p.tensor) ? decay.value : 0);
  }
}

void Optimizer::step(double lr) {
  check(lr >= 0, ErrorCode::invalid_argument, "[optimizer] the learning rate must not be negative, got ", lr);
  const NoGrad no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& parameter = parameters_[i].tensor;
    if (!parameter.grad()) continue;
    const Tensor grad = contiguous(parameter.grad());
    const auto count = static_cast<std::size_t>(parameter.numel());
    update({.parameter = i,
            .shape = parameter.shape(),
            .weights = {parameter.mutable_data<float>(), count},
            .grad = {grad.data<float>(), count},
            .step = ++steps_[i],
            .lr = lr,
            .weight_decay = weight_decay_[i]});
    parameter.mark_mutated();
  }
}

void Optimizer::zero_grad() {
  for (NamedTensor& p : parameters_) p.tensor.set_grad(Tensor());
}

std::span<float> Optimizer::State::at(std::size_t parameter, std::size_t size) {
  if (values_.size() <= parameter) values_.resize(parameter + 1);
  values_[parameter].resize(size);
  return values_[parameter];
}

double clip_grad_norm(std::span<const NamedTensor> parameters, double max_norm) {
  const NoGrad no_grad;
  double sum = 0;
  for (const NamedTensor& p : parameters) {
    if (!p.tensor.grad()) continue;
    const Tensor grad = contiguous(p.tensor.grad());
    for (const float g : std::span(grad.data<float>(), static_cast<std::size_t>(grad.numel())))
      sum += static_cast<double>(g) * g;
  }
  const double norm = std::sqrt(sum);
  const double scale = max_norm / (norm + 1e-6);
  if (scale < 1) {
    for (const NamedTensor& p : parameters) {
      Tensor parameter = p.tensor;
      if (parameter.grad()) parameter.set_grad(parameter.grad() * scale);
    }
  }
  return norm;
}

}  // namespace trustformers
