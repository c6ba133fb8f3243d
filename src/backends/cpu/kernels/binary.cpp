#include "../../../ops/elementwise/binary.h"

#include <cmath>
#include <functional>
#include <type_traits>

#include "../cpu_device.h"
#include "elementwise.h"

namespace trustformers::cpu {
namespace {

struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(wrapping_t<T>(a) + wrapping_t<T>(b));
  }
};
struct Subtract {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(wrapping_t<T>(a) - wrapping_t<T>(b));
  }
};
struct Multiply {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(wrapping_t<T>(a) * wrapping_t<T>(b));
  }
};
struct Maximum {
  template <class T>
  T operator()(T a, T b) const {
    if (is_nan(a)) return a;
    return a > b ? a : b;  // b when b is NaN
  }
};
struct Minimum {
  template <class T>
  T operator()(T a, T b) const {
    if (is_nan(a)) return a;
    return a < b ? a : b;
  }
};

template <class F>
void arithmetic_kernel(const KernelCall& call) {
  for_each_dtype(call.in[0].dtype(), "arithmetic", [&]<class T>(TypeTag<T>) {
    if constexpr (!std::is_same_v<T, bool>) map_two<T, T>(call, F());
  });
}

void divide_kernel(const KernelCall& call) {
  for_each_floating(call.in[0].dtype(), "div", [&]<class T>(TypeTag<T>) { map_two<T, T>(call, std::divides<>()); });
}

template <class F>
void comparison_kernel(const KernelCall& call) {
  for_each_dtype(call.in[0].dtype(), "comparison", [&]<class T>(TypeTag<T>) { map_two<T, bool>(call, F()); });
}

void where_kernel(const KernelCall& call) {
  const Tensor& result = call.out[0];
  const Shape& shape = result.shape();
  const StridedLoop<3> loop(shape, {broadcast_strides(call.in[0], shape), broadcast_strides(call.in[1], shape),
                                    broadcast_strides(call.in[2], shape)});
  const bool* condition = call.in[0].data<bool>();
  for_each_dtype(result.dtype(), "where", [&]<class T>(TypeTag<T>) {
    const T* left = call.in[1].data<T>();
    const T* right = call.in[2].data<T>();
    T* out = result.mutable_data<T>();
    call.context.threads().parallel_for(loop.count(), parallel_grain, [&](std::int64_t begin, std::int64_t end) {
      T* to = out + begin;
      loop.runs(begin, end, [&](const auto& at, std::int64_t length) {
        for (std::int64_t i = 0; i < length; ++i)
          to[i] =
              condition[at[0] + i * loop.step(0)] ? left[at[1] + i * loop.step(1)] : right[at[2] + i * loop.step(2)];
        to += length;
      });
    });
  });
}

}  // namespace

void add_binary_kernels(OpKernels& table) {
  const auto add = [&](const OpDef& op, void (*run)(const KernelCall&)) {
    table[&op] = {.run = run, .layout = KernelLayout::any};
  };
  add(add_op, arithmetic_kernel<Add>);
  add(sub_op, arithmetic_kernel<Subtract>);
  add(mul_op, arithmetic_kernel<Multiply>);
  add(div_op, divide_kernel);
  add(maximum_op, arithmetic_kernel<Maximum>);
  add(minimum_op, arithmetic_kernel<Minimum>);
  add(equal_op, comparison_kernel<std::equal_to<>>);
  add(less_op, comparison_kernel<std::less<>>);
  add(less_equal_op, comparison_kernel<std::less_equal<>>);
  add(logical_and_op, [](const KernelCall& call) { map_two<bool, bool>(call, std::logical_and<>()); });
  add(logical_or_op, [](const KernelCall& call) { map_two<bool, bool>(call, std::logical_or<>()); });
  add(where_op, where_kernel);
}

}  // namespace trustformers::cpu
