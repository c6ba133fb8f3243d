// Activation functions. Shapes [...] -> [...]; f16 and bf16 compute in f32.
#pragma once

#include "../../tensor/op.h"

namespace trustformers {

/// How gelu is computed: x·Φ(x) exactly, its tanh approximation (Hendrycks & Gimpel 2016; "gelu_new",
/// "gelu_pytorch_tanh"), or x·sigmoid(1.702 x) ("quick_gelu").
enum class GeluKind { exact, tanh, quick };
struct GeluAttrs {
  GeluKind kind = GeluKind::exact;
};
Tensor gelu(const Tensor& x, GeluKind kind = GeluKind::exact);

/// x · sigmoid(x), also called swish.
Tensor silu(const Tensor& x);

/// log(1 + exp(x)), exact in both tails.
Tensor softplus(const Tensor& x);

/// silu(gate) · up and gelu(gate) · up (Shazeer 2020); both inputs of one shape.
Tensor swiglu(const Tensor& gate, const Tensor& up);
Tensor geglu(const Tensor& gate, const Tensor& up, GeluKind kind = GeluKind::exact);

extern const OpDef gelu_op, silu_op, softplus_op, swiglu_op, geglu_op;

}  // namespace trustformers
