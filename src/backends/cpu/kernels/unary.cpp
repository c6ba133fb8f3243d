#include <cmath>
#include <type_traits>

#include "../../../ops/elementwise/unary.h"
#include "../cpu_device.h"
#include "elementwise.h"

namespace trustformers::cpu {
namespace {

struct Neg {
  template <class T>
  T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>)
      return -x;
    else
      return static_cast<T>(0 - wrapping_t<T>(x));
  }
};
struct Abs {
  template <class T>
  T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>)
      return std::fabs(x);
    else
      return x < T{0} ? Neg()(x) : x;
  }
};
struct Sign {
  template <class T>
  T operator()(T x) const {
    if (is_nan(x)) return x;
    return static_cast<T>((x > T{0}) - (x < T{0}));
  }
};
struct Relu {
  template <class T>
  T operator()(T x) const {
    return x < T{0} ? T{0} : x;
  }
};
struct Exp {
  template <class T>
  T operator()(T x) const {
    return std::exp(x);
  }
};
struct Log {
  template <class T>
  T operator()(T x) const {
    return std::log(x);
  }
};
struct Sqrt {
  template <class T>
  T operator()(T x) const {
    return std::sqrt(x);
  }
};
struct Rsqrt {
  template <class T>
  T operator()(T x) const {
    return T{1} / std::sqrt(x);
  }
};
struct Sin {
  template <class T>
  T operator()(T x) const {
    return std::sin(x);
  }
};
struct Cos {
  template <class T>
  T operator()(T x) const {
    return std::cos(x);
  }
};
struct Tanh {
  template <class T>
  T operator()(T x) const {
    return std::tanh(x);
  }
};
struct Sigmoid {
  template <class T>
  T operator()(T x) const {
    return T{1} / (T{1} + std::exp(-x));
  }
};
struct Erf {
  template <class T>
  T operator()(T x) const {
    return std::erf(x);
  }
};
struct Floor {
  template <class T>
  T operator()(T x) const {
    return std::floor(x);
  }
};

template <class F>
void number_kernel(const KernelCall& call) {
  for_each_dtype(call.in[0].dtype(), "elementwise", [&]<class T>(TypeTag<T>) {
    if constexpr (!std::is_same_v<T, bool>) map_one<T>(call, F());
  });
}

template <class F>
void floating_kernel(const KernelCall& call) {
  for_each_floating(call.in[0].dtype(), "elementwise", [&]<class T>(TypeTag<T>) { map_one<T>(call, F()); });
}

void affine_kernel(const KernelCall& call) {
  const auto& a = call.as<AffineAttrs>();
  for_each_dtype(call.in[0].dtype(), "affine", [&]<class T>(TypeTag<T>) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      // Whole factors stay exact beyond 2^53; others go through double and truncate, as a cast would.
      const auto whole = [](double v) { return v == std::trunc(v) && std::abs(v) < 0x1p63; };
      if (whole(a.scale) && whole(a.shift)) {
        const auto scale = static_cast<std::uint64_t>(static_cast<std::int64_t>(a.scale));
        const auto shift = static_cast<std::uint64_t>(static_cast<std::int64_t>(a.shift));
        map_one<T>(call, [=](T x) { return static_cast<std::int64_t>(wrapping_t<T>(x) * scale + shift); });
      } else {
        map_one<T>(call, [&](T x) { return static_cast<double>(x) * a.scale + a.shift; });
      }
    } else if constexpr (!std::is_same_v<T, bool>) {
      using C = compute_t<T>;
      const C scale = static_cast<C>(a.scale);
      const C shift = static_cast<C>(a.shift);
      map_one<T>(call, [=](C x) { return x * scale + shift; });
    }
  });
}

void pow_kernel(const KernelCall& call) {
  const double exponent = call.as<PowAttrs>().exponent;
  for_each_floating(call.in[0].dtype(), "pow", [&]<class T>(TypeTag<T>) {
    using C = compute_t<T>;
    map_one<T>(call, [=](C x) { return std::pow(x, static_cast<C>(exponent)); });
  });
}

void logical_not_kernel(const KernelCall& call) {
  map_one<bool>(call, [](bool x) { return !x; });
}

}  // namespace

void add_unary_kernels(OpKernels& table) {
  const auto add = [&](const OpDef& op, void (*run)(const KernelCall&)) {
    table[&op] = {.run = run, .layout = KernelLayout::any};
  };
  add(neg_op, number_kernel<Neg>);
  add(abs_op, number_kernel<Abs>);
  add(sign_op, number_kernel<Sign>);
  add(relu_op, number_kernel<Relu>);
  add(exp_op, floating_kernel<Exp>);
  add(log_op, floating_kernel<Log>);
  add(sqrt_op, floating_kernel<Sqrt>);
  add(rsqrt_op, floating_kernel<Rsqrt>);
  add(sin_op, floating_kernel<Sin>);
  add(cos_op, floating_kernel<Cos>);
  add(tanh_op, floating_kernel<Tanh>);
  add(sigmoid_op, floating_kernel<Sigmoid>);
  add(erf_op, floating_kernel<Erf>);
  add(floor_op, floating_kernel<Floor>);
  add(affine_op, affine_kernel);
  add(pow_op, pow_kernel);
  add(logical_not_op, logical_not_kernel);
}

}  // namespace trustformers::cpu
