// Loops for elementwise kernels.
#pragma once

#include "../../../tensor/context.h"
#include "strided.h"

namespace trustformers::cpu {

/// The type in which integers add and multiply: they wrap around, as in PyTorch, where signed ones would be undefined.
template <class T>
using wrapping_t = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;

/// Calls `body` for runs of the result, which is contiguous, and of the first N (1 to 3) inputs broadcast to it.
template <std::size_t N>
void for_each_run(const KernelCall& call, FunctionRef<void(const Run<N>&)> body);

/// out = f(x) for contiguous out, values computed in compute_t<T>.
template <class T, class F>
void map_one(const KernelCall& call, F f) {
  const T* from = call.in[0].data<T>();
  T* out = call.out[0].mutable_data<T>();
  for_each_run<1>(call, [=](const Run<1>& run) {
    const auto [at, step, first, length] = run;
    const T* a = from + at[0];
    T* to = out + first;
    if (step[0] == 1)
      for (std::int64_t i = 0; i < length; ++i) to[i] = convert_element<T>(f(load(a[i])));
    else
      for (std::int64_t i = 0; i < length; ++i) to[i] = convert_element<T>(f(load(a[i * step[0]])));
  });
}

/// out = f(a, b) with broadcasting; Out is bool for comparisons.
template <class T, class Out, class F>
void map_two(const KernelCall& call, F f) {
  const T* left = call.in[0].data<T>();
  const T* right = call.in[1].data<T>();
  Out* out = call.out[0].mutable_data<Out>();
  for_each_run<2>(call, [=](const Run<2>& run) {
    const auto [at, step, first, length] = run;
    const auto [sa, sb] = step;
    const T* a = left + at[0];
    const T* b = right + at[1];
    Out* to = out + first;
    if (sa == 1 && sb == 1)
      for (std::int64_t i = 0; i < length; ++i) to[i] = convert_element<Out>(f(load(a[i]), load(b[i])));
    else if (sa == 1 && sb == 0)
      for (std::int64_t i = 0; i < length; ++i) to[i] = convert_element<Out>(f(load(a[i]), load(b[0])));
    else
      for (std::int64_t i = 0; i < length; ++i) to[i] = convert_element<Out>(f(load(a[i * sa]), load(b[i * sb])));
  });
}

}  // namespace trustformers::cpu
