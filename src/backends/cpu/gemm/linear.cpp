#include <algorithm>
#include <cstring>
#include <vector>

#include "../../../base/error.h"
#include "../../../quantization/blocks.h"
#include "../simd/isa.h"
#include "gemm.h"
#include "kernel_types.h"

namespace trustformers::cpu {
namespace {

/// Rows that share a pass over the weights: their activations should stay in the second level cache.
std::int64_t rows_per_block(std::int64_t row_bytes) {
  constexpr std::int64_t cache = 192 << 10;
  return std::clamp<std::int64_t>(cache / std::max<std::int64_t>(row_bytes, 1) / 12 * 12, 12, 96);
}

/// Calls body(first_row, row_count, first_panel, panel_end): columns are split over threads, or all blocks where there
/// are too few columns to go round.
template <class Body>
void split(ThreadPool& threads, std::int64_t rows, std::int64_t block, std::int64_t panels, std::int64_t grain,
           const Body& body) {
  const std::int64_t blocks = (rows + block - 1) / block;
  if (panels >= 2 * threads.threads() || blocks == 1) {
    threads.parallel_for(panels, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = 0; row < rows; row += block) body(row, std::min(block, rows - row), begin, end);
    });
  } else {
    threads.parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin * block; row < std::min(rows, end * block); row += block)
        body(row, std::min(block, rows - row), 0, panels);
    });
  }
}

void add_bias(const float* bias, std::int64_t rows, std::int64_t columns, float* y, std::int64_t y_stride) {
  if (!bias) return;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) y[r * y_stride + c] += bias[c];
}

/// Runs `compute(out, out_stride)` on the place of `columns` of `width` outputs: in y, or for a ragged panel beside it.
template <int width, class Compute>
void into_columns(const LinearCall& call, std::int64_t row, std::int64_t rows, std::int64_t column,
                  std::int64_t columns, const Compute& compute) {
  float* y = call.y + row * call.y_stride + column;
  if (columns == width) {
    compute(y, call.y_stride);
  } else {
    alignas(64) float whole[96 * width];
    compute(whole, width);
    for (std::int64_t r = 0; r < rows; ++r) std::copy_n(whole + r * width, columns, y + r * call.y_stride);
  }
  add_bias(call.bias ? call.bias + column : nullptr, rows, columns, y, call.y_stride);
}

/// The product with float panels. `fill(panel, k0, k, scratch)` returns k rows of 16 columns, from scratch or in place.
template <class Fill>
void linear_f32(ThreadPool& threads, const LinearCall& call, std::int64_t n, std::int64_t k, const Fill& fill) {
  const GemmKernels& kernel = kernels().gemm;
  const std::int64_t panels = (n + panel_width - 1) / panel_width;
  const std::int64_t block = rows_per_block(k * 4);
  split(threads, call.rows, block, panels, 2,
        [&](std::int64_t row, std::int64_t rows, std::int64_t begin, std::int64_t end) {
          alignas(64) float scratch[k_block * panel_width];
          const float* x = call.x + row * call.x_stride;
          for (std::int64_t p = begin; p < end; ++p)
            into_columns<panel_width>(
                call, row, rows, p * panel_width, std::min<std::int64_t>(panel_width, n - p * panel_width),
                [&](float* y, std::int64_t y_stride) {
                  for (std::int64_t k0 = 0; k0 < k || k0 == 0; k0 += k_block) {
                    const std::int64_t count = std::min(k_block, k - k0);
                    const float* b = fill(p, k0, count, scratch);
                    kernel.panel_f32(x + k0, call.x_stride, rows, b, panel_width, count, y, y_stride, k0 > 0);
                  }
                });
        });
}

/// One row times panels that the kernel widens on the way: multiply(first, count, y) writes `count` whole panels.
template <class Multiply>
void linear_vector(ThreadPool& threads, const PackedMatrix& weight, const LinearCall& call, const Multiply& multiply) {
  const std::int64_t width = weight.panel_columns();
  threads.parallel_for(weight.panels(), 64 / width, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t whole = std::min(end, weight.rows() / width);
    multiply(begin, whole - begin, call.y + begin * width);
    if (whole < end) {
      alignas(64) float last[panel_width];
      multiply(whole, 1, last);
      std::copy_n(last, weight.rows() - whole * width, call.y + whole * width);
    }
    const std::int64_t first = begin * width;
    add_bias(call.bias ? call.bias + first : nullptr, 1, std::min(end * width, weight.rows()) - first, call.y + first,
             0);
  });
}

void linear_int8(ThreadPool& threads, const PackedMatrix& weight, const LinearCall& call,
                 const QuantizedKernels& kernel) {
  const GemmKernels& gemm = kernels().gemm;
  const std::int64_t blocks = weight.columns() / 32;
  // Kept by the calling thread, so that decoding allocates nothing.
  thread_local std::vector<ActivationBlock> kept;
  if (kept.size() < static_cast<std::size_t>(call.rows * blocks))
    kept.resize(static_cast<std::size_t>(call.rows * blocks));
  ActivationBlock* x = kept.data();
  threads.parallel_for(call.rows, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) gemm.quantize_row(call.x + r * call.x_stride, blocks, x + r * blocks);
  });
  // The first level cache should hold a block of rows beside one panel.
  const std::int64_t block = std::clamp<std::int64_t>(
      (20 << 10) / std::max<std::int64_t>(blocks * static_cast<std::int64_t>(sizeof(ActivationBlock)), 1) / 4 * 4, 16,
      96);
  split(threads, call.rows, block, weight.panels(), 4,
        [&](std::int64_t row, std::int64_t rows, std::int64_t begin, std::int64_t end) {
          for (std::int64_t p = begin; p < end; ++p)
            into_columns<8>(call, row, rows, p * 8, std::min<std::int64_t>(8, weight.rows() - p * 8),
                            [&](float* y, std::int64_t y_stride) {
                              kernel.multiply(weight.panel(p), blocks, x + row * blocks, rows, y, y_stride);
                            });
        });
}

}  // namespace

void linear(ThreadPool& threads, const PackedMatrix& weight, const LinearCall& call) {
  if (call.rows == 0 || weight.rows() == 0) return;
  const GemmKernels& gemm = kernels().gemm;
  const std::int64_t n = weight.rows(), k = weight.columns();
  const auto float_vector = [&](GemmKernels::Vector vector) {
    linear_vector(threads, weight, call, [&](std::int64_t first, std::int64_t count, float* y) {
      vector(call.x, k, weight.panel(first), weight.panel_bytes(), count, y);
    });
  };
  switch (weight.dtype()) {
    case DType::f32:
      if (call.rows == 1) return float_vector(gemm.vector_f32);
      return linear_f32(threads, call, n, k, [&](std::int64_t p, std::int64_t k0, std::int64_t, float*) {
        return reinterpret_cast<const float*>(weight.panel(p)) + k0 * panel_width;
      });
    case DType::f16:
    case DType::bf16: {
      const bool half = weight.dtype() == DType::f16;
      if (call.rows == 1) return float_vector(half ? gemm.vector_f16 : gemm.vector_bf16);
      const auto widen = half ? gemm.widen_f16 : gemm.widen_bf16;
      return linear_f32(threads, call, n, k, [&](std::int64_t p, std::int64_t k0, std::int64_t count, float* scratch) {
        widen(reinterpret_cast<const std::uint16_t*>(weight.panel(p)) + k0 * panel_width, count * panel_width, scratch);
        return static_cast<const float*>(scratch);
      });
    }
    default: break;
  }
  const QuantizedKernels kernel = gemm.quantized(weight.dtype());
  if (call.activations == Activations::int8) return linear_int8(threads, weight, call, kernel);
  if (call.rows == 1)
    return linear_vector(threads, weight, call, [&](std::int64_t first, std::int64_t count, float* y) {
      kernel.vector(weight.panel(first), weight.panel_bytes(), count, k, call.x, y);
    });
  linear_f32(threads, call, n, k, [&](std::int64_t p, std::int64_t k0, std::int64_t count, float* scratch) {
    kernel.widen(weight.panel(2 * p), k0, count, scratch);
    if (2 * p + 1 < weight.panels())
      kernel.widen(weight.panel(2 * p + 1), k0, count, scratch + 8);
    else
      for (std::int64_t i = 0; i < count; ++i) std::fill_n(scratch + i * panel_width + 8, 8, 0.0f);
    return static_cast<const float*>(scratch);
  });
}

void linear(ThreadPool& threads, const WeightView& weight, const LinearCall& call) {
  if (call.rows == 0 || weight.rows == 0) return;
  const GemmKernels& gemm = kernels().gemm;
  if (weight.dtype == DType::f32) {
    // The same chains of fma, and each panel is packed once for all rows.
    matmul(threads, call.rows, weight.rows, weight.columns, MatrixView<float>{call.x, call.x_stride, 1},
           {reinterpret_cast<const float*>(weight.data), weight.column_stride, weight.row_stride}, call.y,
           call.y_stride);
    return add_bias(call.bias, call.rows, weight.rows, call.y, call.y_stride);
  }
  const DTypeInfo& type = info(weight.dtype);
  check(weight.column_stride == 1 || type.block_elements == 1, ErrorCode::invalid_argument, "[linear] a weight of ",
        type.name, " needs contiguous rows, but its columns are ", weight.column_stride, " apart");
  const auto address = [&](std::int64_t n, std::int64_t k) {
    return weight.data + (n * weight.row_stride + k * weight.column_stride) / type.block_elements * type.block_bytes;
  };
  linear_f32(threads, call, weight.rows, weight.columns,
             [&](std::int64_t p, std::int64_t k0, std::int64_t count, float* scratch) {
               const std::int64_t first = p * panel_width;
               const std::int64_t columns = std::min<std::int64_t>(panel_width, weight.rows - first);
               if (weight.column_stride != 1 || columns < panel_width) std::fill_n(scratch, count * panel_width, 0.0f);
               if (weight.column_stride != 1) {
                 for (std::int64_t i = 0; i < count; ++i)
                   for (std::int64_t c = 0; c < columns; ++c)
                     dequantize_row(weight.dtype, address(first + c, k0 + i), 1, scratch + i * panel_width + c);
               } else if (columns < panel_width) {
                 alignas(64) float row[k_block];
                 for (std::int64_t c = 0; c < columns; ++c) {
                   dequantize_row(weight.dtype, address(first + c, k0), count, row);
                   for (std::int64_t i = 0; i < count; ++i) scratch[i * panel_width + c] = row[i];
                 }
               } else {
                 alignas(64) float wide[panel_width * k_block];
                 for (std::int64_t c = 0; c < columns; ++c)
                   dequantize_row(weight.dtype, address(first + c, k0), count, wide + c * k_block);
                 gemm.transpose_panel(wide, k_block, count, scratch);
               }
               return static_cast<const float*>(scratch);
             });
}

}  // namespace trustformers::cpu
