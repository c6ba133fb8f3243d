#include "activation.h"

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"

namespace trustformers {

ActivationFunction ActivationFunction::parse(std::string_view name, std::string_view where) {
  static constexpr std::pair<std::string_view, Kind> names[] = {{"gelu", Kind::gelu},
                                                                {"gelu_python", Kind::gelu},
                                                                {"gelu_new", Kind::gelu_tanh},
                                                                {"gelu_fast", Kind::gelu_tanh},
                                                                {"gelu_pytorch_tanh", Kind::gelu_tanh},
                                                                {"gelu_accurate", Kind::gelu_tanh},
                                                                {"quick_gelu", Kind::gelu_quick},
                                                                {"relu", Kind::relu},
                                                                {"silu", Kind::silu},
                                                                {"swish", Kind::silu},
                                                                {"tanh", Kind::tanh},
                                                                {"sigmoid", Kind::sigmoid},
                                                                {"linear", Kind::linear}};
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
    case Kind::gelu_tanh: return gelu(x, GeluKind::tanh);
    case Kind::gelu_quick: return gelu(x, GeluKind::quick);
    case Kind::relu: return relu(x);
    case Kind::silu: return silu(x);
    case Kind::tanh: return tanh(x);
    case Kind::sigmoid: return sigmoid(x);
    case Kind::linear: break;
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
