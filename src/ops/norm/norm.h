// Normalisations. Fused ops whose decompositions compute in f32 for f16 and bf16 inputs.
#pragma once

#include "../../tensor/op.h"

namespace trustformers {

struct NormAttrs {
  double eps = 1e-5;
};
/// x / sqrt(mean(x², last) + eps) · weight: x [..., D], weight [D] or undefined (Zhang & Sennrich 2019).
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);
/// (x - mean) / sqrt(var + eps) · weight + bias over the last dimension: x [..., D], weight, bias [D] or undefined
/// (Ba et al. 2016); the variance is the population's.
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);

struct SoftmaxAttrs {
  std::int64_t dim = -1;
};
/// exp(x - max) / sum along `dim`. A row of only -inf gives NaN, as in PyTorch.
Tensor softmax(const Tensor& x, std::int64_t dim = -1);
/// x - max - log(sum(exp(x - max))) along `dim`.
Tensor log_softmax(const Tensor& x, std::int64_t dim = -1);

extern const OpDef rms_norm_op, layer_norm_op, softmax_op, log_softmax_op;

}  // namespace trustformers
