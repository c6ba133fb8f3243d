#include "../../../ops/matmul/matmul.h"

#include "../../../ops/elementwise/unary.h"
#include "../../../tensor/context.h"
#include "../cpu_device.h"
#include "../gemm/gemm.h"
#include "strided.h"

namespace trustformers::cpu {
namespace {

template <class T>
void matmul_typed(const Tensor& a, const Tensor& b, const Tensor& c, Context& context) {
  const std::int64_t m = a.size(-2);
  const std::int64_t k = a.size(-1);
  const std::int64_t n = b.size(-1);
  Shape batch = c.shape();
  batch.pop_back();
  batch.pop_back();
  const auto batch_strides = [&](const Tensor& t) {
    Strides strides(batch.size(), 0);
    const std::size_t extra = batch.size() + 2 - t.rank();
    for (std::size_t d = extra; d < batch.size(); ++d)
      if (t.shape()[d - extra] == batch[d]) strides[d] = t.strides()[d - extra];
    return strides;
  };
  const auto view = [](const Tensor& t, std::int64_t offset) {
    return MatrixView<T>{t.data<T>() + offset, t.strides()[t.rank() - 2], t.strides()[t.rank() - 1]};
  };
  const StridedLoop<2> loop(batch, {batch_strides(a), batch_strides(b)});
  const auto range = [&](std::int64_t begin, std::int64_t end) {
    loop.runs(begin, end, [&](const Run<2>& run) {
      for (std::int64_t i = 0; i < run.length; ++i)
        matmul(context.threads(), m, n, k, view(a, run.at[0] + i * run.step[0]), view(b, run.at[1] + i * run.step[1]),
               c.mutable_data<T>() + (run.first + i) * m * n, n);
    });
  };
  // Many products: each worker takes whole ones. Few: each product is split.
  if (loop.count() >= 2 * context.threads().threads())
    context.threads().parallel_for(loop.count(), 1, range);
  else
    range(0, loop.count());
}

void matmul_kernel(const KernelCall& call) {
  const Tensor& c = call.out[0];
  if (c.numel() == 0) return;
  switch (c.dtype()) {
    case DType::f64: return matmul_typed<double>(call.in[0], call.in[1], c, call.context);
    case DType::f32: return matmul_typed<float>(call.in[0], call.in[1], c, call.context);
    default: {
      const Tensor wide = Tensor::empty(c.shape(), DType::f32);
      matmul_typed<float>(cast(call.in[0], DType::f32), cast(call.in[1], DType::f32), wide, call.context);
      copy_elements(cast(wide, c.dtype()), c);
    }
  }
}

void linear_kernel(const KernelCall& call) {
  const Tensor x = call.in[0].device().contiguous(call.in[0]);
  const Tensor& weight = call.in[1];
  const Tensor& y = call.out[0];
  if (y.numel() == 0) return;
  const LinearCall linear_call = {
      .x = x.data<float>(),
      .x_stride = weight.size(1),
      .rows = y.numel() / weight.size(0),
      .y = y.mutable_data<float>(),
      .y_stride = weight.size(0),
      .bias = call.in[2].defined() ? call.in[2].data<float>() : nullptr,
      .activations = call.as<LinearAttrs>().exact ? Activations::exact : Activations::int8,
  };
  const auto* packed = static_cast<const PackedMatrix*>(weight.impl().storage->packed.get());
  // The storage keeps the packed twin of one view; other views of it go the plain way.
  if (packed && packed->is_of(stored_view(weight)))
    linear(call.context.threads(), *packed, linear_call);
  else
    linear(call.context.threads(), weight_view(weight), linear_call);
}

bool linear_supports(const OpCall& call) {
  const Tensor& x = call.in[0];
  const Tensor& weight = call.in[1];
  const Tensor& bias = call.in[2];
  return x.dtype() == DType::f32 && weight.dtype() != DType::f64 && weight.size(1) > 0 &&
         (!is_block(weight.dtype()) || weight.strides()[1] == 1) &&
         (!bias.defined() || (bias.dtype() == DType::f32 && bias.is_contiguous()));
}

}  // namespace

void add_matmul_kernels(OpKernels& table) {
  table[&matmul_op] = {.run = matmul_kernel, .layout = KernelLayout::any};
  // The weight may lie transposed (GPT-2's Conv1D), so it is not copied.
  table[&linear_op] = {.run = linear_kernel, .supports = linear_supports, .layout = KernelLayout::any};
}

}  // namespace trustformers::cpu
