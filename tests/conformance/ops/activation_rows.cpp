#include "ops/activation/activation.h"

#include "rows.h"

namespace trustformers::conformance {
namespace {

Row one(const OpDef& op, std::string label, std::shared_ptr<const void> attrs) {
  return {.op = &op, .label = std::move(label), .attrs = std::move(attrs), .inputs = [](std::int64_t n, DType dtype) {
            return std::vector{values({5, n}, 1, dtype)};
          }};
}

Row gated(const OpDef& op, std::string label, std::shared_ptr<const void> attrs) {
  Row row = one(op, std::move(label), std::move(attrs));
  row.inputs = [](std::int64_t n, DType dtype) {
    return std::vector{values({5, n}, 1, dtype), values({5, n}, 2, dtype)};
  };
  return row;
}

}  // namespace

void add_activation_rows(Rows& rows) {
  const std::pair<GeluKind, const char*> kinds[] = {
      {GeluKind::exact, "exact"}, {GeluKind::tanh, "tanh"}, {GeluKind::quick, "quick"}};
  for (const auto& [kind, label] : kinds) {
    rows.push_back(one(gelu_op, label, attrs_of(GeluAttrs{kind})));
    rows.push_back(gated(geglu_op, label, attrs_of(GeluAttrs{kind})));
  }
  rows.push_back(one(silu_op, "", attrs_of(NoAttrs{})));
  rows.push_back(one(softplus_op, "", attrs_of(NoAttrs{})));
  rows.push_back(gated(swiglu_op, "", attrs_of(NoAttrs{})));
}

}  // namespace trustformers::conformance
