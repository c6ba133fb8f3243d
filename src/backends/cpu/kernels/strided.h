// Walking strided tensors in row-major order, in parallel.
#pragma once

#include <array>
#include <span>

#include "../../../base/thread_pool.h"
#include "../../../tensor/for_each_dtype.h"
#include "../../../tensor/tensor.h"
#include "../gemm/gemm.h"

namespace trustformers::cpu {

/// The common index space of N tensors: neighbouring dimensions that all of them walk evenly are merged.
template <std::size_t N>
class StridedLoop {
 public:
  /// Strides are in elements, 0 where a tensor is broadcast.
  StridedLoop(const Shape& shape, const std::array<Strides, N>& strides) {
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (shape[d] == 1) continue;
      bool merges = !shape_.empty();
      for (std::size_t t = 0; t < N && merges; ++t) merges = strides_[t].back() == strides[t][d] * shape[d];
      if (merges) {
        shape_.back() *= shape[d];
        for (std::size_t t = 0; t < N; ++t) strides_[t].back() = strides[t][d];
      } else {
        shape_.push_back(shape[d]);
        for (std::size_t t = 0; t < N; ++t) strides_[t].push_back(strides[t][d]);
      }
    }
    if (shape_.empty()) {
      shape_.push_back(1);
      for (std::size_t t = 0; t < N; ++t) strides_[t].push_back(1);
    }
    count_ = element_count(shape);
  }

  std::int64_t count() const { return count_; }
  /// The step of tensor t between neighbours in a run.
  std::int64_t step(std::size_t t) const { return strides_[t].back(); }

  /// Calls body(offsets, length) for runs that cover elements [begin, end) in order; offsets are in elements.
  template <class Body>
  void runs(std::int64_t begin, std::int64_t end, Body&& body) const {
    if (begin >= end) return;
    const std::size_t last = shape_.size() - 1;
    Shape index(shape_.size(), 0);
    std::array<std::int64_t, N> at{};
    std::int64_t rest = begin;
    for (std::size_t d = shape_.size(); d-- > 0;) {
      index[d] = rest % shape_[d];
      rest /= shape_[d];
      for (std::size_t t = 0; t < N; ++t) at[t] += index[d] * strides_[t][d];
    }
    while (begin < end) {
      const std::int64_t length = std::min(end - begin, shape_[last] - index[last]);
      body(at, length);
      begin += length;
      if (begin >= end) break;
      for (std::size_t t = 0; t < N; ++t) at[t] -= index[last] * strides_[t][last];
      index[last] = 0;
      for (std::size_t d = last; d-- > 0;) {
        for (std::size_t t = 0; t < N; ++t) at[t] += strides_[t][d];
        if (++index[d] < shape_[d]) break;
        for (std::size_t t = 0; t < N; ++t) at[t] -= index[d] * strides_[t][d];
        index[d] = 0;
      }
    }
  }

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
