#include "matmul.h"

#include "../elementwise/binary.h"
#include "../elementwise/unary.h"
#include "../infer.h"
#include "../reduce/reduce.h"
#include "../shape/shape_ops.h"

namespace trustformers {
namespace {

Shape batch_dims(const Tensor& t) {
  Shape shape = t.shape();
  shape.pop_back();
  shape.pop_back();
  return shape;
}

void infer_matmul(const OpCall& call, OutputSpecs& out) {
  const Tensor& a = call.in[0];
  const Tensor& b = call.in[1];
  infer::require_floating("matmul", "left", a);
  infer::require_same_dtype("matmul", a, b);
  infer::require_rank("matmul", "left", a, 2);
  infer::require_rank("matmul", "right", b, 2);
  check(a.size(-1) == b.size(-2), ErrorCode::shape_mismatch, "[matmul] inner sizes differ: ", describe(a), " x ",
        describe(b));
  Shape shape = broadcast_shapes(batch_dims(a), batch_dims(b), "matmul");
  shape.push_back(a.size(-2));
  shape.push_back(b.size(-1));
  out.push_back({shape, a.dtype()});
}

std::vector<Tensor> matmul_vjp(const VjpCall& c) {
  const Tensor& g = c.grads[0];
  return {c.needs[0] ? sum_to(matmul(g, transpose(c.in[1], -1, -2)), c.in[0].shape()) : Tensor(),
          c.needs[1] ? sum_to(matmul(transpose(c.in[0], -1, -2), g), c.in[1].shape()) : Tensor()};
}

void infer_linear(const OpCall& call, OutputSpecs& out) {
  const Tensor& x = call.in[0];
  const Tensor& weight = call.in[1];
  infer::require_floating("linear", "input", x);
  infer::require_rank("linear", "input", x, 1);
  check(weight.rank() == 2, ErrorCode::shape_mismatch, "[linear] weight must be [N, K], got ", describe(weight));
  check(is_floating(weight.dtype()) || is_block(weight.dtype()), ErrorCode::dtype_mismatch,
        "[linear] weight must be of a floating or block type, got ", describe(weight));
  check(x.size(-1) == weight.size(1), ErrorCode::shape_mismatch, "[linear] input must be [..., K=", weight.size(1),
        "], got ", describe(x));
  if (call.in[2].defined()) infer::require_shape("linear", "bias", call.in[2], {weight.size(0)});
  Shape shape = x.shape();
  shape.back() = weight.size(0);
  out.push_back({shape, x.dtype()});
}

/// x [..., K] as [rows, K].
Tensor as_rows(const Tensor& x) { return reshape(x, {-1, x.size(-1)}); }

Tensors decompose_linear(const OpCall& call) {
  const Tensor& x = call.in[0];
  const Tensor& weight = call.in[1];
  const Tensor w = cast(weight, x.dtype());
  Shape shape = x.shape();
  shape.back() = weight.size(0);
  Tensor y = x.numel() > 0 ? reshape(matmul(as_rows(x), transpose(w, 0, 1)), shape) : Tensor::zeros(shape, x.dtype());
  if (call.in[2].defined()) y = y + cast(call.in[2], x.dtype());
  return {y};
}

std::vector<Tensor> linear_vjp(const VjpCall& c) {
  const Tensor& x = c.in[0];
  const Tensor& weight = c.in[1];
  const Tensor& bias = c.in[2];
  const Tensor g = as_rows(c.grads[0]);
  std::vector<Tensor> grads(3);
  if (c.needs[0]) grads[0] = reshape(matmul(g, cast(weight, g.dtype())), x.shape());
  if (c.needs[1]) grads[1] = cast(matmul(transpose(g, 0, 1), as_rows(x)), weight.dtype());
  if (c.needs[2]) grads[2] = cast(sum(g, {0}), bias.dtype());
  return grads;
}

}  // namespace

const OpDef matmul_op = {.name = "matmul", .attrs = attrs_type<NoAttrs>(), .infer = infer_matmul, .vjp = matmul_vjp};
const OpDef linear_op = {.name = "linear",
                         .attrs = attrs_type<LinearAttrs>(),
                         .infer = infer_linear,
                         .decompose = decompose_linear,
                         .vjp = linear_vjp};

Tensor matmul(const Tensor& a, const Tensor& b) {
  infer::require_rank("matmul", "left", a, 1);
  infer::require_rank("matmul", "right", b, 1);
  if (a.rank() == 1 && b.rank() == 1) return sum(a * b);
  if (a.rank() == 1) return squeeze(matmul(unsqueeze(a, 0), b), -2);
  if (b.rank() == 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
  return dispatch1(matmul_op, {a, b});
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, bool exact) {
  return dispatch1(linear_op, LinearAttrs{exact}, {x, weight, bias});
}

}  // namespace trustformers
