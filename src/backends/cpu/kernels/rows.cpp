#include "../rows/rows.h"

#include "../../../ops/activation/activation.h"
#include "../../../ops/elementwise/unary.h"
#include "../../../ops/norm/norm.h"
#include "../../../tensor/context.h"
#include "../cpu_device.h"

namespace trustformers::cpu {
namespace {

bool all_f32(const OpCall& call) {
  for (const Tensor& t : call.in)
    if (t.defined() && t.dtype() != DType::f32) return false;
  return true;
}

const float* optional_data(const Tensor& t) { return t.defined() ? t.data<float>() : nullptr; }

struct Rows {
  std::int64_t count, width;
};
Rows rows_of(const Tensor& x) { return {x.numel() / x.size(-1), x.size(-1)}; }

void rms_norm_kernel(const KernelCall& call) {
  const Tensor& x = call.in[0];
  if (x.numel() == 0) return;
  const auto [count, width] = rows_of(x);
  rms_norm(call.context.threads(), count, width, {x.data<float>(), width}, optional_data(call.in[1]), 0,
           static_cast<float>(call.as<NormAttrs>().eps), {call.out[0].mutable_data<float>(), width});
}

void layer_norm_kernel(const KernelCall& call) {
  const Tensor& x = call.in[0];
  if (x.numel() == 0) return;
  const auto [count, width] = rows_of(x);
  layer_norm(call.context.threads(), count, width, {x.data<float>(), width}, optional_data(call.in[1]),
             optional_data(call.in[2]), static_cast<float>(call.as<NormAttrs>().eps),
             {call.out[0].mutable_data<float>(), width});
}

bool softmax_supports(const OpCall& call) {
  return all_f32(call) && call.as<SoftmaxAttrs>().dim == static_cast<std::int64_t>(call.in[0].rank()) - 1;
}

void softmax_kernel(const KernelCall& call) {
  const Tensor& x = call.in[0];
  if (x.numel() == 0) return;
  const auto [count, width] = rows_of(x);
  softmax(call.context.threads(), count, width, {x.data<float>(), width}, {call.out[0].mutable_data<float>(), width});
}

Activation gelu_activation(GeluKind kind) {
  switch (kind) {
    case GeluKind::exact: return Activation::gelu;
    case GeluKind::tanh: return Activation::gelu_tanh;
    case GeluKind::quick: return Activation::gelu_quick;
  }
  fail(ErrorCode::invalid_argument, "[gelu] no such kind: ", static_cast<int>(kind));
}

void run_activation(const KernelCall& call, Activation f) {
  activate(call.context.threads(), f, call.in[0].numel(), call.in[0].data<float>(), call.out[0].mutable_data<float>());
}

void run_gated(const KernelCall& call, Activation f) {
  const Tensor& gate = call.in[0];
  const std::int64_t count = gate.numel();
  if (count == 0) return;
  const auto [rows, width] = gate.rank() > 0 ? rows_of(gate) : Rows{1, 1};
  gated(call.context.threads(), f, rows, width, {gate.data<float>(), width}, {call.in[1].data<float>(), width},
        {call.out[0].mutable_data<float>(), width});
}

}  // namespace

void add_row_kernels(OpKernels& table) {
  table[&rms_norm_op] = {.run = rms_norm_kernel, .supports = all_f32};
  table[&layer_norm_op] = {.run = layer_norm_kernel, .supports = all_f32};
  table[&softmax_op] = {.run = softmax_kernel, .supports = softmax_supports};
  table[&silu_op] = {.run = [](const KernelCall& call) { run_activation(call, Activation::silu); },
                     .supports = all_f32};
  table[&gelu_op] = {
      .run = [](const KernelCall& call) { run_activation(call, gelu_activation(call.as<GeluAttrs>().kind)); },
      .supports = all_f32};
  table[&swiglu_op] = {.run = [](const KernelCall& call) { run_gated(call, Activation::silu); }, .supports = all_f32};
  table[&geglu_op] = {
      .run = [](const KernelCall& call) { run_gated(call, gelu_activation(call.as<GeluAttrs>().kind)); },
      .supports = all_f32};
}

}  // namespace trustformers::cpu
