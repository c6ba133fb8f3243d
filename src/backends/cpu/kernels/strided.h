// Walking strided tensors in row-major order, in parallel.
#pragma once

#include <array>
#include <span>

#include "../../../base/function_ref.h"
#include "../../../base/thread_pool.h"
#include "../../../tensor/for_each_dtype.h"
#include "../../../tensor/tensor.h"
#include "../gemm/gemm.h"

namespace trustformers::cpu {

/// Neighbours in row-major order: where each of N tensors has the first of them, in elements, and its step to the next.
template <std::size_t N>
struct Run {
  std::array<std::int64_t, N> at, step;
  std::int64_t first;  // how many elements come before, which is where a contiguous result has them
  std::int64_t length;
};

/// The common index space of N (1 to 3) tensors: neighbouring dimensions that all of them walk evenly are merged.
template <std::size_t N>
class StridedLoop {
 public:
  /// Strides are in elements, 0 where a tensor is broadcast.
  StridedLoop(const Shape& shape, const std::array<Strides, N>& strides);

  std::int64_t count() const { return count_; }

  // Compiled once, while kernels for all ops and types are many: they come as references.
  using Body = FunctionRef<void(const Run<N>& run)>;
  /// Calls `body` for runs that cover elements [begin, end) in order.
  void runs(std::int64_t begin, std::int64_t end, Body body) const;
  /// The same for all elements, split among threads into parts of at least `grain`.
  void parallel_runs(ThreadPool& threads, std::int64_t grain, Body body) const;

 private:
  Shape shape_;
  std::array<Strides, N> strides_;
  std::int64_t count_ = 0;
};

/// The strides of `t` when broadcast to `shape`.
inline Strides broadcast_strides(const Tensor& t, const Shape& shape) {
  Strides strides(shape.size(), 0);
  const std::size_t extra = shape.size() - t.rank();
  for (std::size_t d = extra; d < shape.size(); ++d)
    if (t.shape()[d - extra] == shape[d]) strides[d] = t.strides()[d - extra];
  return strides;
}

/// Elements below which splitting work costs more than it saves.
inline constexpr std::int64_t parallel_grain = 8192;

/// Copies the elements of `source` to `target` (same shape and dtype, any strides).
void copy_elements(const Tensor& source, const Tensor& target);

/// A rank-2 tensor as the matrix kernels see it.
inline WeightView weight_view(const Tensor& w) {
  return {w.dtype(), w.raw(), w.size(0), w.size(1), w.strides()[0], w.strides()[1]};
}
/// The same for PackedMatrix::is_of: without an address where only the packed form is left.
inline WeightView stored_view(const Tensor& w) {
  const std::byte* data = w.impl().storage->data ? w.raw() : nullptr;
  return {w.dtype(), data, w.size(0), w.size(1), w.strides()[0], w.strides()[1]};
}

}  // namespace trustformers::cpu
