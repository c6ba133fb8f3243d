// Rotary position embedding (Su et al. 2021).
#pragma once

#include "../../tensor/op.h"

namespace trustformers {

struct RopeAttrs {
  /// Pairs are neighbours (x0, x1), (x2, x3), ... instead of the two halves.
  bool interleaved = false;
};
/// Rotates pairs of the first 2R of the D features; the rest passes through.
/// x [B, H, L, D], cos and sin [P, R] (one row a position), positions [B, L] or [1, L] (i64, below P).
Tensor rope(const Tensor& x, const Tensor& cos, const Tensor& sin, const Tensor& positions, bool interleaved = false);

extern const OpDef rope_op;

}  // namespace trustformers
