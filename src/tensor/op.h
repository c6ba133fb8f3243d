// What an op is, and the one dispatch() that every op passes through.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tensor.h"

namespace trustformers {

class Context;

/// How the plain struct that holds an op's attributes is copied when a tape or a trace keeps it.
struct AttrsType {
  std::shared_ptr<const void> (*copy)(const void* attrs) = nullptr;
};

/// Attributes of ops that have none.
struct NoAttrs {};

template <class Attrs>
constexpr AttrsType attrs_type() {
  return {[](const void* attrs) -> std::shared_ptr<const void> {
    return std::make_shared<const Attrs>(*static_cast<const Attrs*>(attrs));
  }};
}

struct OutputSpec {
  Shape shape;
  DType dtype = DType::f32;
};
using OutputSpecs = InlineVector<OutputSpec, 4>;

/// An op applied to inputs; undefined tensors stand for absent optional inputs.
struct OpCall {
  const void* attrs;
  std::span<const Tensor> in;
  std::string_view name = {};  // of the op, for the messages of a rule that several share; set for `infer`
  template <class Attrs>
  const Attrs& as() const {
    return *static_cast<const Attrs*>(attrs);
  }
};

struct VjpCall {
  const void* attrs;
  std::span<const Tensor> in;
  std::span<const Tensor> out;    // detached
  std::span<const Tensor> grads;  // of the outputs; undefined where nothing flowed
  std::span<const bool> needs;    // per input
  template <class Attrs>
  const Attrs& as() const {
    return *static_cast<const Attrs*>(attrs);
  }
};

/// The definition of an op. `infer` checks inputs (throwing with `[name] expected, got`) and gives output shapes.
/// A primitive has no `decompose`; a view op shares its input's storage; an op without `vjp` is differentiated
/// through its decomposition.
struct OpDef {
  std::string_view name;
  AttrsType attrs;
  void (*infer)(const OpCall& call, OutputSpecs& out);
  Tensors (*decompose)(const OpCall& call) = nullptr;
  /// One gradient per input, undefined where none flows (or none is needed).
  std::vector<Tensor> (*vjp)(const VjpCall& call) = nullptr;
  Tensor (*view)(const OpCall& call) = nullptr;
};

/// Inputs with their outputs already allocated (contiguous, of the inferred shapes).
struct KernelCall {
  const void* attrs;
  std::span<const Tensor> in;
  std::span<const Tensor> out;
  Context& context;
  template <class Attrs>
  const Attrs& as() const {
    return *static_cast<const Attrs*>(attrs);
  }
};

enum class KernelLayout { any, contiguous };  // contiguous: dispatch copies strided inputs first

struct Kernel {
  void (*run)(const KernelCall& call);
  /// False sends this call to the decomposition; nullptr accepts all.
  bool (*supports)(const OpCall& call) = nullptr;
  KernelLayout layout = KernelLayout::contiguous;
};

/// Records ops for gradients; implemented in autograd/.
class TapeRecorder {
 public:
  virtual ~TapeRecorder() = default;
  virtual void record(const OpDef& op, const void* attrs, std::span<const Tensor> in, std::span<const Tensor> out) = 0;
  virtual void backward(const Tensor& root, const Tensor& seed) = 0;
};

/// Records ops instead of running them; implemented in graph/.
class TraceRecorder {
 public:
  virtual ~TraceRecorder() = default;
  virtual Tensors record(const OpDef& op, const void* attrs, std::span<const Tensor> in, const OutputSpecs& out) = 0;
};

/// Checks and infers; records if an input is traced; else makes a view, runs the device's kernel, or runs the
/// decomposition; then tells the tape. See docs/adding-an-op.md.
Tensors dispatch(const OpDef& op, const void* attrs, std::span<const Tensor> in);

template <class Attrs>
Tensor dispatch1(const OpDef& op, const Attrs& attrs, std::initializer_list<Tensor> in) {
  return dispatch(op, &attrs, std::span<const Tensor>(in.begin(), in.size()))[0];
}
inline Tensor dispatch1(const OpDef& op, std::initializer_list<Tensor> in) { return dispatch1(op, NoAttrs{}, in); }

/// True while gradients are recorded on this thread.
bool grad_enabled();
/// While one lives, this thread records no gradients.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};
/// The opposite, for code that must record inside a NoGrad (gradient checkpointing).
class EnableGrad {
 public:
  EnableGrad();
  ~EnableGrad();
  EnableGrad(const EnableGrad&) = delete;
  EnableGrad& operator=(const EnableGrad&) = delete;

 private:
  bool before_;
};

}  // namespace trustformers
