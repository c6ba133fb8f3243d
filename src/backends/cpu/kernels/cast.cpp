#include <vector>

#include "../../../ops/elementwise/unary.h"
#include "../../../quantization/blocks.h"
#include "../cpu_device.h"
#include "elementwise.h"

namespace trustformers::cpu {
namespace {

/// Block formats, row by row through f32.
void dequantize_kernel(const KernelCall& call) {
  const Tensor x = call.in[0].is_contiguous() ? call.in[0] : call.in[0].device().contiguous(call.in[0]);
  const std::int64_t width = x.size(-1);
  const std::int64_t row_bytes = byte_size(x.dtype(), width);
  const std::byte* from = x.raw();
  const std::int64_t rows = width ? x.numel() / width : 0;
  for_each_floating(call.out[0].dtype(), "cast", [&]<class T>(TypeTag<T>) {
    T* out = call.out[0].mutable_data<T>();
    call.context.threads().parallel_for(
        rows, 1 + parallel_grain / (width + 1), [&](std::int64_t begin, std::int64_t end) {
          std::vector<float> wide(static_cast<std::size_t>(width));
          for (std::int64_t row = begin; row < end; ++row) {
            dequantize_row(x.dtype(), from + row * row_bytes, width, wide.data());
            for (std::int64_t i = 0; i < width; ++i)
              out[row * width + i] = convert_element<T>(wide[static_cast<std::size_t>(i)]);
          }
        });
  });
}

void cast_kernel(const KernelCall& call) {
  const Tensor& x = call.in[0];
  if (is_block(x.dtype())) return dequantize_kernel(call);
  for_each_dtype(x.dtype(), "cast", [&]<class From>(TypeTag<From>) {
    const From* from = x.data<From>();
    for_each_dtype(call.out[0].dtype(), "cast", [&]<class To>(TypeTag<To>) {
      To* out = call.out[0].mutable_data<To>();
      for_each_run<1>(call, [=](const Run<1>& run) {
        const auto [at, step, first, length] = run;
        for (std::int64_t i = 0; i < length; ++i) out[first + i] = convert_element<To>(from[at[0] + i * step[0]]);
      });
    });
  });
}

}  // namespace

void add_cast_kernels(OpKernels& table) { table[&cast_op] = {.run = cast_kernel, .layout = KernelLayout::any}; }

}  // namespace trustformers::cpu
