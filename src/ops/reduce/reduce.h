// Reductions over dimensions (negative ones count from the end). An empty list of dimensions means all of them.
#pragma once

#include "../../tensor/op.h"

namespace trustformers {

using Dims = InlineVector<std::int64_t, max_rank>;

struct ReduceAttrs {
  Dims dims;
  bool keepdim = false;
};
/// Number types; f16 and bf16 accumulate in f32, bool counts as i64. The sum of nothing is 0.
Tensor sum(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Number types; NaN if any element is. Throws on a reduction over no elements. Ties share the gradient equally.
Tensor max(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
Tensor min(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Floating types; sum / count.
Tensor mean(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Floating types; the mean squared distance to the mean, over count - correction.
Tensor var(const Tensor& x, const Dims& dims = {}, bool keepdim = false, std::int64_t correction = 1);

struct ArgAttrs {
  std::int64_t dim = -1;
  bool keepdim = false;
};
/// The index (i64) of the first largest element along `dim`; the first NaN counts as largest.
Tensor argmax(const Tensor& x, std::int64_t dim = -1, bool keepdim = false);

struct CumsumAttrs {
  std::int64_t dim = -1;
};
/// Running sums along `dim`; number types (bool counts as i64).
Tensor cumsum(const Tensor& x, std::int64_t dim);

/// Sums away the dimensions in which `shape` is broadcast to x's shape: the inverse of expand for gradients.
Tensor sum_to(const Tensor& x, const Shape& shape);

extern const OpDef sum_op, max_op, min_op, argmax_op, cumsum_op;

}  // namespace trustformers
