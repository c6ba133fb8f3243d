// Matrix products.
#pragma once

#include "../../tensor/op.h"

namespace trustformers {

/// a [..., M, K] x b [..., K, N] -> [..., M, N]; leading dimensions broadcast. Vectors as in torch.matmul. Floating
/// types of one dtype; f16 and bf16 accumulate in f32. A primitive.
Tensor matmul(const Tensor& a, const Tensor& b);

struct LinearAttrs {
  /// Keep activations in f32 when the weight is quantised, instead of rounding them to 8 bits per block of 32.
  bool exact = true;
};
/// x [..., K], weight [N, K] (any dtype; block formats are never expanded), bias [N] or undefined -> [..., N].
/// Decomposes into x · dequantised(weight)ᵀ + bias in x's dtype. With `exact` false and a block weight the CPU kernel
/// rounds activations to int8 (error about 0.4 % of a block's largest value).
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = Tensor(), bool exact = true);

extern const OpDef matmul_op, linear_op;

}  // namespace trustformers
