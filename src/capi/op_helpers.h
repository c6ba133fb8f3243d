// What PyTorch's rules for scalars and integers need beside the ops themselves.
#pragma once

#include <utility>

#include "../ops/reduce/reduce.h"
#include "op_table.h"

namespace trustformers::capi {

/// x itself when it is floating, else in f32: PyTorch's rule for exp(integer) and the like.
Tensor floating(const Tensor& x);
/// The two operands of an op of two tensors, or of a tensor and "scalar" (first when "reverse"). A number keeps the
/// tensor's dtype unless it has a fraction and the tensor holds integers; then both are f32.
std::pair<Tensor, Tensor> operands(const OpArguments& a);
Tensor scalar_like(const Tensor& x, double value);

Tensor power(const OpArguments& a);
Tensor remainder(const Tensor& a, const Tensor& b);
Tensor round_half_even(const Tensor& x);
Tensor all_or_any(const OpArguments& a, bool all);
Tensor logsumexp(const Tensor& x, const Dims& dims, bool keepdim);
Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& index);
Tensor flip(const Tensor& x, std::int64_t dim);
Tensor repeat(const Tensor& x, const Shape& repeats);
/// Keeps the elements on and below (`lower`) or on and above the diagonal; the others become 0.
Tensor triangle(const Tensor& x, std::int64_t diagonal, bool lower);
Tensor squeeze_all(const Tensor& x);
Tensor expand_to(const Tensor& x, Shape shape);

}  // namespace trustformers::capi
