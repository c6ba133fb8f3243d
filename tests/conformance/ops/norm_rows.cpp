#include "ops/norm/norm.h"

#include "rows.h"

namespace trustformers::conformance {
namespace {

Row norm_row(const OpDef& op, std::string label, double eps, bool weight, bool bias, bool wide = false) {
  return {.op = &op,
          .label = std::move(label),
          .attrs = attrs_of(NormAttrs{eps}),
          .inputs = [=, has_bias = &op == &layer_norm_op](std::int64_t n, DType dtype) {
            const DType of_weight = wide ? DType::f32 : dtype;
            std::vector<Tensor> in = {values({2, 3, n}, 1, dtype), weight ? values({n}, 2, of_weight) : Tensor()};
            if (has_bias) in.push_back(bias ? values({n}, 3, of_weight) : Tensor());
            return in;
          }};
}

Row softmax_row(const OpDef& op, std::string label, std::int64_t dim) {
  return {.op = &op,
          .label = std::move(label),
          .attrs = attrs_of(SoftmaxAttrs{dim}),
          .inputs = [](std::int64_t n, DType dtype) { return std::vector{values({2, n, 3}, 1, dtype)}; }};
}

}  // namespace

void add_norm_rows(Rows& rows) {
  rows.push_back(norm_row(rms_norm_op, "", 1e-5, true, false));
  rows.push_back(norm_row(rms_norm_op, "plain", 1e-2, false, false));
  rows.push_back(norm_row(rms_norm_op, "f32 weight", 1e-6, true, false, true));
  rows.push_back(norm_row(layer_norm_op, "", 1e-5, true, true));
  rows.push_back(norm_row(layer_norm_op, "plain", 1e-2, false, false));
  rows.push_back(norm_row(layer_norm_op, "weight alone", 1e-12, true, false));
  rows.push_back(norm_row(layer_norm_op, "f32 weight", 1e-5, true, true, true));
  for (const OpDef* op : {&softmax_op, &log_softmax_op}) {
    rows.push_back(softmax_row(*op, "middle", 1));
    rows.push_back(softmax_row(*op, "first", 0));
    Row last = softmax_row(*op, "last", 1);
    last.inputs = [](std::int64_t n, DType dtype) { return std::vector{values({5, n}, 1, dtype)}; };
    rows.push_back(last);
  }
}

}  // namespace trustformers::conformance
