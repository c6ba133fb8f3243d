// The table of row kernels that each instruction set fills.
#pragma once

#include <cstdint>

#include "rows.h"

namespace trustformers::cpu {

/// Each works on one row of `width` floats (rope: one head of one position).
struct RowKernels {
  void (*rms_norm)(const float* x, std::int64_t width, const float* weight, float weight_offset, float eps, float* y);
  void (*layer_norm)(const float* x, std::int64_t width, const float* weight, const float* bias, float eps, float* y);
  void (*softmax)(const float* x, std::int64_t width, float* y);
  /// Rotates `half` pairs by cos[half], sin[half]; `sign` is 1, or -1 to rotate back.
  void (*rope_half_split)(const float* x, std::int64_t half, const float* cos, const float* sin, float sign, float* y);
  void (*rope_interleaved)(const float* x, std::int64_t half, const float* cos, const float* sin, float sign, float* y);
  /// y = f(x), or f(x) · up where `up` is given.
  void (*activate)(Activation f, const float* x, const float* up, std::int64_t width, float* y);
};

}  // namespace trustformers::cpu
