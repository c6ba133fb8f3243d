// The Tensor handle: a strided view of a storage on a device. Copies share; public ops never change their inputs.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "../base/error.h"
#include "dtype.h"
#include "shape.h"

namespace trustformers {

class Device;
class Tensor;

/// Gets the bytes, or the error that says why there are none; called exactly once. Where the device answers later it
/// runs from the host's event loop, where nobody catches: it must not throw.
using ReadDone = std::function<void(std::span<const std::byte> bytes, const Error* error)>;

/// Weights that a backend repacked for its kernels; only that backend knows what is inside.
class PackedWeight {
 public:
  virtual ~PackedWeight() = default;
  /// The bytes of the storage as they were before, made at the first call and kept. Threads may call at once.
  /// Errors: out_of_memory.
  virtual const std::byte* unpacked() const = 0;
};

/// A block of memory on one device, shared by all views of it.
struct Storage {
  Device* device = nullptr;
  std::byte* data = nullptr;  // host memory; nullptr where the host cannot see it, or where `packed` took it over
  std::uint64_t handle = 0;   // the device's own name for the memory, where data is nullptr
  std::size_t bytes = 0;
  bool read_only = false;                      // part of a mapped file
  bool disposable = false;                     // packing may take the memory over: nobody else looks at it
  std::shared_ptr<const void> owner;           // keeps data alive
  std::shared_ptr<const PackedWeight> packed;  // see Device::prepack; dropped by Tensor::mark_mutated
};

/// What the tape knows about a tensor; absent on tensors that never met a gradient.
struct AutogradMeta;

struct TensorImpl {
  Shape shape;
  Strides strides;
  std::int64_t offset = 0;  // in elements; blocks count as their elements
  DType dtype = DType::f32;
  std::shared_ptr<Storage> storage;
  std::int64_t trace_value = -1;  // the value's number when the device is a tracer
  std::shared_ptr<AutogradMeta> autograd;
};

/// See the file comment. A default-made Tensor is undefined; it stands for an absent optional input.
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(std::shared_ptr<TensorImpl> impl) : impl_(std::move(impl)) {}

  // Making tensors. All are contiguous and live on the current context's default device.
  /// Uninitialised; on `device` when one is given.
  static Tensor empty(const Shape& shape, DType dtype = DType::f32, Device* device = nullptr);
  static Tensor zeros(const Shape& shape, DType dtype = DType::f32);
  static Tensor ones(const Shape& shape, DType dtype = DType::f32);
  static Tensor full(const Shape& shape, double value, DType dtype = DType::f32);
  /// start, start + step, ... below end.
  static Tensor arange(double start, double end, double step = 1, DType dtype = DType::i64);
  static Tensor eye(std::int64_t n, DType dtype = DType::f32);
  /// Uniform in [0, 1) and standard normal; element i depends on (seed, i) alone.
  static Tensor rand(const Shape& shape, std::uint64_t seed, DType dtype = DType::f32);
  static Tensor randn(const Shape& shape, std::uint64_t seed, DType dtype = DType::f32);
  /// Copies `values`; their number must be that of the shape.
  template <class T>
  static Tensor from(std::span<const T> values, const Shape& shape) {
    return from_bytes(std::as_bytes(values), shape, dtype_v<T>);
  }
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    return from(std::span<const T>(values), shape);
  }
  template <class T>
  static Tensor from(std::initializer_list<T> values, const Shape& shape) {
    return from(std::span<const T>(values.begin(), values.size()), shape);
  }
  static Tensor scalar(double value, DType dtype = DType::f32) { return full({}, value, dtype); }
  static Tensor from_bytes(std::span<const std::byte> bytes, const Shape& shape, DType dtype);
  /// A contiguous tensor over memory that `owner` keeps alive, without a copy; it is read-only. CPU only.
  static Tensor borrow(std::span<const std::byte> bytes, const Shape& shape, DType dtype,
                       std::shared_ptr<const void> owner);

  bool defined() const { return impl_ != nullptr; }
  explicit operator bool() const { return defined(); }
  const Shape& shape() const { return impl().shape; }
  const Strides& strides() const { return impl().strides; }
  std::size_t rank() const { return impl().shape.size(); }
  /// Size of a dimension in [-rank, rank).
  std::int64_t size(std::int64_t dim) const;
  std::int64_t numel() const { return element_count(impl().shape); }
  DType dtype() const { return impl().dtype; }
  Device& device() const;
  bool is_contiguous() const { return trustformers::is_contiguous(impl().shape, impl().strides); }

  /// The first element, for devices whose memory the host sees. Throws dtype_mismatch; unsupported elsewhere (use
  /// read). data() is for reading; mutable_data() belongs to kernels, optimizer steps and cache writes.
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(host_address(dtype_v<T>));
  }
  template <class T>
  T* mutable_data() const {
    return reinterpret_cast<T*>(mutable_host_address(dtype_v<T>));
  }
  const std::byte* raw() const { return host_address(dtype()); }
  std::byte* mutable_raw() const { return mutable_host_address(dtype()); }

  /// The elements in row-major order, converted to T. Host-visible devices only: elsewhere use read().
  template <class T>
  std::vector<T> to_vector() const;
  /// The only element of a one-element tensor.
  double item() const;
  /// Calls `done` with the elements in row-major order once the device has them: at once on the CPU. The only operation
  /// of the library that waits for a device, and where the failures that a device notices late are reported.
  void read(ReadDone done) const;

  // Gradients; see autograd/.
  bool requires_grad() const;
  Tensor& set_requires_grad(bool value);
  /// The accumulated gradient of a leaf, contiguous; undefined before backward().
  Tensor grad() const;
  void set_grad(Tensor grad);
  /// Adds d(this)/d(leaf) to the grad of every leaf that requires it. `seed` defaults to 1 for a scalar.
  void backward(const Tensor& seed = Tensor()) const;
  /// The same elements without history.
  Tensor detach() const;

  /// Two handles of the same view.
  bool is_same(const Tensor& other) const { return impl_ == other.impl_; }
  TensorImpl& impl() const;
  const std::shared_ptr<TensorImpl>& impl_ptr() const { return impl_; }
  /// Must follow every write through mutable_data: packed copies of the storage are dropped.
  void mark_mutated() const { impl().storage->packed.reset(); }

 private:
  const std::byte* host_address(DType expected) const;
  std::byte* mutable_host_address(DType expected) const;
  std::shared_ptr<TensorImpl> impl_;
};

using Tensors = InlineVector<Tensor, 4>;

/// "f32 [2, 3]", for messages; written only when one is needed, as checks name their tensors on every call.
struct Description {
  const Tensor& tensor;
};
inline Description describe(const Tensor& tensor) { return {tensor}; }
std::string to_string(const Description& description);
/// A view of the same storage.
Tensor make_view(const Tensor& base, const Shape& shape, const Strides& strides, std::int64_t offset);

}  // namespace trustformers
