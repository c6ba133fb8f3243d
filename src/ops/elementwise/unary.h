// Elementwise functions of one tensor. Shapes [...] -> [...]; all are primitives.
#pragma once

#include "../../tensor/op.h"

namespace trustformers {

// Any number type, same dtype out.
Tensor neg(const Tensor& x);
Tensor abs(const Tensor& x);
Tensor sign(const Tensor& x);  // 0 at 0; NaN stays NaN; no gradient flows
Tensor relu(const Tensor& x);  // NaN stays NaN, in the gradient as well

// Floating types, same dtype out; computed in f32 for f16 and bf16.
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor rsqrt(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor erf(const Tensor& x);
Tensor floor(const Tensor& x);  // no gradient flows

/// x * scale + shift, for number types; what arithmetic with a scalar becomes.
struct AffineAttrs {
  double scale = 1;
  double shift = 0;
};
Tensor affine(const Tensor& x, double scale, double shift);

/// x ^ exponent for floating types.
struct PowAttrs {
  double exponent = 1;
};
Tensor pow(const Tensor& x, double exponent);

/// bool -> bool
Tensor logical_not(const Tensor& x);

/// To another plain dtype; block formats are dequantised (to f32, f16 or bf16).
struct CastAttrs {
  DType dtype = DType::f32;
};
Tensor cast(const Tensor& x, DType dtype);

extern const OpDef neg_op, abs_op, sign_op, relu_op, exp_op, log_op, sqrt_op, rsqrt_op, sin_op, cos_op, tanh_op,
    sigmoid_op, erf_op, floor_op, affine_op, pow_op, logical_not_op, cast_op;

}  // namespace trustformers
