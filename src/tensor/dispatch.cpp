#include "../base/pool_allocator.h"
#include "context.h"

namespace trustformers {
namespace {

thread_local bool grads_on = true;

/// The device all defined inputs live on (the default one when there are none). A traced input wins: the tracer takes
/// tensors of other devices as constants.
Device& common_device(const OpDef& op, std::span<const Tensor> in, Context& context) {
  Device* found = nullptr;
  for (const Tensor& input : in) {
    if (!input.defined()) continue;
    Device& device = input.device();
    if (!found || device.tracer()) {
      found = &device;
    } else {
      check(found == &device || found->tracer(), ErrorCode::invalid_argument, "[", op.name, "] inputs are on ",
            found->name(), " and on ", device.name());
    }
  }
  return found ? *found : context.default_device();
}

Tensors run_kernel(const Kernel& kernel, Device& device, const void* attrs, std::span<const Tensor> in,
                   const OutputSpecs& specs, Context& context) {
  Tensors out;
  for (const OutputSpec& spec : specs) out.push_back(Tensor::empty(spec.shape, spec.dtype, &device));
  const auto needs_copy = [&](const Tensor& t) {
    return kernel.layout == KernelLayout::contiguous && t.defined() && !t.is_contiguous();
  };
  bool any = false;
  for (const Tensor& input : in) any = any || needs_copy(input);
  if (any) {
    std::vector<Tensor, PoolAllocator<Tensor>> rows(in.begin(), in.end());
    for (Tensor& row : rows)
      if (needs_copy(row)) row = device.contiguous(row);
    kernel.run({attrs, rows, {out.data(), out.size()}, context});
  } else {
    kernel.run({attrs, in, {out.data(), out.size()}, context});
  }
  return out;
}

struct ProfileZone {
  ProfileZone(const Context& in, std::string_view name) : context(in), op(name) {
    if (context.profiler()) context.profiler()(op, true);
  }
  ~ProfileZone() {
    if (context.profiler()) context.profiler()(op, false);
  }
  ProfileZone(const ProfileZone&) = delete;
  ProfileZone& operator=(const ProfileZone&) = delete;
  const Context& context;
  std::string_view op;
};

}  // namespace

Tensors dispatch(const OpDef& op, const void* attrs, std::span<const Tensor> in) {
  Context& context = Context::current();
  const ProfileZone zone(context, op.name);
  const OpCall call{attrs, in, op.name};

  OutputSpecs specs;
  op.infer(call, specs);

  Device& device = common_device(op, in, context);
  if (TraceRecorder* tracer = device.tracer()) return tracer->record(op, attrs, in, specs);

  bool taped = false;
  if (grads_on)
    for (const Tensor& input : in) taped = taped || (input.defined() && input.requires_grad());

  Tensors out;
  const Kernel* kernel = op.view ? nullptr : device.find_kernel(op);
  if (op.view) {
    out.push_back(op.view(call));
  } else if (kernel && (!kernel->supports || kernel->supports(call))) {
    const NoGrad quiet;
    out = run_kernel(*kernel, device, attrs, in, specs, context);
  } else {
    check(op.decompose != nullptr, ErrorCode::unsupported, "[", op.name, "] ", device.name(), " has no kernel for ",
          describe(in.empty() ? Tensor() : in[0]));
    if (context.fallback_policy()) context.fallback_policy()(op.name);
    const auto decompose = [&] {
      return with_context([&] { return str("while computing ", op.name); }, [&] { return op.decompose(call); });
    };
    if (taped && !op.vjp) return decompose();  // the simpler ops record themselves
    const NoGrad quiet;
    out = decompose();
    // A decomposition may hand back an input; the tape needs a tensor of its own to mark.
    for (Tensor& result : out)
      for (const Tensor& input : in)
        if (input.defined() && result.is_same(input))
          result = make_view(input, input.shape(), input.strides(), input.impl().offset);
  }
  if (taped) context.tape().record(op, attrs, in, {out.data(), out.size()});
  return out;
}

bool grad_enabled() { return grads_on; }
NoGrad::NoGrad() : before_(grads_on) { grads_on = false; }
NoGrad::~NoGrad() { grads_on = before_; }
EnableGrad::EnableGrad() : before_(grads_on) { grads_on = true; }
EnableGrad::~EnableGrad() { grads_on = before_; }

}  // namespace trustformers
