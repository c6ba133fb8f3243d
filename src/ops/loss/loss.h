// Losses.
#pragma once

#include "../../tensor/op.h"

namespace trustformers {

struct CrossEntropyAttrs {
  std::int64_t ignore_index = -100;
  double label_smoothing = 0;
  /// The mean over the targets that count; false gives their sum.
  bool mean = true;
};
/// -log softmax(logits)[target]: logits [N, C], targets [N] (i64) -> scalar. As torch.nn.CrossEntropyLoss: rows whose
/// target is ignore_index do not count; the mean of no rows is NaN; any other target outside [0, C) is out_of_range.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropyAttrs& attrs = {});
/// mean((a - b)²)
Tensor mse_loss(const Tensor& a, const Tensor& b);
/// mean over all elements of max(x, 0) - x·t + log(1 + exp(-|x|)), the binary cross entropy of sigmoid(logits).
Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& targets);

extern const OpDef cross_entropy_op;

}  // namespace trustformers
