// Picking and scattering elements by index. Indices are i64 or i32; one outside its dimension is an out_of_range error.
#pragma once

#include "../../tensor/op.h"

namespace trustformers {

struct IndexAttrs {
  std::int64_t dim = 0;
};
/// torch.gather: out[i][j] = x[index[i][j]][j] for dim 0; index has x's rank, out has index's shape.
Tensor gather(const Tensor& x, std::int64_t dim, const Tensor& index);
/// torch.scatter_add, without changing `base`: out = base; out[index[i][j]][j] += source[i][j] for dim 0.
Tensor scatter_add(const Tensor& base, std::int64_t dim, const Tensor& index, const Tensor& source);

/// Rows of a table: weight [V, D] (any dtype, block formats included), ids [...] -> [..., D]; f32 for block formats,
/// else the table's dtype.
Tensor embedding(const Tensor& weight, const Tensor& ids);

extern const OpDef gather_op, scatter_add_op, embedding_op;

}  // namespace trustformers
