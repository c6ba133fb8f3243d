// Loops for elementwise kernels.
#pragma once

#include "../../../tensor/context.h"
#include "strided.h"

namespace trustformers::cpu {

/// The type in which integers add and multiply: they wrap around, as in PyTorch, where signed ones would be undefined.
template <class T>
using wrapping_t = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;

/// out = f(x) for contiguous out, values computed in compute_t<T>.
template <class T, class F>
void map_one(const KernelCall& call, F f) {
  const Tensor& x = call.in[0];
  const StridedLoop<1> loop(x.shape(), {x.strides()});
  const T* from = x.data<T>();
  T* out = call.out[0].mutable_data<T>();
  call.context.threads().parallel_for(loop.count(), parallel_grain, [&](std::int64_t begin, std::int64_t end) {
    T* to = out + begin;
    loop.runs(begin, end, [&](const auto& at, std::int64_t length) {
      const T* a = from + at[0];
      const std::int64_t step = loop.step(0);
      if (step == 1)
        for (std::int64_t i = 0; i < length; ++i) to[i] = convert_element<T>(f(load(a[i])));
      else
        for (std::int64_t i = 0; i < length; ++i) to[i] = convert_element<T>(f(load(a[i * step])));
      to += length;
    });
  });
}

/// out = f(a, b) with broadcasting; Out is bool for comparisons.
template <class T, class Out, class F>
void map_two(const KernelCall& call, F f) {
  const Tensor& result = call.out[0];
  const Shape& shape = result.shape();
  const StridedLoop<2> loop(shape, {broadcast_strides(call.in[0], shape), broadcast_strides(call.in[1], shape)});
  const T* left = call.in[0].data<T>();
  const T* right = call.in[1].data<T>();
  Out* out = result.mutable_data<Out>();
  call.context.threads().parallel_for(loop.count(), parallel_grain, [&](std::int64_t begin, std::int64_t end) {
    Out* to = out + begin;
    loop.runs(begin, end, [&](const auto& at, std::int64_t length) {
      const T* a = left + at[0];
      const T* b = right + at[1];
      const std::int64_t sa = loop.step(0);
      const std::int64_t sb = loop.step(1);
      if (sa == 1 && sb == 1)
        for (std::int64_t i = 0; i < length; ++i) to[i] = convert_element<Out>(f(load(a[i]), load(b[i])));
      else if (sa == 1 && sb == 0)
        for (std::int64_t i = 0; i < length; ++i) to[i] = convert_element<Out>(f(load(a[i]), load(b[0])));
      else
        for (std::int64_t i = 0; i < length; ++i) to[i] = convert_element<Out>(f(load(a[i * sa]), load(b[i * sb])));
      to += length;
    });
  });
}

}  // namespace trustformers::cpu
