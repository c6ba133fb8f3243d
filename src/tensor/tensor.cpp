#include "tensor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "../base/pool_allocator.h"
#include "../base/rng.h"
#include "../base/text.h"
#include "autograd_meta.h"
#include "context.h"
#include "for_each_dtype.h"

namespace trustformers {
namespace {

Tensor make_tensor(const Shape& shape, DType dtype, std::shared_ptr<Storage> storage) {
  auto impl = std::allocate_shared<TensorImpl>(PoolAllocator<TensorImpl>());
  impl->shape = shape;
  impl->strides = contiguous_strides(shape);
  impl->dtype = dtype;
  impl->storage = std::move(storage);
  return Tensor(std::move(impl));
}

/// Bytes of elements, as a size of this machine: WebAssembly addresses no more than 4 GiB.
std::size_t bytes_here(DType dtype, std::int64_t count) {
  const std::int64_t bytes = byte_size(dtype, count);
  check(static_cast<std::uint64_t>(bytes) <= std::numeric_limits<std::size_t>::max() / 2, ErrorCode::out_of_memory,
        "[tensor] ", bytes, " bytes are more than this machine can address");
  return static_cast<std::size_t>(bytes);
}

/// Bytes of a contiguous tensor; for block formats the last dimension must hold whole blocks.
std::size_t tensor_bytes(const Shape& shape, DType dtype) {
  const std::int64_t count = element_count(shape);
  if (is_block(dtype) && count > 0) {
    check(!shape.empty() && shape.back() % info(dtype).block_elements == 0, ErrorCode::shape_mismatch, "[tensor] ",
          to_string(dtype), " needs a last dimension that is a multiple of ", info(dtype).block_elements, ", got ",
          shape);
  }
  return bytes_here(dtype, count);
}

/// Fills a new tensor with `value(index)` on the host and hands it to the default device.
template <class Value>
Tensor generate(const Shape& shape, DType dtype, Value&& value) {
  const std::int64_t count = element_count(shape);
  std::vector<std::byte> bytes(bytes_here(dtype, count));
  for_each_dtype(dtype, "tensor", [&]<class T>(TypeTag<T>) {
    auto* out = reinterpret_cast<T*>(bytes.data());
    for (std::int64_t i = 0; i < count; ++i) out[i] = convert_element<T>(value(i));
  });
  return Tensor::from_bytes(bytes, shape, dtype);
}

}  // namespace

Tensor Tensor::empty(const Shape& shape, DType dtype, Device* device) {
  if (!device) device = &Context::current().default_device();
  return make_tensor(shape, dtype, device->allocate(tensor_bytes(shape, dtype)));
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  Tensor out = empty(shape, dtype);
  Storage& storage = *out.impl().storage;
  if (!storage.data) return generate(shape, dtype, [&](std::int64_t) { return value; });
  for_each_dtype(dtype, "full", [&]<class T>(TypeTag<T>) {
    std::fill_n(reinterpret_cast<T*>(storage.data), out.numel(), convert_element<T>(value));
  });
  return out;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) { return full(shape, 0, dtype); }
Tensor Tensor::ones(const Shape& shape, DType dtype) { return full(shape, 1, dtype); }

Tensor Tensor::arange(double start, double end, double step, DType dtype) {
  check(step != 0 && std::isfinite(start) && std::isfinite(end) && std::isfinite(step), ErrorCode::invalid_argument,
        "[arange] needs finite bounds and a step other than 0, got ", start, ", ", end, ", ", step);
  const double count = std::max(0.0, std::ceil((end - start) / step));
  check(count < 0x1p62, ErrorCode::out_of_range, "[arange] ", count, " elements are too many");
  return generate({static_cast<std::int64_t>(count)}, dtype,
                  [&](std::int64_t i) { return start + static_cast<double>(i) * step; });
}

Tensor Tensor::eye(std::int64_t n, DType dtype) {
  return generate({n, n}, dtype, [&](std::int64_t i) { return i / n == i % n ? 1.0 : 0.0; });
}

Tensor Tensor::rand(const Shape& shape, std::uint64_t seed, DType dtype) {
  const Philox random(seed);
  return generate(shape, dtype, [&](std::int64_t i) { return random.uniform(static_cast<std::uint64_t>(i)); });
}

Tensor Tensor::randn(const Shape& shape, std::uint64_t seed, DType dtype) {
  const Philox random(seed);
  return generate(shape, dtype, [&](std::int64_t i) { return random.normal(static_cast<std::uint64_t>(i)); });
}

Tensor Tensor::from_bytes(std::span<const std::byte> bytes, const Shape& shape, DType dtype) {
  const std::size_t expected = tensor_bytes(shape, dtype);
  check(bytes.size() == expected, ErrorCode::shape_mismatch, "[tensor] ", to_string(dtype), " ", shape, " has ",
        expected, " bytes, got ", bytes.size());
  Tensor out = empty(shape, dtype);
  out.device().upload(bytes, *out.impl().storage);
  return out;
}

Tensor Tensor::borrow(std::span<const std::byte> bytes, const Shape& shape, DType dtype,
                      std::shared_ptr<const void> owner) {
  const std::size_t expected = tensor_bytes(shape, dtype);
  check(bytes.size() == expected, ErrorCode::shape_mismatch, "[tensor] ", to_string(dtype), " ", shape, " has ",
        expected, " bytes, got ", bytes.size());
  auto storage = std::make_shared<Storage>();
  storage->device = &Context::current().cpu();
  storage->data = const_cast<std::byte*>(bytes.data());  // read_only keeps writers away
  storage->bytes = bytes.size();
  storage->read_only = true;
  storage->owner = std::move(owner);
  return make_tensor(shape, dtype, std::move(storage));
}

TensorImpl& Tensor::impl() const {
  check(defined(), ErrorCode::invalid_argument, "[tensor] an undefined tensor was used");
  return *impl_;
}

std::int64_t Tensor::size(std::int64_t dim) const {
  check(rank() > 0, ErrorCode::out_of_range, "[tensor] a scalar has no dimension ", dim);
  return shape()[static_cast<std::size_t>(normalize_dim(dim, rank(), "size"))];
}

Device& Tensor::device() const { return *impl().storage->device; }

const std::byte* Tensor::host_address(DType expected) const {
  const TensorImpl& t = impl();
  check(t.dtype == expected, ErrorCode::dtype_mismatch, "[tensor] asked for ", to_string(expected), " data of ",
        describe(*this));
  const std::byte* start = t.storage->data;
  if (!start && t.storage->packed) start = t.storage->packed->unpacked();
  check(start != nullptr || numel() == 0, ErrorCode::unsupported, "[tensor] the memory of ", t.storage->device->name(),
        " cannot be addressed from the host: use read()");
  const std::int64_t block = info(t.dtype).block_elements;
  return start + t.offset / block * info(t.dtype).block_bytes;
}

std::byte* Tensor::mutable_host_address(DType expected) const {
  const std::byte* address = host_address(expected);
  check(!impl().storage->read_only, ErrorCode::invalid_argument, "[tensor] ", describe(*this),
        " is part of a read-only file mapping");
  return const_cast<std::byte*>(address);
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  const TensorImpl& t = impl();
  const std::int64_t count = numel();
  std::vector<T> out(static_cast<std::size_t>(count));
  for_each_dtype(t.dtype, "to_vector", [&]<class From>(TypeTag<From>) {
    const From* data = this->data<From>();
    Shape index(t.shape.size(), 0);
    std::int64_t at = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      out[static_cast<std::size_t>(i)] = convert_element<T>(data[at]);
      for (std::size_t d = t.shape.size(); d-- > 0;) {
        at += t.strides[d];
        if (++index[d] < t.shape[d]) break;
        at -= t.strides[d] * t.shape[d];
        index[d] = 0;
      }
    }
  });
  return out;
}
template std::vector<float> Tensor::to_vector<float>() const;
template std::vector<double> Tensor::to_vector<double>() const;
template std::vector<std::int64_t> Tensor::to_vector<std::int64_t>() const;
template std::vector<std::int32_t> Tensor::to_vector<std::int32_t>() const;
template std::vector<std::uint8_t> Tensor::to_vector<std::uint8_t>() const;

double Tensor::item() const {
  check(numel() == 1, ErrorCode::shape_mismatch, "[item] needs a tensor of one element, got ", describe(*this));
  return to_vector<double>()[0];
}

void Tensor::read(ReadDone done) const {
  Device& on = device();
  on.read(is_contiguous() ? *this : on.contiguous(*this), std::move(done));
}

bool Tensor::requires_grad() const {
  const auto& meta = impl().autograd;
  return meta && (meta->requires_grad || meta->node);
}

Tensor& Tensor::set_requires_grad(bool value) {
  if (!value && !impl().autograd) return *this;
  check(!value || is_floating(dtype()), ErrorCode::dtype_mismatch, "[requires_grad] needs a floating type, got ",
        describe(*this));
  AutogradMeta& meta = autograd_meta(*this);
  check(!meta.node, ErrorCode::invalid_argument, "[requires_grad] ", describe(*this),
        " was computed: detach() it first");
  meta.requires_grad = value;
  return *this;
}

Tensor Tensor::grad() const { return impl().autograd ? impl().autograd->grad : Tensor(); }
void Tensor::set_grad(Tensor grad) { autograd_meta(*this).grad = std::move(grad); }
void Tensor::backward(const Tensor& seed) const { Context::current().tape().backward(*this, seed); }

Tensor Tensor::detach() const {
  Tensor out = make_view(*this, shape(), strides(), impl().offset);
  out.impl().trace_value = impl().trace_value;
  return out;
}

AutogradMeta& autograd_meta(const Tensor& tensor) {
  auto& meta = tensor.impl().autograd;
  if (!meta) meta = std::make_shared<AutogradMeta>();
  return *meta;
}

Tensor make_view(const Tensor& base, const Shape& shape, const Strides& strides, std::int64_t offset) {
  auto impl = std::allocate_shared<TensorImpl>(PoolAllocator<TensorImpl>());
  impl->shape = shape;
  impl->strides = strides;
  impl->offset = offset;
  impl->dtype = base.dtype();
  impl->storage = base.impl().storage;
  return Tensor(std::move(impl));
}

std::string to_string(const Description& description) {
  const Tensor& tensor = description.tensor;
  return tensor.defined() ? str(to_string(tensor.dtype()), ' ', tensor.shape()) : "undefined";
}

}  // namespace trustformers
