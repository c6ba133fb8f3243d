#include "../../../ops/reduce/reduce.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "../../../tensor/context.h"
#include "../cpu_device.h"
#include "strided.h"

namespace trustformers::cpu {
namespace {

/// The kept and the reduced dimensions of x apart, in order.
struct Split {
  Shape kept, reduced;
  Strides kept_strides, reduced_strides;
};
Split split_dims(const Tensor& x, const Dims& dims) {
  Split out;
  for (std::size_t d = 0; d < x.rank(); ++d) {
    bool reduce = dims.empty();
    for (const std::int64_t dim : dims)
      reduce = reduce || dim == static_cast<std::int64_t>(d) ||
               dim + static_cast<std::int64_t>(x.rank()) == static_cast<std::int64_t>(d);
    (reduce ? out.reduced : out.kept).push_back(x.shape()[d]);
    (reduce ? out.reduced_strides : out.kept_strides).push_back(x.strides()[d]);
  }
  return out;
}

/// Sums in a wider type: double for floats (so that order matters little), i64 for integers.
struct Sum {
  template <class T>
  using State = std::conditional_t<std::is_floating_point_v<compute_t<T>>, double, std::int64_t>;
  template <class T>
  static State<T> start() {
    return 0;
  }
  template <class S, class V>
  static S step(S state, V value) {
    using W = std::conditional_t<std::is_integral_v<S>, std::uint64_t, S>;  // integers wrap around
    return static_cast<S>(static_cast<W>(state) + static_cast<W>(value));
  }
};
struct Max {
  template <class T>
  using State = compute_t<T>;
  template <class T>
  static State<T> start() {
    using S = State<T>;
    return std::numeric_limits<S>::has_infinity ? -std::numeric_limits<S>::infinity()
                                                : std::numeric_limits<S>::lowest();
  }
  template <class S>
  static S step(S state, S value) {
    return value > state || is_nan(value) ? value : state;
  }
};
struct Min {
  template <class T>
  using State = compute_t<T>;
  template <class T>
  static State<T> start() {
    using S = State<T>;
    return std::numeric_limits<S>::has_infinity ? std::numeric_limits<S>::infinity() : std::numeric_limits<S>::max();
  }
  template <class S>
  static S step(S state, S value) {
    return value < state || is_nan(value) ? value : state;
  }
};

/// Outputs are taken in stretches of neighbours so that reducing outer dimensions still reads memory in order.
constexpr std::int64_t stretch = 64;

template <class Reduce>
void reduce_kernel(const KernelCall& call) {
  const Tensor& x = call.in[0];
  const Split dims = split_dims(x, call.as<ReduceAttrs>().dims);
  const StridedLoop<1> outer(dims.kept, {dims.kept_strides});
  const StridedLoop<1> inner(dims.reduced, {dims.reduced_strides});
  const std::int64_t per_output = std::max<std::int64_t>(1, inner.count());
  for_each_dtype(x.dtype(), "reduce", [&]<class T>(TypeTag<T>) {
    if constexpr (!std::is_same_v<T, bool>) {
      using State = typename Reduce::template State<T>;
      const T* from = x.data<T>();
      T* out = call.out[0].mutable_data<T>();
      outer.parallel_runs(call.context.threads(), 1 + parallel_grain / per_output, [&](const Run<1>& kept) {
        const auto [at, step, first, length] = kept;
        for (std::int64_t done = 0; done < length; done += stretch) {
          const std::int64_t width = std::min(stretch, length - done);
          const std::int64_t neighbour = step[0];
          const T* base = from + at[0] + done * neighbour;
          State states[stretch];
          std::fill_n(states, width, Reduce::template start<T>());
          inner.runs(0, inner.count(), [&](const Run<1>& reduced) {
            for (std::int64_t r = 0; r < reduced.length; ++r) {
              const T* row = base + reduced.at[0] + r * reduced.step[0];
              for (std::int64_t i = 0; i < width; ++i) {
                if constexpr (std::is_same_v<Reduce, Sum>)
                  states[i] = Reduce::step(states[i], load(row[i * neighbour]));
                else
                  states[i] = Reduce::step(states[i], static_cast<State>(load(row[i * neighbour])));
              }
            }
          });
          for (std::int64_t i = 0; i < width; ++i) out[first + done + i] = convert_element<T>(states[i]);
        }
      });
    }
  });
}

void argmax_kernel(const KernelCall& call) {
  const Tensor& x = call.in[0];
  const std::int64_t dim = normalize_dim(call.as<ArgAttrs>().dim, x.rank(), "argmax");
  const Split dims = split_dims(x, {dim});
  const StridedLoop<1> outer(dims.kept, {dims.kept_strides});
  const std::int64_t size = x.size(dim);
  const std::int64_t stride = x.strides()[static_cast<std::size_t>(dim)];
  for_each_dtype(x.dtype(), "argmax", [&]<class T>(TypeTag<T>) {
    const T* from = x.data<T>();
    auto* out = call.out[0].mutable_data<std::int64_t>();
    outer.parallel_runs(call.context.threads(), 1 + parallel_grain / size, [&](const Run<1>& run) {
      for (std::int64_t i = 0; i < run.length; ++i) {
        const T* row = from + run.at[0] + i * run.step[0];
        std::int64_t best = 0;
        auto best_value = load(row[0]);
        for (std::int64_t j = 1; j < size && !is_nan(best_value); ++j) {
          const auto value = load(row[j * stride]);
          if (value > best_value || is_nan(value)) {
            best = j;
            best_value = value;
          }
        }
        out[run.first + i] = best;
      }
    });
  });
}

void cumsum_kernel(const KernelCall& call) {
  const Tensor& x = call.in[0];
  const Tensor& y = call.out[0];
  const auto dim = static_cast<std::size_t>(normalize_dim(call.as<CumsumAttrs>().dim, x.rank(), "cumsum"));
  Shape lines = x.shape();
  const std::int64_t size = lines[dim];
  lines[dim] = std::min<std::int64_t>(1, size);
  const StridedLoop<2> loop(lines, {x.strides(), y.strides()});
  for_each_dtype(x.dtype(), "cumsum", [&]<class T>(TypeTag<T>) {
    if constexpr (!std::is_same_v<T, bool>) {
      const T* from = x.data<T>();
      T* to = y.mutable_data<T>();
      const std::int64_t x_stride = x.strides()[dim];
      const std::int64_t y_stride = y.strides()[dim];
      loop.runs(0, loop.count(), [&](const Run<2>& run) {
        for (std::int64_t i = 0; i < run.length; ++i) {
          Sum::State<T> state = 0;
          for (std::int64_t j = 0; j < size; ++j) {
            state = Sum::step(state, load(from[run.at[0] + i * run.step[0] + j * x_stride]));
            to[run.at[1] + i * run.step[1] + j * y_stride] = convert_element<T>(state);
          }
        }
      });
    }
  });
}

}  // namespace

void add_reduce_kernels(OpKernels& table) {
  table[&sum_op] = {.run = reduce_kernel<Sum>, .layout = KernelLayout::any};
  table[&max_op] = {.run = reduce_kernel<Max>, .layout = KernelLayout::any};
  table[&min_op] = {.run = reduce_kernel<Min>, .layout = KernelLayout::any};
  table[&argmax_op] = {.run = argmax_kernel, .layout = KernelLayout::any};
  table[&cumsum_op] = {.run = cumsum_kernel, .layout = KernelLayout::any};
}

}  // namespace trustformers::cpu
