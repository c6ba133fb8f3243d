#include "reduce.h"

#include "../elementwise/binary.h"
#include "../elementwise/unary.h"
#include "../infer.h"
#include "../shape/shape_ops.h"

namespace trustformers {
namespace {

/// All dimensions, made non-negative and sorted out: reduced[d] is true where d is summed away.
std::array<bool, max_rank> reduced_dims(const Dims& dims, std::size_t rank, std::string_view op) {
  std::array<bool, max_rank> reduced{};
  for (std::size_t d = 0; d < rank; ++d) reduced[d] = dims.empty();
  for (const std::int64_t dim : dims) {
    const auto d = static_cast<std::size_t>(normalize_dim(dim, rank, op));
    check(rank == 0 || !reduced[d], ErrorCode::invalid_argument, "[", op, "] dimension ", dim, " is named twice");
    reduced[d] = true;
  }
  return reduced;
}

Shape reduced_shape(const Tensor& x, const ReduceAttrs& attrs, std::string_view op) {
  const auto reduced = reduced_dims(attrs.dims, x.rank(), op);
  Shape shape;
  for (std::size_t d = 0; d < x.rank(); ++d) {
    if (!reduced[d])
      shape.push_back(x.shape()[d]);
    else if (attrs.keepdim)
      shape.push_back(1);
  }
  return shape;
}

/// `t`, the result of reducing x, with the reduced dimensions put back as size 1.
Tensor restore_dims(const Tensor& t, const Tensor& x, const ReduceAttrs& attrs) {
  if (attrs.keepdim) return t;
  return reshape(t, reduced_shape(x, {attrs.dims, true}, "reduce"));
}

void infer_sum(const OpCall& call, OutputSpecs& out) {
  const Tensor& x = call.in[0];
  check(!is_block(x.dtype()) && x.dtype() != DType::boolean, ErrorCode::dtype_mismatch,
        "[sum] needs a number type, got ", describe(x));
  out.push_back({reduced_shape(x, call.as<ReduceAttrs>(), "sum"), x.dtype()});
}

void infer_extremum(const OpCall& call, OutputSpecs& out) {
  const Tensor& x = call.in[0];
  check(!is_block(x.dtype()) && x.dtype() != DType::boolean, ErrorCode::dtype_mismatch, "[", call.name,
        "] needs a number type, got ", describe(x));
  const Shape shape = reduced_shape(x, call.as<ReduceAttrs>(), call.name);
  check(x.numel() > 0 || element_count(shape) == 0, ErrorCode::invalid_argument, "[", call.name,
        "] of no elements: ", describe(x));
  out.push_back({shape, x.dtype()});
}

std::vector<Tensor> reduced_extremum_vjp(const VjpCall& c) {
  const auto& attrs = c.as<ReduceAttrs>();
  const Tensor& x = c.in[0];
  const Tensor winners = cast(equal(x, restore_dims(c.out[0], x, attrs)), x.dtype());
  const Tensor share = winners / sum(winners, attrs.dims, true);
  return {share * restore_dims(c.grads[0], x, attrs)};
}

}  // namespace

const OpDef sum_op = {
    .name = "sum", .attrs = attrs_type<ReduceAttrs>(), .infer = infer_sum, .vjp = [](const VjpCall& c) {
      return std::vector{expand(restore_dims(c.grads[0], c.in[0], c.as<ReduceAttrs>()), c.in[0].shape())};
    }};
const OpDef max_op = {
    .name = "max", .attrs = attrs_type<ReduceAttrs>(), .infer = infer_extremum, .vjp = reduced_extremum_vjp};
const OpDef min_op = {
    .name = "min", .attrs = attrs_type<ReduceAttrs>(), .infer = infer_extremum, .vjp = reduced_extremum_vjp};
const OpDef argmax_op = {.name = "argmax",
                         .attrs = attrs_type<ArgAttrs>(),
                         .infer =
                             [](const OpCall& call, OutputSpecs& out) {
                               const auto& attrs = call.as<ArgAttrs>();
                               const Tensor& x = call.in[0];
                               infer::require_rank("argmax", "input", x, 1);
                               check(x.size(attrs.dim) > 0, ErrorCode::invalid_argument,
                                     "[argmax] of no elements: ", describe(x));
                               out.push_back({reduced_shape(x, {{attrs.dim}, attrs.keepdim}, "argmax"), DType::i64});
                             },
                         .vjp = [](const VjpCall&) { return std::vector{Tensor()}; }};
const OpDef cumsum_op = {.name = "cumsum",
                         .attrs = attrs_type<CumsumAttrs>(),
                         .infer =
                             [](const OpCall& call, OutputSpecs& out) {
                               const Tensor& x = call.in[0];
                               infer::require_rank("cumsum", "input", x, 1);
                               normalize_dim(call.as<CumsumAttrs>().dim, x.rank(), "cumsum");
                               check(!is_block(x.dtype()) && x.dtype() != DType::boolean, ErrorCode::dtype_mismatch,
                                     "[cumsum] needs a number type, got ", describe(x));
                               out.push_back({x.shape(), x.dtype()});
                             },
                         .vjp =
                             [](const VjpCall& c) {
                               // dx_i = sum of g_j for j >= i
                               const std::int64_t dim = c.as<CumsumAttrs>().dim;
                               const Tensor& g = c.grads[0];
                               return std::vector{sum(g, {dim}, true) - cumsum(g, dim) + g};
                             }};

Tensor sum(const Tensor& x, const Dims& dims, bool keepdim) {
  return dispatch1(sum_op, ReduceAttrs{dims, keepdim}, {x.dtype() == DType::boolean ? cast(x, DType::i64) : x});
}
Tensor max(const Tensor& x, const Dims& dims, bool keepdim) {
  return dispatch1(max_op, ReduceAttrs{dims, keepdim}, {x});
}
Tensor min(const Tensor& x, const Dims& dims, bool keepdim) {
  return dispatch1(min_op, ReduceAttrs{dims, keepdim}, {x});
}

Tensor mean(const Tensor& x, const Dims& dims, bool keepdim) {
  infer::require_floating("mean", "input", x);
  const Tensor total = sum(x, dims, keepdim);
  return total * (static_cast<double>(total.numel()) / static_cast<double>(x.numel()));
}

Tensor var(const Tensor& x, const Dims& dims, bool keepdim, std::int64_t correction) {
  infer::require_floating("var", "input", x);
  const Tensor centred = x - mean(x, dims, true);
  const Tensor total = sum(centred * centred, dims, keepdim);
  const std::int64_t count = total.numel() ? x.numel() / total.numel() : 0;
  return total * (1.0 / static_cast<double>(count - correction));
}

Tensor argmax(const Tensor& x, std::int64_t dim, bool keepdim) {
  return dispatch1(argmax_op, ArgAttrs{dim, keepdim}, {x});
}
Tensor cumsum(const Tensor& x, std::int64_t dim) {
  return dispatch1(cumsum_op, CumsumAttrs{dim}, {x.dtype() == DType::boolean ? cast(x, DType::i64) : x});
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  const std::size_t extra = x.rank() - shape.size();
  Dims dims;
  for (std::size_t d = 0; d < x.rank(); ++d)
    if (d < extra || (shape[d - extra] == 1 && x.shape()[d] != 1)) dims.push_back(static_cast<std::int64_t>(d));
  return reshape(dims.empty() ? x : sum(x, dims, true), shape);
}

}  // namespace trustformers
