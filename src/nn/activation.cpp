#include "activation.h"

#include <numbers>

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"

namespace trustformers {
namespace {

Tensor clamp(const Tensor& x, double low, double high) {
  return minimum(maximum(x, Tensor::full({}, low, x.dtype())), Tensor::full({}, high, x.dtype()));
}

}  // namespace

ActivationFunction ActivationFunction::parse(std::string_view name, std::string_view where) {
  static constexpr std::pair<std::string_view, Kind> names[] = {{"gelu", Kind::gelu},
                                                                {"gelu_python", Kind::gelu},
                                                                {"gelu_10", Kind::gelu_clipped},
                                                                {"gelu_new", Kind::gelu_tanh},
                                                                {"gelu_fast", Kind::gelu_tanh},
                                                                {"gelu_pytorch_tanh", Kind::gelu_tanh},
                                                                {"gelu_python_tanh", Kind::gelu_tanh},
                                                                {"gelu_accurate", Kind::gelu_tanh},
                                                                {"quick_gelu", Kind::gelu_quick},
                                                                {"hardswish", Kind::hardswish},
                                                                {"laplace", Kind::laplace},
                                                                {"leaky_relu", Kind::leaky_relu},
                                                                {"linear", Kind::linear},
                                                                {"mish", Kind::mish},
                                                                {"relu", Kind::relu},
                                                                {"relu2", Kind::relu_squared},
                                                                {"relu6", Kind::relu6},
                                                                {"sigmoid", Kind::sigmoid},
                                                                {"silu", Kind::silu},
                                                                {"swish", Kind::silu},
                                                                {"softplus", Kind::softplus},
                                                                {"sqrtsoftplus", Kind::softplus_root},
                                                                {"tanh", Kind::tanh}};
  for (const auto& [known, kind] : names)
    if (known == name) {
      ActivationFunction out;
      out.kind_ = kind;
      return out;
    }
  fail(ErrorCode::unsupported, "[config] ", where, ": no activation function is called \"", name, "\"");
}

Tensor ActivationFunction::operator()(const Tensor& x) const {
  switch (kind_) {
    case Kind::gelu: return gelu(x, GeluKind::exact);
    case Kind::gelu_clipped: return clamp(gelu(x, GeluKind::exact), -10, 10);
    case Kind::gelu_tanh: return gelu(x, GeluKind::tanh);
    case Kind::gelu_quick: return gelu(x, GeluKind::quick);
    case Kind::hardswish: return x * clamp(x + 3, 0, 6) / 6;
    case Kind::laplace: {
      constexpr double mean = 0.707107, deviation = 0.282095;  // as transformers rounds sqrt(1/2) and sqrt(1/(4 pi))
      return (erf((x - mean) / (deviation * std::numbers::sqrt2)) + 1) * 0.5;
    }
    case Kind::leaky_relu: return relu(x) - relu(-x) * 0.01;
    case Kind::linear: break;
    case Kind::mish: return x * tanh(softplus(x));
    case Kind::relu: return relu(x);
    case Kind::relu_squared: {
      const Tensor positive = relu(x);
      return positive * positive;
    }
    case Kind::relu6: return clamp(x, 0, 6);
    case Kind::sigmoid: return sigmoid(x);
    case Kind::silu: return silu(x);
    case Kind::softplus: return softplus(x);
    case Kind::softplus_root: return sqrt(softplus(x));
    case Kind::tanh: return tanh(x);
  }
  return x;
}

Tensor ActivationFunction::gated(const Tensor& gate, const Tensor& up) const {
  switch (kind_) {
    case Kind::silu: return swiglu(gate, up);
    case Kind::gelu: return geglu(gate, up, GeluKind::exact);
    case Kind::gelu_tanh: return geglu(gate, up, GeluKind::tanh);
    default: return (*this)(gate)*up;
  }
}

}  // namespace trustformers
