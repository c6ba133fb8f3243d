// Ops that move elements without changing them. Those marked "view" share the input's storage.
#pragma once

#include "../../tensor/op.h"

namespace trustformers {

struct ReshapeAttrs {
  Shape shape;  // without -1
};
/// View when the strides allow it, else of a copy. One size may be -1.
Tensor reshape(const Tensor& x, const Shape& shape);

struct PermuteAttrs {
  InlineVector<std::int64_t, max_rank> dims;
};
/// View: dimension i of the result is dimension dims[i] of x.
Tensor permute(const Tensor& x, const InlineVector<std::int64_t, max_rank>& dims);
/// View: two dimensions exchanged.
Tensor transpose(const Tensor& x, std::int64_t a, std::int64_t b);

struct ExpandAttrs {
  Shape shape;
};
/// View: broadcasts to `shape`.
Tensor expand(const Tensor& x, const Shape& shape);

struct SliceAttrs {
  std::int64_t dim = 0;
  std::int64_t start = 0;
  std::int64_t length = 0;  // elements in the result
  std::int64_t step = 1;
};
/// View: elements start, start + step, ... below end along `dim`. Negative start and end count from the end; both are
/// clamped as in Python. step >= 1.
Tensor slice(const Tensor& x, std::int64_t dim, std::int64_t start, std::int64_t end = INT64_MAX,
             std::int64_t step = 1);
/// View: one index along `dim`, which disappears.
Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index);
/// Views of `parts` equal pieces along `dim`.
std::vector<Tensor> chunk(const Tensor& x, std::int64_t parts, std::int64_t dim);

/// A copy of `base` in which the slice described as in slice() is replaced by `source`.
Tensor slice_scatter(const Tensor& base, const Tensor& source, std::int64_t dim, std::int64_t start,
                     std::int64_t step = 1);

struct ConcatAttrs {
  std::int64_t dim = 0;
};
/// Joins tensors of one dtype that agree in all other dimensions.
Tensor concat(std::span<const Tensor> parts, std::int64_t dim);
Tensor stack(std::span<const Tensor> parts, std::int64_t dim);

Tensor unsqueeze(const Tensor& x, std::int64_t dim);  // view
Tensor squeeze(const Tensor& x, std::int64_t dim);    // view; the size must be 1
/// Zeros around a dimension: `before` and `after` elements.
Tensor pad(const Tensor& x, std::int64_t dim, std::int64_t before, std::int64_t after);

/// A row-major copy (or x itself when it is row-major).
Tensor contiguous(const Tensor& x);

extern const OpDef reshape_op, permute_op, expand_op, slice_op, slice_scatter_op, concat_op, contiguous_op;

}  // namespace trustformers
