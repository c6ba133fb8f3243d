#include "unary.h"

#include <numbers>

#include "../infer.h"
#include "binary.h"

namespace trustformers {
namespace {

void infer_number(const OpCall& call, OutputSpecs& out) {
  const Tensor& x = call.in[0];
  check(!is_block(x.dtype()) && x.dtype() != DType::boolean, ErrorCode::dtype_mismatch, "[", call.name,
        "] needs a number type, got ", describe(x));
  out.push_back({x.shape(), x.dtype()});
}

void infer_floating(const OpCall& call, OutputSpecs& out) {
  infer::require_floating(call.name, "input", call.in[0]);
  out.push_back({call.in[0].shape(), call.in[0].dtype()});
}

/// Steps have slope zero.
std::vector<Tensor> flat_vjp(const VjpCall&) { return {Tensor()}; }

using Vjp = std::vector<Tensor> (*)(const VjpCall&);

constexpr OpDef unary(std::string_view name, void (*infer)(const OpCall&, OutputSpecs&), Vjp vjp,
                      AttrsType attrs = attrs_type<NoAttrs>()) {
  return {.name = name, .attrs = attrs, .infer = infer, .vjp = vjp};
}

}  // namespace

// d/dx written with x (the input), y (the output) and g (the gradient of the output).
const OpDef neg_op = unary("neg", infer_number, [](const VjpCall& c) { return std::vector{neg(c.grads[0])}; });
const OpDef abs_op =
    unary("abs", infer_number, [](const VjpCall& c) { return std::vector{mul(c.grads[0], sign(c.in[0]))}; });
const OpDef sign_op = unary("sign", infer_number, flat_vjp);
const OpDef relu_op =
    unary("relu", infer_number, [](const VjpCall& c) { return std::vector{mul(c.grads[0], sign(c.out[0]))}; });
const OpDef exp_op =
    unary("exp", infer_floating, [](const VjpCall& c) { return std::vector{mul(c.grads[0], c.out[0])}; });
const OpDef log_op =
    unary("log", infer_floating, [](const VjpCall& c) { return std::vector{div(c.grads[0], c.in[0])}; });
const OpDef sqrt_op =
    unary("sqrt", infer_floating, [](const VjpCall& c) { return std::vector{div(mul(c.grads[0], 0.5), c.out[0])}; });
const OpDef rsqrt_op = unary("rsqrt", infer_floating, [](const VjpCall& c) {
  return std::vector{mul(mul(c.grads[0], -0.5), div(c.out[0], c.in[0]))};
});
const OpDef sin_op =
    unary("sin", infer_floating, [](const VjpCall& c) { return std::vector{mul(c.grads[0], cos(c.in[0]))}; });
const OpDef cos_op =
    unary("cos", infer_floating, [](const VjpCall& c) { return std::vector{mul(neg(c.grads[0]), sin(c.in[0]))}; });
const OpDef tanh_op = unary("tanh", infer_floating, [](const VjpCall& c) {
  return std::vector{mul(c.grads[0], affine(mul(c.out[0], c.out[0]), -1, 1))};
});
const OpDef sigmoid_op = unary("sigmoid", infer_floating, [](const VjpCall& c) {
  return std::vector{mul(c.grads[0], mul(c.out[0], affine(c.out[0], -1, 1)))};
});
const OpDef erf_op = unary("erf", infer_floating, [](const VjpCall& c) {
  return std::vector{mul(c.grads[0], mul(exp(neg(mul(c.in[0], c.in[0]))), 2 * std::numbers::inv_sqrtpi))};
});
const OpDef floor_op = unary("floor", infer_floating, flat_vjp);
const OpDef affine_op = unary(
    "affine", infer_number, [](const VjpCall& c) { return std::vector{mul(c.grads[0], c.as<AffineAttrs>().scale)}; },
    attrs_type<AffineAttrs>());
const OpDef pow_op = unary(
    "pow", infer_floating,
    [](const VjpCall& c) {
      const double n = c.as<PowAttrs>().exponent;
      if (n == 0) return std::vector{Tensor()};  // constant; the formula would give 0 · inf at 0
      return std::vector{mul(c.grads[0], mul(pow(c.in[0], n - 1), n))};
    },
    attrs_type<PowAttrs>());
const OpDef logical_not_op = unary(
    "logical_not",
    [](const OpCall& call, OutputSpecs& out) {
      check(call.in[0].dtype() == DType::boolean, ErrorCode::dtype_mismatch, "[logical_not] needs bool, got ",
            describe(call.in[0]));
      out.push_back({call.in[0].shape(), DType::boolean});
    },
    flat_vjp);
const OpDef cast_op = unary(
    "cast",
    [](const OpCall& call, OutputSpecs& out) {
      const DType to = call.as<CastAttrs>().dtype;
      check(!is_block(to), ErrorCode::dtype_mismatch, "[cast] to ", to_string(to), ": use quantize()");
      out.push_back({call.in[0].shape(), to});
    },
    [](const VjpCall& c) {
      if (!is_floating(c.in[0].dtype())) return std::vector{Tensor()};
      return std::vector{cast(c.grads[0], c.in[0].dtype())};
    },
    attrs_type<CastAttrs>());

Tensor neg(const Tensor& x) { return dispatch1(neg_op, {x}); }
Tensor abs(const Tensor& x) { return dispatch1(abs_op, {x}); }
Tensor sign(const Tensor& x) { return dispatch1(sign_op, {x}); }
Tensor relu(const Tensor& x) { return dispatch1(relu_op, {x}); }
Tensor exp(const Tensor& x) { return dispatch1(exp_op, {x}); }
Tensor log(const Tensor& x) { return dispatch1(log_op, {x}); }
Tensor sqrt(const Tensor& x) { return dispatch1(sqrt_op, {x}); }
Tensor rsqrt(const Tensor& x) { return dispatch1(rsqrt_op, {x}); }
Tensor sin(const Tensor& x) { return dispatch1(sin_op, {x}); }
Tensor cos(const Tensor& x) { return dispatch1(cos_op, {x}); }
Tensor tanh(const Tensor& x) { return dispatch1(tanh_op, {x}); }
Tensor sigmoid(const Tensor& x) { return dispatch1(sigmoid_op, {x}); }
Tensor erf(const Tensor& x) { return dispatch1(erf_op, {x}); }
Tensor floor(const Tensor& x) { return dispatch1(floor_op, {x}); }
Tensor affine(const Tensor& x, double scale, double shift) {
  return dispatch1(affine_op, AffineAttrs{scale, shift}, {x});
}
Tensor pow(const Tensor& x, double exponent) { return dispatch1(pow_op, PowAttrs{exponent}, {x}); }
Tensor logical_not(const Tensor& x) { return dispatch1(logical_not_op, {x}); }
Tensor cast(const Tensor& x, DType dtype) { return x.dtype() == dtype ? x : dispatch1(cast_op, CastAttrs{dtype}, {x}); }

}  // namespace trustformers
