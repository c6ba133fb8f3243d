// Elementwise functions of two or three tensors, broadcasting as NumPy does. All are primitives.
#pragma once

#include "../../tensor/op.h"

namespace trustformers {

// Number types; different dtypes are promoted as PyTorch does.
Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);      // integers give f32, as in PyTorch
Tensor maximum(const Tensor& a, const Tensor& b);  // NaN if either is; a tie gives each half of the gradient
Tensor minimum(const Tensor& a, const Tensor& b);

// With a scalar, in the tensor's own dtype.
Tensor add(const Tensor& a, double b);
Tensor mul(const Tensor& a, double b);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& a, double b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, double b) { return add(a, -b); }
inline Tensor operator*(const Tensor& a, double b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, double b) { return mul(a, 1 / b); }
Tensor operator-(const Tensor& a);

// -> bool; no gradient flows.
Tensor equal(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, const Tensor& b);
Tensor greater_equal(const Tensor& a, const Tensor& b);
Tensor equal(const Tensor& a, double b);
Tensor less(const Tensor& a, double b);
Tensor greater(const Tensor& a, double b);
// bool, bool -> bool
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);

/// condition ? a : b, with a bool condition; all three broadcast.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

extern const OpDef add_op, sub_op, mul_op, div_op, maximum_op, minimum_op, equal_op, less_op, less_equal_op,
    logical_and_op, logical_or_op, where_op;

}  // namespace trustformers
