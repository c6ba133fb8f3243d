#include "ops/conv/conv.h"

#include "rows.h"

namespace trustformers::conformance {
namespace {

Row conv_row(std::string label, const ConvAttrs& attrs, const Shape& weight, bool bias, std::int64_t height) {
  return {.op = &conv2d_op,
          .label = std::move(label),
          .attrs = attrs_of(attrs),
          .inputs =
              [=](std::int64_t n, DType dtype) {
                return std::vector{values({2, weight[1] * attrs.groups, height, n}, 1, dtype), values(weight, 2, dtype),
                                   bias ? values({weight[0]}, 3, dtype) : Tensor()};
              },
          .measure = Measure::normalised,
          .sizes = {5, 31, 32, 33, 255, 256, 257}};
}

}  // namespace

// The decomposition itself is held against PyTorch in tests/unit/ops/torch_values_test.cpp.
void add_conv_rows(Rows& rows) {
  rows.push_back(conv_row("", {}, {4, 3, 3, 3}, true, 6));
  rows.push_back(conv_row("1x1", {}, {5, 4, 1, 1}, false, 3));
  rows.push_back(conv_row("patches", {.stride = {2, 2}}, {6, 3, 2, 2}, true, 6));
  rows.push_back(conv_row("strided, padded, dilated",
                          {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2}, {6, 2, 3, 2}, true,
                          5));
  rows.push_back(conv_row("depthwise 1d", {.padding = {0, 1}, .groups = 4}, {4, 1, 1, 3}, true, 1));
}

}  // namespace trustformers::conformance
