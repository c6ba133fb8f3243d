// Activation functions by the names that configs use.
#pragma once

#include <string_view>

#include "../ops/activation/activation.h"

namespace trustformers {

/// One of the functions of transformers' ACT2FN.
class ActivationFunction {
 public:
  /// "gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_python", "quick_gelu", "relu", "silu", "swish",
  /// "tanh", "sigmoid" or "linear". Throws unsupported naming `where`.
  static ActivationFunction parse(std::string_view name, std::string_view where);
  Tensor operator()(const Tensor& x) const;
  /// f(gate) · up, fused where there is an op for it.
  Tensor gated(const Tensor& gate, const Tensor& up) const;

 private:
  enum class Kind { gelu, gelu_tanh, gelu_quick, relu, silu, tanh, sigmoid, linear };
  Kind kind_ = Kind::gelu;
};

}  // namespace trustformers
