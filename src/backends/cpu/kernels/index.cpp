#include "../../../ops/index/index.h"

#include <cstring>
#include <vector>

#include "../../../quantization/blocks.h"
#include "../../../tensor/context.h"
#include "../cpu_device.h"
#include "strided.h"

namespace trustformers::cpu {
namespace {

/// Reads an index of either integer type and checks it.
class Indices {
 public:
  Indices(const Tensor& t, std::int64_t bound, std::string_view op) : bound_(bound), op_(op) {
    if (t.dtype() == DType::i64)
      wide_ = t.data<std::int64_t>();
    else
      narrow_ = t.data<std::int32_t>();
  }
  std::int64_t operator[](std::int64_t i) const {
    const std::int64_t index = wide_ ? wide_[i] : narrow_[i];
    check(index >= 0 && index < bound_, ErrorCode::out_of_range, "[", op_, "] index ", index, " is outside [0, ",
          bound_, ")");
    return index;
  }

 private:
  const std::int64_t* wide_ = nullptr;
  const std::int32_t* narrow_ = nullptr;
  std::int64_t bound_;
  std::string_view op_;
};

/// The strides of x without the step along `dim`, which the index supplies.
Strides without(const Strides& strides, std::int64_t dim) {
  Strides out = strides;
  out[static_cast<std::size_t>(dim)] = 0;
  return out;
}

void gather_kernel(const KernelCall& call) {
  const std::int64_t dim = call.as<IndexAttrs>().dim;
  const Tensor& x = call.in[0];
  const Tensor& index = call.in[1];
  const StridedLoop<2> loop(index.shape(), {without(x.strides(), dim), index.strides()});
  const std::int64_t stride = x.strides()[static_cast<std::size_t>(dim)];
  const Indices rows(index, x.size(dim), "gather");
  for_each_dtype(x.dtype(), "gather", [&]<class T>(TypeTag<T>) {
    const T* from = x.data<T>();
    T* out = call.out[0].mutable_data<T>();
    loop.parallel_runs(call.context.threads(), parallel_grain, [&](const Run<2>& run) {
      const auto [at, step, first, length] = run;
      for (std::int64_t i = 0; i < length; ++i)
        out[first + i] = from[at[0] + i * step[0] + rows[at[1] + i * step[1]] * stride];
    });
  });
}

/// Serial: sources may meet in one element, and their order fixes the sum.
void scatter_add_kernel(const KernelCall& call) {
  const std::int64_t dim = call.as<IndexAttrs>().dim;
  const Tensor& out = call.out[0];
  const Tensor& index = call.in[1];
  const Tensor& source = call.in[2];
  copy_elements(call.in[0], out);
  const StridedLoop<3> loop(index.shape(), {without(out.strides(), dim), index.strides(), source.strides()});
  const std::int64_t stride = out.strides()[static_cast<std::size_t>(dim)];
  const Indices rows(index, out.size(dim), "scatter_add");
  for_each_dtype(out.dtype(), "scatter_add", [&]<class T>(TypeTag<T>) {
    const T* from = source.data<T>();
    T* to = out.mutable_data<T>();
    loop.runs(0, loop.count(), [&](const Run<3>& run) {
      for (std::int64_t i = 0; i < run.length; ++i) {
        T& sum = to[run.at[0] + i * run.step[0] + rows[run.at[1] + i * run.step[1]] * stride];
        sum = convert_element<T>(load(sum) + load(from[run.at[2] + i * run.step[2]]));
      }
    });
  });
}

void embedding_kernel(const KernelCall& call) {
  const Tensor& weight = call.in[0];
  const Tensor& ids = call.in[1];
  const std::int64_t width = weight.size(1);
  const std::int64_t stride = weight.strides()[0];
  const Indices rows(ids, weight.size(0), "embedding");
  const DType dtype = weight.dtype();
  std::byte* out = call.out[0].mutable_raw();
  const std::int64_t out_bytes = byte_size(call.out[0].dtype(), width);
  // A table that is also the last layer's weight may be left in packed form alone.
  const Storage& storage = *weight.impl().storage;
  const auto* packed = storage.data ? nullptr : static_cast<const PackedMatrix*>(storage.packed.get());
  if (packed && packed->is_of(stored_view(weight))) {
    call.context.threads().parallel_for(ids.numel(), 1 + parallel_grain / (width + 1),
                                        [&](std::int64_t begin, std::int64_t end) {
                                          for (std::int64_t i = begin; i < end; ++i)
                                            packed->copy_row(rows[i], out + i * out_bytes);
                                        });
    return;
  }
  call.context.threads().parallel_for(
      ids.numel(), 1 + parallel_grain / (width + 1), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const std::byte* row = weight.raw() + byte_size(dtype, rows[i] * stride);
          if (is_block(dtype))
            dequantize_row(dtype, row, width, reinterpret_cast<float*>(out + i * out_bytes));
          else
            std::memcpy(out + i * out_bytes, row, static_cast<std::size_t>(out_bytes));
        }
      });
}

}  // namespace

void add_index_kernels(OpKernels& table) {
  table[&gather_op] = {.run = gather_kernel, .layout = KernelLayout::any};
  table[&scatter_add_op] = {.run = scatter_add_kernel, .layout = KernelLayout::any};
  table[&embedding_op] = {.run = embedding_kernel};
}

}  // namespace trustformers::cpu
