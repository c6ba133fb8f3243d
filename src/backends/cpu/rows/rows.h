// Row kernels of the CPU: norms, softmax, rotary embedding and activations over contiguous float rows.
// A row's result does not depend on the number of rows or threads. Outputs may be the same memory as inputs.
#pragma once

#include <cstdint>

#include "../../../base/thread_pool.h"

namespace trustformers::cpu {

/// Rows of `width` floats; row r of an operand starts `stride` floats after row r - 1.
struct RowsIn {
  const float* data = nullptr;
  std::int64_t stride = 0;
};
struct RowsOut {
  float* data = nullptr;
  std::int64_t stride = 0;
};

/// y = x / sqrt(mean(x²) + eps) · (weight + weight_offset); Zhang & Sennrich 2019. `weight` may be nullptr (all ones).
void rms_norm(ThreadPool& threads, std::int64_t rows, std::int64_t width, RowsIn x, const float* weight,
              float weight_offset, float eps, RowsOut y);
/// y = (x - mean) / sqrt(var + eps) · weight + bias, biased variance; Ba et al. 2016. Either pointer may be nullptr.
void layer_norm(ThreadPool& threads, std::int64_t rows, std::int64_t width, RowsIn x, const float* weight,
                const float* bias, float eps, RowsOut y);
/// Softmax over each row. A row of -infinity gives NaN, as the formula says.
void softmax(ThreadPool& threads, std::int64_t rows, std::int64_t width, RowsIn x, RowsOut y);

/// Which elements a rotation pairs.
enum class RopePairs {
  half_split,  // i with i + rotary_dim / 2 (GPT-NeoX, Llama of Hugging Face)
  interleaved  // 2 i with 2 i + 1 (the RoFormer paper, GPT-J)
};
/// Rotates the first `rotary_dim` (even) of `head_dim` elements of x [B, H, L, D] by the angles of row position(b, l)
/// of cos and sin [P, rotary_dim / 2]; the rest is copied. Su et al. 2021.
struct RopeCall {
  std::int64_t batch = 0, heads = 0, length = 0, head_dim = 0, rotary_dim = 0;
  const float* x = nullptr;
  std::int64_t x_batch = 0, x_head = 0, x_position = 0;  // strides; the last dimension is contiguous
  float* y = nullptr;
  std::int64_t y_batch = 0, y_head = 0, y_position = 0;
  const float* cos = nullptr;
  const float* sin = nullptr;
  const std::int64_t* positions = nullptr;  // [B, L] rows of the tables, or nullptr: row first_position + l
  std::int64_t positions_batch = 0;         // stride of positions from batch to batch (0: shared)
  std::int64_t first_position = 0;
  RopePairs pairs = RopePairs::half_split;
  bool inverse = false;  // rotate back, as the gradient needs
};
void rope(ThreadPool& threads, const RopeCall& call);

enum class Activation {
  relu,
  silu,        // x · sigmoid(x)
  gelu,        // x · Φ(x), by erf
  gelu_tanh,   // the tanh approximation of Hendrycks & Gimpel 2016
  gelu_quick,  // x · sigmoid(1.702 x)
  sigmoid,
  tanh,
  exp
};
/// y[i] = f(x[i]) for i < count.
void activate(ThreadPool& threads, Activation f, std::int64_t count, const float* x, float* y);
/// y = f(gate) · up, row by row (SwiGLU, GeGLU; Shazeer 2020).
void gated(ThreadPool& threads, Activation f, std::int64_t rows, std::int64_t width, RowsIn gate, RowsIn up, RowsOut y);

}  // namespace trustformers::cpu
