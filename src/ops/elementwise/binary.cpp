#include "binary.h"

#include "../infer.h"
#include "../reduce/reduce.h"
#include "unary.h"

namespace trustformers {
namespace {

Shape broadcast_inputs(const OpCall& call) {
  return broadcast_shapes(call.in[0].shape(), call.in[1].shape(), call.name);
}

void infer_arithmetic(const OpCall& call, OutputSpecs& out) {
  infer::require_same_dtype(call.name, call.in[0], call.in[1]);
  check(!is_block(call.in[0].dtype()) && call.in[0].dtype() != DType::boolean, ErrorCode::dtype_mismatch, "[",
        call.name, "] needs a number type, got ", describe(call.in[0]));
  out.push_back({broadcast_inputs(call), call.in[0].dtype()});
}

void infer_comparison(const OpCall& call, OutputSpecs& out) {
  infer::require_same_dtype(call.name, call.in[0], call.in[1]);
  out.push_back({broadcast_inputs(call), DType::boolean});
}

void infer_logical(const OpCall& call, OutputSpecs& out) {
  for (const Tensor& input : call.in)
    check(input.dtype() == DType::boolean, ErrorCode::dtype_mismatch, "[", call.name, "] needs bool, got ",
          describe(input));
  out.push_back({broadcast_inputs(call), DType::boolean});
}

void infer_where(const OpCall& call, OutputSpecs& out) {
  check(call.in[0].dtype() == DType::boolean, ErrorCode::dtype_mismatch, "[where] condition must be bool, got ",
        describe(call.in[0]));
  infer::require_same_dtype("where", call.in[1], call.in[2]);
  const Shape values = broadcast_shapes(call.in[1].shape(), call.in[2].shape(), "where");
  out.push_back({broadcast_shapes(call.in[0].shape(), values, "where"), call.in[1].dtype()});
}

/// The gradient of input `i`, summed over the dimensions that broadcasting added. `make` runs only when it is needed.
template <class Make>
Tensor for_input(const VjpCall& c, std::size_t i, Make&& make) {
  return c.needs[i] ? sum_to(make(), c.in[i].shape()) : Tensor();
}

std::vector<Tensor> extremum_vjp(const VjpCall& c) {
  const Tensor tie = cast(equal(c.in[0], c.in[1]), c.in[0].dtype()) * 0.5;
  const auto share = [&](std::size_t i) {
    const Tensor wins = cast(logical_not(equal(c.in[1 - i], c.out[0])), c.in[0].dtype());
    return for_input(c, i, [&] { return c.grads[0] * (wins + tie); });
  };
  return {share(0), share(1)};
}

std::vector<Tensor> no_gradient(const VjpCall& c) { return std::vector<Tensor>(c.in.size()); }

constexpr OpDef binary(std::string_view name, void (*infer)(const OpCall&, OutputSpecs&),
                       std::vector<Tensor> (*vjp)(const VjpCall&)) {
  return {.name = name, .attrs = attrs_type<NoAttrs>(), .infer = infer, .vjp = vjp};
}

struct Promoted {
  Tensor a, b;
};
Promoted promoted(const Tensor& a, const Tensor& b) {
  const DType dtype = promote(a.dtype(), b.dtype());
  return {cast(a, dtype), cast(b, dtype)};
}
Tensor run(const OpDef& op, const Tensor& a, const Tensor& b) {
  if (a.dtype() == b.dtype()) return dispatch1(op, {a, b});
  const Promoted p = promoted(a, b);
  return dispatch1(op, {p.a, p.b});
}

}  // namespace

const OpDef add_op = binary("add", infer_arithmetic, [](const VjpCall& c) {
  return std::vector{for_input(c, 0, [&] { return c.grads[0]; }), for_input(c, 1, [&] { return c.grads[0]; })};
});
const OpDef sub_op = binary("sub", infer_arithmetic, [](const VjpCall& c) {
  return std::vector{for_input(c, 0, [&] { return c.grads[0]; }), for_input(c, 1, [&] { return neg(c.grads[0]); })};
});
const OpDef mul_op = binary("mul", infer_arithmetic, [](const VjpCall& c) {
  return std::vector{for_input(c, 0, [&] { return c.grads[0] * c.in[1]; }),
                     for_input(c, 1, [&] { return c.grads[0] * c.in[0]; })};
});
const OpDef div_op = binary("div", infer_arithmetic, [](const VjpCall& c) {
  return std::vector{for_input(c, 0, [&] { return c.grads[0] / c.in[1]; }),
                     for_input(c, 1, [&] { return neg(c.grads[0] * c.out[0] / c.in[1]); })};
});
const OpDef maximum_op = binary("maximum", infer_arithmetic, extremum_vjp);
const OpDef minimum_op = binary("minimum", infer_arithmetic, extremum_vjp);
const OpDef equal_op = binary("equal", infer_comparison, no_gradient);
const OpDef less_op = binary("less", infer_comparison, no_gradient);
const OpDef less_equal_op = binary("less_equal", infer_comparison, no_gradient);
const OpDef logical_and_op = binary("logical_and", infer_logical, no_gradient);
const OpDef logical_or_op = binary("logical_or", infer_logical, no_gradient);
const OpDef where_op = binary("where", infer_where, [](const VjpCall& c) {
  const Tensor zero = Tensor::zeros({}, c.grads[0].dtype());
  return std::vector{Tensor(), for_input(c, 1, [&] { return where(c.in[0], c.grads[0], zero); }),
                     for_input(c, 2, [&] { return where(c.in[0], zero, c.grads[0]); })};
});

Tensor add(const Tensor& a, const Tensor& b) { return run(add_op, a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return run(sub_op, a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return run(mul_op, a, b); }
Tensor div(const Tensor& a, const Tensor& b) {
  const DType dtype = promote(a.dtype(), b.dtype());
  const DType to = is_floating(dtype) ? dtype : DType::f32;
  return dispatch1(div_op, {cast(a, to), cast(b, to)});
}
Tensor maximum(const Tensor& a, const Tensor& b) { return run(maximum_op, a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return run(minimum_op, a, b); }
Tensor add(const Tensor& a, double b) { return affine(a, 1, b); }
// Adding -0 changes nothing; adding 0 would lose the sign of -0.
Tensor mul(const Tensor& a, double b) { return affine(a, b, -0.0); }
Tensor operator-(const Tensor& a) { return neg(a); }
Tensor equal(const Tensor& a, const Tensor& b) { return run(equal_op, a, b); }
Tensor less(const Tensor& a, const Tensor& b) { return run(less_op, a, b); }
Tensor less_equal(const Tensor& a, const Tensor& b) { return run(less_equal_op, a, b); }
Tensor greater(const Tensor& a, const Tensor& b) { return less(b, a); }
Tensor greater_equal(const Tensor& a, const Tensor& b) { return less_equal(b, a); }
Tensor equal(const Tensor& a, double b) { return equal(a, Tensor::full({}, b, a.dtype())); }
Tensor less(const Tensor& a, double b) { return less(a, Tensor::full({}, b, a.dtype())); }
Tensor greater(const Tensor& a, double b) { return less(Tensor::full({}, b, a.dtype()), a); }
Tensor logical_and(const Tensor& a, const Tensor& b) { return dispatch1(logical_and_op, {a, b}); }
Tensor logical_or(const Tensor& a, const Tensor& b) { return dispatch1(logical_or_op, {a, b}); }
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  if (a.dtype() == b.dtype()) return dispatch1(where_op, {condition, a, b});
  const Promoted p = promoted(a, b);
  return dispatch1(where_op, {condition, p.a, p.b});
}

}  // namespace trustformers
