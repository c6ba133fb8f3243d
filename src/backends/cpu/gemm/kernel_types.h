// What the matrix drivers and the per-ISA kernels share: layouts of packed panels, and the table of kernels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../../../tensor/dtype.h"

namespace trustformers::cpu {

/// Outputs per panel of float weights, and of the widened pair of quantised panels.
inline constexpr int panel_width = 16;
/// k per pass over a widened panel: 256 x 16 floats are half of the usual L1 cache.
inline constexpr std::int64_t k_block = 256;

/// 32 activations as 8-bit integers: x ≈ scale · q, q in [-127, 127]. A block with a NaN or an infinity has a NaN
/// scale.
struct ActivationBlock {
  float scale;
  float sum;          // scale · Σ q
  float half_sum[2];  // the same for each half
  std::int8_t q[32];
};

// Blocks of 8 outputs by 32 k. Quants are unsigned. Byte j · 32 + 4 · c + b (j < 4) of `low` holds the low four bits of
// k = 4 j + b (low nibble) and k = 16 + 4 j + b (high nibble) of output c, so that a 32-byte load meets four
// activations broadcast to all lanes. Higher bits lie in planes, see quantized_kernels.h.
struct PanelQ40 {
  std::uint16_t d[8];
  std::uint8_t low[128];
};
struct PanelQ41 {
  std::uint16_t d[8], m[8];
  std::uint8_t low[128];
};
struct PanelQ50 {
  std::uint16_t d[8];
  std::uint8_t low[128], high[32];
};
struct PanelQ51 {
  std::uint16_t d[8], m[8];
  std::uint8_t low[128], high[32];
};
/// Signed bytes: byte j · 32 + 4 · c + b (j < 8) is k = 4 j + b of output c.
struct PanelQ80 {
  std::uint16_t d[8];
  std::int8_t q[256];
};
// Super-blocks of 8 outputs by 256 k.
struct PanelQ4K {
  std::uint16_t d[8], dmin[8];
  struct Part {
    std::uint8_t scale[8], min[8], low[128];
  } part[8];
};
struct PanelQ5K {
  std::uint16_t d[8], dmin[8];
  struct Part {
    std::uint8_t scale[8], min[8], low[128], high[32];
  } part[8];
};
struct PanelQ6K {
  std::uint16_t d[8];
  struct Part {
    std::int8_t scale[2][8];  // per 16 k
    std::uint8_t low[128], high[64];
  } part[8];
};

/// The kernels of one block format; a panel is 8 outputs.
struct QuantizedKernels {
  /// Writes k0 to k0 + k (multiples of 32) of a panel as floats: element (k, c) at out[(k - k0) · panel_width + c].
  void (*widen)(const std::byte* panel, std::int64_t k0, std::int64_t k, float* out) = nullptr;
  /// y[8 · count] = x[k] · `count` panels, `panel_bytes` apart: what the float kernels give over widened panels.
  void (*vector)(const std::byte* panels, std::int64_t panel_bytes, std::int64_t count, std::int64_t k, const float* x,
                 float* y) = nullptr;
  /// y[r · y_stride + c] = Σ over `blocks` activation blocks; row r starts at x + r · blocks.
  void (*multiply)(const std::byte* panel, std::int64_t blocks, const ActivationBlock* x, std::int64_t rows, float* y,
                   std::int64_t y_stride) = nullptr;
};

struct GemmKernels {
  /// c[rows, 16] (+)= x[rows, k] · b[k, 16]; strides in floats.
  void (*panel_f32)(const float* x, std::int64_t x_stride, std::int64_t rows, const float* b, std::int64_t b_stride,
                    std::int64_t k, float* c, std::int64_t c_stride, bool accumulate);
  /// y[16 · count] = x[k] · `count` panels of f32, f16 or bf16, `panel_bytes` apart.
  using Vector = void (*)(const float* x, std::int64_t k, const std::byte* panels, std::int64_t panel_bytes,
                          std::int64_t count, float* y);
  Vector vector_f32, vector_f16, vector_bf16;
  /// Widens `count` 16-bit floats.
  void (*widen_f16)(const std::uint16_t* in, std::int64_t count, float* out);
  void (*widen_bf16)(const std::uint16_t* in, std::int64_t count, float* out);
  /// Transposes in[16 rows, k] (rows `stride` apart) into a panel out[k, 16].
  void (*transpose_panel)(const float* in, std::int64_t stride, std::int64_t k, float* out);
  void (*quantize_row)(const float* x, std::int64_t blocks, ActivationBlock* out);
  /// Empty members for types without a packed form.
  QuantizedKernels (*quantized)(DType dtype);
};

}  // namespace trustformers::cpu
