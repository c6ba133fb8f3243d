#include "activation.h"

#include <numbers>

#include "../elementwise/binary.h"
#include "../elementwise/unary.h"
#include "../infer.h"

namespace trustformers {
namespace {

DType compute_dtype(DType dtype) { return dtype == DType::f64 ? DType::f64 : DType::f32; }
Tensor widened(const Tensor& x) { return cast(x, compute_dtype(x.dtype())); }

void infer_one(const OpCall& call, OutputSpecs& out) {
  infer::require_floating(call.name, "input", call.in[0]);
  out.push_back({call.in[0].shape(), call.in[0].dtype()});
}

void infer_gated(const OpCall& call, OutputSpecs& out) {
  infer::require_floating(call.name, "gate", call.in[0]);
  infer::require_same_dtype(call.name, call.in[0], call.in[1]);
  infer::require_shape(call.name, "up", call.in[1], call.in[0].shape());
  out.push_back({call.in[0].shape(), call.in[0].dtype()});
}

Tensor gelu_of(const Tensor& x, GeluKind kind) {
  switch (kind) {
    case GeluKind::exact: return x * 0.5 * (erf(x * (1 / std::numbers::sqrt2)) + 1);
    case GeluKind::tanh: {
      const Tensor inner = (x + x * x * x * 0.044715) * (std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
      return x * 0.5 * (tanh(inner) + 1);
    }
    case GeluKind::quick: return x * sigmoid(x * 1.702);
  }
  fail(ErrorCode::invalid_argument, "[gelu] no such kind: ", static_cast<int>(kind));
}

Tensor silu_of(const Tensor& x) { return x * sigmoid(x); }

/// max(x, 0) + log1p(exp(-|x|)). Rounding 1 + e loses digits of a small e, which e / ((1 + e) - 1) gives back (Goldberg
/// 1991).
Tensor softplus_of(const Tensor& x) {
  const Tensor e = exp(-abs(x));
  const Tensor rounded = e + 1;
  const Tensor kept = rounded - 1;
  return relu(x) + where(equal(kept, 0), e, log(rounded) * e / kept);
}

}  // namespace

const OpDef gelu_op = {
    .name = "gelu", .attrs = attrs_type<GeluAttrs>(), .infer = infer_one, .decompose = [](const OpCall& call) {
      return Tensors{cast(gelu_of(widened(call.in[0]), call.as<GeluAttrs>().kind), call.in[0].dtype())};
    }};
const OpDef silu_op = {
    .name = "silu", .attrs = attrs_type<NoAttrs>(), .infer = infer_one, .decompose = [](const OpCall& call) {
      return Tensors{cast(silu_of(widened(call.in[0])), call.in[0].dtype())};
    }};
const OpDef softplus_op = {
    .name = "softplus",
    .attrs = attrs_type<NoAttrs>(),
    .infer = infer_one,
    .decompose = [](const OpCall& call) { return Tensors{cast(softplus_of(widened(call.in[0])), call.in[0].dtype())}; },
    .vjp =
        [](const VjpCall& c) {
          return std::vector{cast(widened(c.grads[0]) * sigmoid(widened(c.in[0])), c.in[0].dtype())};
        }};
const OpDef swiglu_op = {
    .name = "swiglu", .attrs = attrs_type<NoAttrs>(), .infer = infer_gated, .decompose = [](const OpCall& call) {
      return Tensors{cast(silu_of(widened(call.in[0])) * widened(call.in[1]), call.in[0].dtype())};
    }};
const OpDef geglu_op = {
    .name = "geglu", .attrs = attrs_type<GeluAttrs>(), .infer = infer_gated, .decompose = [](const OpCall& call) {
      const Tensor gate = gelu_of(widened(call.in[0]), call.as<GeluAttrs>().kind);
      return Tensors{cast(gate * widened(call.in[1]), call.in[0].dtype())};
    }};

Tensor gelu(const Tensor& x, GeluKind kind) { return dispatch1(gelu_op, GeluAttrs{kind}, {x}); }
Tensor silu(const Tensor& x) { return dispatch1(silu_op, {x}); }
Tensor softplus(const Tensor& x) { return dispatch1(softplus_op, {x}); }
Tensor swiglu(const Tensor& gate, const Tensor& up) { return dispatch1(swiglu_op, {gate, up}); }
Tensor geglu(const Tensor& gate, const Tensor& up, GeluKind kind) {
  return dispatch1(geglu_op, GeluAttrs{kind}, {gate, up});
}

}  // namespace trustformers
