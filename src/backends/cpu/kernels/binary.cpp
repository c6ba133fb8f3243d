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
  const bool* condition = call.in[0].data<bool>();
  for_each_dtype(call.out[0].dtype(), "where", [&]<class T>(TypeTag<T>) {
    const T* left = call.in[1].data<T>();
    const T* right = call.in[2].data<T>();
    T* out = call.out[0].mutable_data<T>();
    for_each_run<3>(call, [=](const Run<3>& run) {
      const auto [at, step, first, length] = run;
      for (std::int64_t i = 0; i < length; ++i)
        out[first + i] = condition[at[0] + i * step[0]] ? left[at[1] + i * step[1]] : right[at[2] + i * step[2]];
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
