// The checks and shape rules that many ops share.
#pragma once

#include "../tensor/op.h"

namespace trustformers::infer {

/// Throws dtype_mismatch unless `t` is f32, f16, bf16 or f64.
void require_floating(std::string_view op, std::string_view input, const Tensor& t);
/// Throws shape_mismatch unless `t` has at least `rank` dimensions.
void require_rank(std::string_view op, std::string_view input, const Tensor& t, std::size_t rank);
/// Throws shape_mismatch `[op] input must be [expected], got [...]`.
void require_shape(std::string_view op, std::string_view input, const Tensor& t, const Shape& expected);
/// Throws dtype_mismatch unless both have the same dtype.
void require_same_dtype(std::string_view op, const Tensor& a, const Tensor& b);
/// Throws dtype_mismatch unless `t` is i64 or i32.
void require_index(std::string_view op, std::string_view input, const Tensor& t);

}  // namespace trustformers::infer
