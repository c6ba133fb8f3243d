// Convolutions (cross-correlations, as in every framework).
#pragma once

#include "../../tensor/op.h"

namespace trustformers {

struct ConvAttrs {
  std::array<std::int64_t, 2> stride = {1, 1};
  std::array<std::int64_t, 2> padding = {0, 0};
  std::array<std::int64_t, 2> dilation = {1, 1};
  std::int64_t groups = 1;
};
/// x [B, C, H, W], weight [O, C / groups, kh, kw], bias [O] or undefined -> [B, O, H', W'],
/// H' = (H + 2·padding - dilation·(kh - 1) - 1) / stride + 1.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvAttrs& attrs = {});
/// x [B, C, L], weight [O, C / groups, k], bias [O] or undefined -> [B, O, L'].
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t stride = 1,
              std::int64_t padding = 0, std::int64_t dilation = 1, std::int64_t groups = 1);

extern const OpDef conv2d_op;

}  // namespace trustformers
