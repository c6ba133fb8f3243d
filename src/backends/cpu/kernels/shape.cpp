#include "../../../ops/shape/shape_ops.h"

#include <cstring>

#include "../../../tensor/context.h"
#include "../cpu_device.h"
#include "strided.h"

namespace trustformers::cpu {
namespace {

template <class Element>
void copy_typed(const Tensor& source, const Tensor& target, const std::byte* from_bytes, std::byte* to_bytes) {
  const StridedLoop<2> loop(source.shape(), {source.strides(), target.strides()});
  const auto* from = reinterpret_cast<const Element*>(from_bytes);
  auto* to = reinterpret_cast<Element*>(to_bytes);
  loop.parallel_runs(Context::current().threads(), 4 * parallel_grain, [&](const Run<2>& run) {
    const Element* x = from + run.at[0];
    Element* y = to + run.at[1];
    const auto [a, b] = run.step;
    const std::int64_t length = run.length;
    if (a == 1 && b == 1)
      std::memcpy(y, x, static_cast<std::size_t>(length) * sizeof(Element));
    else
      for (std::int64_t i = 0; i < length; ++i) y[i * b] = x[i * a];
  });
}

/// Rows of blocks: the last dimension is copied whole.
void copy_block_rows(const Tensor& source, const Tensor& target) {
  check(source.strides().back() == 1 && target.strides().back() == 1, ErrorCode::unsupported, "[copy] the blocks of ",
        describe(source), " are not contiguous in the last dimension");
  Shape rows = source.shape();
  Strides from = source.strides();
  Strides to = target.strides();
  rows.pop_back();
  from.pop_back();
  to.pop_back();
  const StridedLoop<2> loop(rows, {from, to});
  const DType dtype = source.dtype();
  const auto bytes = static_cast<std::size_t>(byte_size(dtype, source.size(-1)));
  loop.runs(0, loop.count(), [&](const Run<2>& run) {
    for (std::int64_t i = 0; i < run.length; ++i)
      std::memcpy(target.mutable_raw() + byte_size(dtype, run.at[1] + i * run.step[1]),
                  source.raw() + byte_size(dtype, run.at[0] + i * run.step[0]), bytes);
  });
}

void concat_kernel(const KernelCall& call) {
  const std::int64_t dim = call.as<ConcatAttrs>().dim;
  std::int64_t at = 0;
  const Tensor& out = call.out[0];
  for (const Tensor& part : call.in) {
    const std::int64_t shift = at * out.strides()[static_cast<std::size_t>(dim)];
    copy_elements(part, make_view(out, part.shape(), out.strides(), out.impl().offset + shift));
    at += part.size(dim);
  }
}

void slice_scatter_kernel(const KernelCall& call) {
  const auto& a = call.as<SliceAttrs>();
  const Tensor& out = call.out[0];
  copy_elements(call.in[0], out);
  if (call.in[1].numel() == 0) return;
  Strides strides = out.strides();
  const auto d = static_cast<std::size_t>(a.dim);
  const std::int64_t shift = a.start * strides[d];
  strides[d] *= a.step;
  copy_elements(call.in[1], make_view(out, call.in[1].shape(), strides, out.impl().offset + shift));
}

}  // namespace

void copy_elements(const Tensor& source, const Tensor& target) {
  if (source.numel() == 0) return;
  if (is_block(source.dtype())) return copy_block_rows(source, target);
  switch (element_size(source.dtype())) {
    case 1: return copy_typed<std::uint8_t>(source, target, source.raw(), target.mutable_raw());
    case 2: return copy_typed<std::uint16_t>(source, target, source.raw(), target.mutable_raw());
    case 4: return copy_typed<std::uint32_t>(source, target, source.raw(), target.mutable_raw());
    default: return copy_typed<std::uint64_t>(source, target, source.raw(), target.mutable_raw());
  }
}

void add_shape_kernels(OpKernels& table) {
  table[&concat_op] = {.run = concat_kernel, .layout = KernelLayout::any};
  table[&slice_scatter_op] = {.run = slice_scatter_kernel, .layout = KernelLayout::any};
}

}  // namespace trustformers::cpu
