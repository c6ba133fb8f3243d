#include "elementwise.h"

namespace trustformers::cpu {

template <std::size_t N>
void for_each_run(const KernelCall& call, FunctionRef<void(const Run<N>&)> body) {
  const Shape& shape = call.out[0].shape();
  std::array<Strides, N> strides;
  for (std::size_t t = 0; t < N; ++t) strides[t] = broadcast_strides(call.in[t], shape);
  StridedLoop<N>(shape, strides).parallel_runs(call.context.threads(), parallel_grain, body);
}

template void for_each_run<1>(const KernelCall&, FunctionRef<void(const Run<1>&)>);
template void for_each_run<2>(const KernelCall&, FunctionRef<void(const Run<2>&)>);
template void for_each_run<3>(const KernelCall&, FunctionRef<void(const Run<3>&)>);

}  // namespace trustformers::cpu
