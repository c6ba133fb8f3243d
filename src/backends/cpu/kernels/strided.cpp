#include "strided.h"

#include <algorithm>

namespace trustformers::cpu {

template <std::size_t N>
StridedLoop<N>::StridedLoop(const Shape& shape, const std::array<Strides, N>& strides) {
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

template <std::size_t N>
void StridedLoop<N>::runs(std::int64_t begin, std::int64_t end, Body body) const {
  if (begin >= end) return;
  const std::size_t last = shape_.size() - 1;
  Shape index(shape_.size(), 0);
  Run<N> run{};
  for (std::size_t t = 0; t < N; ++t) run.step[t] = strides_[t].back();
  std::int64_t rest = begin;
  for (std::size_t d = shape_.size(); d-- > 0;) {
    index[d] = rest % shape_[d];
    rest /= shape_[d];
    for (std::size_t t = 0; t < N; ++t) run.at[t] += index[d] * strides_[t][d];
  }
  while (begin < end) {
    run.first = begin;
    run.length = std::min(end - begin, shape_[last] - index[last]);
    body(run);
    begin += run.length;
    if (begin >= end) break;
    for (std::size_t t = 0; t < N; ++t) run.at[t] -= index[last] * strides_[t][last];
    index[last] = 0;
    for (std::size_t d = last; d-- > 0;) {
      for (std::size_t t = 0; t < N; ++t) run.at[t] += strides_[t][d];
      if (++index[d] < shape_[d]) break;
      for (std::size_t t = 0; t < N; ++t) run.at[t] -= index[d] * strides_[t][d];
      index[d] = 0;
    }
  }
}

template <std::size_t N>
void StridedLoop<N>::parallel_runs(ThreadPool& threads, std::int64_t grain, Body body) const {
  threads.parallel_for(count_, grain, [&](std::int64_t begin, std::int64_t end) { runs(begin, end, body); });
}

template class StridedLoop<1>;
template class StridedLoop<2>;
template class StridedLoop<3>;

}  // namespace trustformers::cpu
