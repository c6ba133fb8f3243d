#include "index.h"

#include "../elementwise/unary.h"
#include "../infer.h"
#include "../shape/shape_ops.h"

namespace trustformers {
namespace {

/// Index and x must agree in every dimension but `dim`, where index may be smaller elsewhere as torch allows.
void check_index_shape(std::string_view op, const Tensor& x, const Tensor& index, std::int64_t dim) {
  infer::require_index(op, "index", index);
  check(index.rank() == x.rank(), ErrorCode::shape_mismatch, "[", op, "] index must have rank ", x.rank(), ", got ",
        describe(index));
  for (std::size_t d = 0; d < x.rank(); ++d)
    check(static_cast<std::int64_t>(d) == dim || index.shape()[d] <= x.shape()[d], ErrorCode::shape_mismatch, "[", op,
          "] index ", describe(index), " is larger than ", describe(x), " outside dimension ", dim);
}

void infer_gather(const OpCall& call, OutputSpecs& out) {
  check_index_shape("gather", call.in[0], call.in[1], call.as<IndexAttrs>().dim);
  out.push_back({call.in[1].shape(), call.in[0].dtype()});
}

void infer_scatter_add(const OpCall& call, OutputSpecs& out) {
  check_index_shape("scatter_add", call.in[0], call.in[1], call.as<IndexAttrs>().dim);
  infer::require_same_dtype("scatter_add", call.in[0], call.in[2]);
  infer::require_shape("scatter_add", "source", call.in[2], call.in[1].shape());
  out.push_back({call.in[0].shape(), call.in[0].dtype()});
}

void infer_embedding(const OpCall& call, OutputSpecs& out) {
  const Tensor& weight = call.in[0];
  check(weight.rank() == 2, ErrorCode::shape_mismatch, "[embedding] weight must be [V, D], got ", describe(weight));
  infer::require_index("embedding", "ids", call.in[1]);
  Shape shape = call.in[1].shape();
  shape.push_back(weight.size(1));
  out.push_back({shape, is_block(weight.dtype()) ? DType::f32 : weight.dtype()});
}

/// ids [...] as an index for gather/scatter along dimension 0 of [V, D]: [n, D], every column alike.
Tensor row_index(const Tensor& ids, std::int64_t width) {
  const std::int64_t n = ids.numel();
  return expand(reshape(ids, {n, 1}), {n, width});
}

Tensors decompose_embedding(const OpCall& call) {
  const Tensor& weight = call.in[0];
  const Tensor table = is_block(weight.dtype()) ? cast(weight, DType::f32) : weight;
  const std::int64_t width = weight.size(1);
  Shape shape = call.in[1].shape();
  shape.push_back(width);
  return {reshape(gather(table, 0, row_index(call.in[1], width)), shape)};
}

}  // namespace

const OpDef gather_op = {
    .name = "gather", .attrs = attrs_type<IndexAttrs>(), .infer = infer_gather, .vjp = [](const VjpCall& c) {
      const Tensor zero = Tensor::zeros(c.in[0].shape(), c.grads[0].dtype());
      return std::vector{scatter_add(zero, c.as<IndexAttrs>().dim, c.in[1], c.grads[0]), Tensor()};
    }};
const OpDef scatter_add_op = {
    .name = "scatter_add", .attrs = attrs_type<IndexAttrs>(), .infer = infer_scatter_add, .vjp = [](const VjpCall& c) {
      return std::vector{c.grads[0], Tensor(), gather(c.grads[0], c.as<IndexAttrs>().dim, c.in[1])};
    }};
const OpDef embedding_op = {.name = "embedding",
                            .attrs = attrs_type<NoAttrs>(),
                            .infer = infer_embedding,
                            .decompose = decompose_embedding,
                            .vjp = [](const VjpCall& c) {
                              if (!c.needs[0]) return std::vector{Tensor(), Tensor()};
                              const std::int64_t width = c.in[0].size(1);
                              const Tensor rows = reshape(c.grads[0], {c.in[1].numel(), width});
                              const Tensor zero = Tensor::zeros(c.in[0].shape(), rows.dtype());
                              return std::vector{scatter_add(zero, 0, row_index(c.in[1], width), rows), Tensor()};
                            }};

Tensor gather(const Tensor& x, std::int64_t dim, const Tensor& index) {
  return dispatch1(gather_op, IndexAttrs{normalize_dim(dim, x.rank(), "gather")}, {x, index});
}
Tensor scatter_add(const Tensor& base, std::int64_t dim, const Tensor& index, const Tensor& source) {
  return dispatch1(scatter_add_op, IndexAttrs{normalize_dim(dim, base.rank(), "scatter_add")}, {base, index, source});
}
Tensor embedding(const Tensor& weight, const Tensor& ids) { return dispatch1(embedding_op, {weight, ids}); }

}  // namespace trustformers
