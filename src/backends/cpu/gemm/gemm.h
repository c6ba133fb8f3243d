// Matrix products of the CPU: linear layers over repacked weights, and the general product of two strided matrices.
//
// Every output is one chain of multiply-adds in the order of k, whatever the number of rows, threads or blocks: a row
// gives the same bits alone, in a batch, and with any number of threads. Work is split by outputs only, never along K.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "../../../base/thread_pool.h"
#include "../../../tensor/dtype.h"
#include "../../../tensor/tensor.h"

namespace trustformers::cpu {

/// A weight [N, K] where it lies: element (n, k) is `data` + n * row_stride + k * column_stride elements of `dtype`
/// (f32, f16, bf16, or a block format; blocks need column_stride 1 and whole blocks a row).
struct WeightView {
  DType dtype = DType::f32;
  const std::byte* data = nullptr;
  std::int64_t rows = 0;     // N, the outputs
  std::int64_t columns = 0;  // K, the inputs
  std::int64_t row_stride = 0;
  std::int64_t column_stride = 1;
};

/// How a quantised weight meets the activations.
enum class Activations {
  exact,  // f32 activations times the weight's own values in f32
  int8    // activations rounded to 8 bits per 32, products in integers: faster, about 0.4 % noise a layer
};

/// A weight laid out for the kernels: panels of 16 outputs (plain types) or 8 outputs (block types), K-major inside.
/// 16-bit and quantised weights keep their size. Immutable; may be shared by threads.
class PackedMatrix final : public PackedWeight {
 public:
  /// True for f32, f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k and q6_k.
  static bool has_form(DType dtype);
  /// With `owner`, which keeps the weight's memory, the matrix takes that over: it packs in place where the panels
  /// fit exactly, else into memory of its own and lets `owner` go. The weight must be all of the memory then.
  /// Errors: unsupported (no packed form), invalid_argument (strides of a block format), out_of_memory.
  static std::shared_ptr<const PackedMatrix> pack(ThreadPool& threads, const WeightView& weight,
                                                  std::shared_ptr<const void>* owner = nullptr);

  DType dtype() const { return dtype_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  /// True when `weight` is the very view that was packed: a transposed or shifted view of the same memory is not.
  /// Where the memory was taken over, views of it have no address.
  bool is_of(const WeightView& weight) const;
  /// Row `n` of the weight: in its own dtype, for block formats dequantised to f32.
  void copy_row(std::int64_t n, std::byte* out) const;
  const std::byte* unpacked() const override;
  /// Bytes held.
  std::size_t bytes() const { return static_cast<std::size_t>(panels_ * panel_bytes_); }

  /// For the kernels: panel `i` covers panel_columns() outputs; it starts on a multiple of 64 bytes unless it was
  /// packed in place.
  const std::byte* panel(std::int64_t i) const { return data_.get() + i * panel_bytes_; }
  std::int64_t panels() const { return panels_; }
  std::int64_t panel_bytes() const { return panel_bytes_; }
  int panel_columns() const { return is_block(dtype_) ? 8 : 16; }

 private:
  PackedMatrix() = default;
  DType dtype_ = DType::f32;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  std::int64_t panels_ = 0;
  std::int64_t panel_bytes_ = 0;
  std::shared_ptr<const std::byte> data_;
  WeightView source_;  // what was packed; its memory may be gone
  mutable std::once_flag unpack_once_;
  mutable std::shared_ptr<const std::byte> unpacked_;
};

/// The activations and result of a linear layer: rows of K and N floats, `x_stride` and `y_stride` floats apart.
struct LinearCall {
  const float* x = nullptr;
  std::int64_t x_stride = 0;
  std::int64_t rows = 0;  // M
  float* y = nullptr;
  std::int64_t y_stride = 0;
  const float* bias = nullptr;  // [N] or nullptr
  Activations activations = Activations::exact;
};

/// y[M, N] = x[M, K] · Wᵀ (+ bias). `activations` matters for block types only.
void linear(ThreadPool& threads, const PackedMatrix& weight, const LinearCall& call);
/// The same over a weight that was not packed, any dtype of WeightView: rows are widened on the way, exactly.
/// The result equals that of the packed weight with Activations::exact bit for bit.
void linear(ThreadPool& threads, const WeightView& weight, const LinearCall& call);

/// Element (i, j) of an operand is at data[i * row_stride + j * column_stride].
template <class T>
struct MatrixView {
  const T* data = nullptr;
  std::int64_t row_stride = 0;
  std::int64_t column_stride = 1;
};

/// C[M, N] = A[M, K] · B[K, N] (+ C when `accumulate`); rows of C are `c_stride` apart, its columns contiguous.
/// Strides may be anything, zero included. C must not overlap A or B.
void matmul(ThreadPool& threads, std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<float> a,
            MatrixView<float> b, float* c, std::int64_t c_stride, bool accumulate = false);
void matmul(ThreadPool& threads, std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<double> a,
            MatrixView<double> b, double* c, std::int64_t c_stride, bool accumulate = false);

}  // namespace trustformers::cpu
