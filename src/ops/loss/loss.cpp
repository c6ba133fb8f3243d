#include "loss.h"

#include "../elementwise/binary.h"
#include "../elementwise/unary.h"
#include "../index/index.h"
#include "../infer.h"
#include "../norm/norm.h"
#include "../reduce/reduce.h"
#include "../shape/shape_ops.h"

namespace trustformers {
namespace {

void infer_cross_entropy(const OpCall& call, OutputSpecs& out) {
  const Tensor& logits = call.in[0];
  infer::require_floating("cross_entropy", "logits", logits);
  check(logits.rank() == 2, ErrorCode::shape_mismatch, "[cross_entropy] logits must be [N, C], got ", describe(logits));
  infer::require_index("cross_entropy", "targets", call.in[1]);
  infer::require_shape("cross_entropy", "targets", call.in[1], {logits.size(0)});
  out.push_back({{}, logits.dtype()});
}

Tensors decompose_cross_entropy(const OpCall& call) {
  const auto& a = call.as<CrossEntropyAttrs>();
  const DType dtype = call.in[0].dtype();
  const Tensor logp = log_softmax(cast(call.in[0], dtype == DType::f64 ? DType::f64 : DType::f32), -1);
  const Tensor& targets = call.in[1];
  const Tensor counts = logical_not(equal(targets, static_cast<double>(a.ignore_index)));
  const Tensor weight = cast(counts, logp.dtype());
  const Tensor safe = where(counts, targets, Tensor::zeros({}, targets.dtype()));
  Tensor losses = neg(squeeze(gather(logp, 1, unsqueeze(safe, 1)), 1));
  if (a.label_smoothing > 0) losses = losses * (1 - a.label_smoothing) - mean(logp, {1}) * a.label_smoothing;
  Tensor total = sum(where(counts, losses, Tensor::zeros({}, losses.dtype())));
  if (a.mean) total = total / sum(weight);
  return {cast(total, dtype)};
}

}  // namespace

const OpDef cross_entropy_op = {.name = "cross_entropy",
                                .attrs = attrs_type<CrossEntropyAttrs>(),
                                .infer = infer_cross_entropy,
                                .decompose = decompose_cross_entropy};

Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropyAttrs& attrs) {
  return dispatch1(cross_entropy_op, attrs, {logits, targets});
}

Tensor mse_loss(const Tensor& a, const Tensor& b) {
  const Tensor difference = a - b;
  return mean(difference * difference);
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& targets) {
  const Tensor t = cast(targets, logits.dtype());
  return mean(relu(logits) - logits * t + log(exp(neg(abs(logits))) + 1));
}

}  // namespace trustformers
