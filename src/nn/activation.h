// Activation functions by the names that configs use.
#pragma once

#include <string_view>

#include "../ops/activation/activation.h"

namespace trustformers {

/// One of the functions of transformers' ACT2FN.
class ActivationFunction {
 public:
  /// "gelu", "gelu_10", "gelu_accurate", "gelu_fast", "gelu_new", "gelu_python", "gelu_python_tanh",
  /// "gelu_pytorch_tanh", "hardswish", "laplace", "leaky_relu", "linear", "mish", "quick_gelu", "relu", "relu2",
  /// "relu6", "sigmoid", "silu", "softplus", "sqrtsoftplus", "swish" or "tanh". Throws unsupported naming `where`.
  static ActivationFunction parse(std::string_view name, std::string_view where);
  Tensor operator()(const Tensor& x) const;
  /// f(gate) · up, fused where there is an op for it.
  Tensor gated(const Tensor& gate, const Tensor& up) const;

 private:
  enum class Kind {
    gelu,
    gelu_clipped,
    gelu_tanh,
    gelu_quick,
    hardswish,
    laplace,
    leaky_relu,
    linear,
    mish,
    relu,
    relu_squared,
    relu6,
    sigmoid,
    silu,
    softplus,
    softplus_root,
    tanh
  };
  Kind kind_ = Kind::gelu;
};

}  // namespace trustformers
