#include "norm.h"

#include "../elementwise/binary.h"
#include "../elementwise/unary.h"
#include "../infer.h"
#include "../reduce/reduce.h"

namespace trustformers {
namespace {

Tensor in_wide_floats(const Tensor& x) { return cast(x, x.dtype() == DType::f64 ? DType::f64 : DType::f32); }

void infer_norm(const OpCall& call, OutputSpecs& out) {
  const Tensor& x = call.in[0];
  infer::require_floating(call.name, "input", x);
  infer::require_rank(call.name, "input", x, 1);
  for (std::size_t i = 1; i < call.in.size(); ++i)
    if (call.in[i].defined()) {
      infer::require_floating(call.name, i == 1 ? "weight" : "bias", call.in[i]);
      infer::require_shape(call.name, i == 1 ? "weight" : "bias", call.in[i], {x.size(-1)});
    }
  out.push_back({x.shape(), x.dtype()});
}

/// Scales in the wide type and rounds once at the end.
Tensor scale_and_shift(Tensor normalised, const Tensor& weight, const Tensor& bias, DType dtype) {
  if (weight.defined()) normalised = normalised * cast(weight, normalised.dtype());
  if (bias.defined()) normalised = normalised + cast(bias, normalised.dtype());
  return cast(normalised, dtype);
}

Tensors decompose_rms_norm(const OpCall& call) {
  const Tensor x = in_wide_floats(call.in[0]);
  const Tensor scale = rsqrt(mean(x * x, {-1}, true) + call.as<NormAttrs>().eps);
  return {scale_and_shift(x * scale, call.in[1], Tensor(), call.in[0].dtype())};
}

Tensors decompose_layer_norm(const OpCall& call) {
  const Tensor x = in_wide_floats(call.in[0]);
  const Tensor centred = x - mean(x, {-1}, true);
  const Tensor scale = rsqrt(mean(centred * centred, {-1}, true) + call.as<NormAttrs>().eps);
  return {scale_and_shift(centred * scale, call.in[1], call.in[2], call.in[0].dtype())};
}

void infer_softmax(const OpCall& call, OutputSpecs& out) {
  infer::require_floating(call.name, "input", call.in[0]);
  infer::require_rank(call.name, "input", call.in[0], 1);
  out.push_back({call.in[0].shape(), call.in[0].dtype()});
}

/// x minus the largest of its row, in the wide type; nothing for an empty row.
Tensor shifted(const OpCall& call) {
  const Tensor x = in_wide_floats(call.in[0]);
  const std::int64_t dim = call.as<SoftmaxAttrs>().dim;
  return x.numel() == 0 ? x : x - max(x.detach(), {dim}, true);  // the shift cancels: no gradient through it
}

}  // namespace

const OpDef rms_norm_op = {
    .name = "rms_norm", .attrs = attrs_type<NormAttrs>(), .infer = infer_norm, .decompose = decompose_rms_norm};
const OpDef layer_norm_op = {
    .name = "layer_norm", .attrs = attrs_type<NormAttrs>(), .infer = infer_norm, .decompose = decompose_layer_norm};
const OpDef softmax_op = {
    .name = "softmax",
    .attrs = attrs_type<SoftmaxAttrs>(),
    .infer = infer_softmax,
    .decompose =
        [](const OpCall& call) {
          const Tensor e = exp(shifted(call));
          return Tensors{cast(e / sum(e, {call.as<SoftmaxAttrs>().dim}, true), call.in[0].dtype())};
        },
    .vjp =
        [](const VjpCall& c) {
          const Tensor y = in_wide_floats(c.out[0]);
          const Tensor gy = in_wide_floats(c.grads[0]) * y;
          const Tensor total = sum(gy, {c.as<SoftmaxAttrs>().dim}, true);
          return std::vector{cast(gy - y * total, c.in[0].dtype())};
        }};
const OpDef log_softmax_op = {
    .name = "log_softmax",
    .attrs = attrs_type<SoftmaxAttrs>(),
    .infer = infer_softmax,
    .decompose =
        [](const OpCall& call) {
          const Tensor x = shifted(call);
          return Tensors{cast(x - log(sum(exp(x), {call.as<SoftmaxAttrs>().dim}, true)), call.in[0].dtype())};
        },
    .vjp =
        [](const VjpCall& c) {
          const Tensor g = in_wide_floats(c.grads[0]);
          const Tensor total = sum(g, {c.as<SoftmaxAttrs>().dim}, true);
          return std::vector{cast(g - exp(in_wide_floats(c.out[0])) * total, c.in[0].dtype())};
        }};

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  return dispatch1(rms_norm_op, NormAttrs{eps}, {x, weight});
}
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  return dispatch1(layer_norm_op, NormAttrs{eps}, {x, weight, bias});
}
Tensor softmax(const Tensor& x, std::int64_t dim) {
  return dispatch1(softmax_op, SoftmaxAttrs{normalize_dim(dim, x.rank(), "softmax")}, {x});
}
Tensor log_softmax(const Tensor& x, std::int64_t dim) {
  return dispatch1(log_softmax_op, SoftmaxAttrs{normalize_dim(dim, x.rank(), "log_softmax")}, {x});
}

}  // namespace trustformers
