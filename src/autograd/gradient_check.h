// Checking gradients by central differences.
#pragma once

#include <functional>
#include <span>

#include "../tensor/tensor.h"

namespace trustformers {

/// The largest difference between the gradients of sum(f(inputs) · fixed random weights) and central differences with
/// step `step`, relative to the largest gradient of that input (at least 1). Inputs that require a gradient must be
/// f64; the others are passed through.
double gradient_error(const std::function<Tensor(std::span<const Tensor>)>& f, std::span<const Tensor> inputs,
                      double step = 1e-5);

}  // namespace trustformers
