#include <algorithm>
#include <vector>

#include "../simd/isa.h"
#include "gemm.h"
#include "kernel_types.h"

namespace trustformers::cpu {
namespace {

constexpr std::int64_t rows_in_block = 96;
constexpr std::int64_t panels_in_block = 32;  // with k_block, half a megabyte of packed B

/// Rows [first, first + count) of A, k from k0, with contiguous rows k_block apart.
void pack_a(const GemmKernels& kernel, MatrixView<float> a, std::int64_t first, std::int64_t count, std::int64_t k0,
            std::int64_t k, float* out) {
  const float* from = a.data + first * a.row_stride + k0 * a.column_stride;
  std::int64_t r = 0;
  if (a.row_stride == 1) {
    // The columns of A lie contiguous: the same move as packing a panel, with the roles of k and rows exchanged.
    alignas(64) float panel[panel_width * rows_in_block];
    for (std::int64_t p = 0; p + panel_width <= k; p += panel_width) {
      kernel.transpose_panel(from + p * a.column_stride, a.column_stride, count, panel);
      for (r = 0; r < count; ++r) std::copy_n(panel + r * panel_width, panel_width, out + r * k_block + p);
    }
    for (std::int64_t p = k / panel_width * panel_width; p < k; ++p)
      for (r = 0; r < count; ++r) out[r * k_block + p] = from[r + p * a.column_stride];
    return;
  }
  for (; r < count; ++r)
    for (std::int64_t p = 0; p < k; ++p) out[r * k_block + p] = from[r * a.row_stride + p * a.column_stride];
}

/// Up to 16 columns of B from `column` on, k from k0, as a panel.
void pack_b(const GemmKernels& kernel, MatrixView<float> b, std::int64_t column, std::int64_t columns, std::int64_t k0,
            std::int64_t k, float* out) {
  const float* from = b.data + k0 * b.row_stride + column * b.column_stride;
  if (columns == panel_width && b.row_stride == 1) return kernel.transpose_panel(from, b.column_stride, k, out);
  if (columns == panel_width && b.column_stride == 1) {
    for (std::int64_t p = 0; p < k; ++p) std::copy_n(from + p * b.row_stride, panel_width, out + p * panel_width);
    return;
  }
  for (std::int64_t p = 0; p < k; ++p)
    for (std::int64_t c = 0; c < panel_width; ++c)
      out[p * panel_width + c] = c < columns ? from[p * b.row_stride + c * b.column_stride] : 0.0f;
}

/// The part of C with rows [m0, m1) and panels [p0, p1), on the calling thread.
void multiply_part(std::int64_t m0, std::int64_t m1, std::int64_t p0, std::int64_t p1, std::int64_t n, std::int64_t k,
                   MatrixView<float> a, MatrixView<float> b, float* c, std::int64_t c_stride, bool accumulate) {
  const GemmKernels& kernel = kernels().gemm;
  thread_local std::vector<float> kept_a(static_cast<std::size_t>(rows_in_block * k_block));
  thread_local std::vector<float> kept_b(static_cast<std::size_t>(panels_in_block * k_block * panel_width));
  float* packed_a = kept_a.data();
  float* packed_b = kept_b.data();
  for (std::int64_t first = p0; first < p1; first += panels_in_block) {
    const std::int64_t panels = std::min(panels_in_block, p1 - first);
    for (std::int64_t k0 = 0; k0 < k || k0 == 0; k0 += k_block) {
      const std::int64_t count = std::min(k_block, k - k0);
      const bool add = accumulate || k0 > 0;
      // A row-major B that few rows meet is read where it lies.
      const bool in_place = b.column_stride == 1 && m1 - m0 <= 6;
      for (std::int64_t p = 0; p < panels; ++p) {
        const std::int64_t column = (first + p) * panel_width,
                           columns = std::min<std::int64_t>(panel_width, n - column);
        if (!in_place || columns < panel_width)
          pack_b(kernel, b, column, columns, k0, count, packed_b + p * k_block * panel_width);
      }
      for (std::int64_t m = m0; m < m1; m += rows_in_block) {
        const std::int64_t rows = std::min(rows_in_block, m1 - m);
        const float* x = a.data + m * a.row_stride + k0;
        std::int64_t x_stride = a.row_stride;
        if (a.column_stride != 1) {
          pack_a(kernel, a, m, rows, k0, count, packed_a);
          x = packed_a;
          x_stride = k_block;
        }
        for (std::int64_t p = 0; p < panels; ++p) {
          const std::int64_t column = (first + p) * panel_width,
                             columns = std::min<std::int64_t>(panel_width, n - column);
          const float* panel = packed_b + p * k_block * panel_width;
          float* out = c + m * c_stride + column;
          if (columns == panel_width) {
            const float* from = in_place ? b.data + k0 * b.row_stride + column : panel;
            kernel.panel_f32(x, x_stride, rows, from, in_place ? b.row_stride : panel_width, count, out, c_stride, add);
            continue;
          }
          alignas(64) float whole[rows_in_block * panel_width] = {};
          if (add)
            for (std::int64_t r = 0; r < rows; ++r) std::copy_n(out + r * c_stride, columns, whole + r * panel_width);
          kernel.panel_f32(x, x_stride, rows, panel, panel_width, count, whole, panel_width, add);
          for (std::int64_t r = 0; r < rows; ++r) std::copy_n(whole + r * panel_width, columns, out + r * c_stride);
        }
      }
    }
  }
}

}  // namespace

void matmul(ThreadPool& threads, std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<float> a,
            MatrixView<float> b, float* c, std::int64_t c_stride, bool accumulate) {
  if (m == 0 || n == 0) return;
  const std::int64_t panels = (n + panel_width - 1) / panel_width, tiles = (m + 5) / 6;
  // A thread should have some hundred thousand multiply-adds, or waking it costs more than it gives.
  constexpr std::int64_t worth = 1 << 17;
  if (panels >= tiles || tiles < 2 * threads.threads()) {
    threads.parallel_for(panels, 1 + worth / (m * panel_width * (k + 1)), [&](std::int64_t begin, std::int64_t end) {
      multiply_part(0, m, begin, end, n, k, a, b, c, c_stride, accumulate);
    });
  } else {
    threads.parallel_for(tiles, 1 + worth / (n * 6 * (k + 1)), [&](std::int64_t begin, std::int64_t end) {
      multiply_part(begin * 6, std::min(m, end * 6), 0, panels, n, k, a, b, c, c_stride, accumulate);
    });
  }
}

void matmul(ThreadPool& threads, std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<double> a,
            MatrixView<double> b, double* c, std::int64_t c_stride, bool accumulate) {
  threads.parallel_for(m, 1 + (1 << 16) / (n * (k + 1) + 1), [&](std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t width = 64;
    for (std::int64_t i = begin; i < end; ++i)
      for (std::int64_t j0 = 0; j0 < n; j0 += width) {
        const std::int64_t columns = std::min(width, n - j0);
        double sums[width] = {};
        if (accumulate) std::copy_n(c + i * c_stride + j0, columns, sums);
        for (std::int64_t p = 0; p < k; ++p) {
          const double value = a.data[i * a.row_stride + p * a.column_stride];
          const double* row = b.data + p * b.row_stride + j0 * b.column_stride;
          for (std::int64_t j = 0; j < columns; ++j) sums[j] += value * row[j * b.column_stride];
        }
        std::copy_n(sums, columns, c + i * c_stride + j0);
      }
  });
}

}  // namespace trustformers::cpu
