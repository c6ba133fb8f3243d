// Tensors and gradients of the C interface.
#include <cstring>
#include <optional>

#include "../tensor/device.h"
#include "../tensor/op.h"
#include "handles.h"

using namespace trustformers;

static_assert(static_cast<int>(DType::f32) == TF_F32 && static_cast<int>(DType::f16) == TF_F16);
static_assert(static_cast<int>(DType::bf16) == TF_BF16 && static_cast<int>(DType::f64) == TF_F64);
static_assert(static_cast<int>(DType::i8) == TF_I8 && static_cast<int>(DType::u8) == TF_U8);
static_assert(static_cast<int>(DType::i32) == TF_I32 && static_cast<int>(DType::i64) == TF_I64);
static_assert(static_cast<int>(DType::boolean) == TF_BOOL);

namespace trustformers::capi {
namespace {

const Tensor& tensor_of(const tf_tensor* handle) { return required(handle, "the tensor").tensor; }

std::int64_t bytes_of(const Tensor& tensor) { return byte_size(tensor.dtype(), tensor.numel()); }

/// While it lives this thread records no gradients; see tf_set_grad_enabled.
thread_local std::optional<NoGrad> grads_off;

}  // namespace

std::unique_ptr<tf_tensor> wrap(Tensor tensor) {
  auto handle = std::make_unique<tf_tensor>();
  handle->tensor = std::move(tensor);
  return handle;
}

}  // namespace trustformers::capi

using namespace trustformers::capi;

extern "C" {

const char* tf_dtype_name(tf_dtype dtype) {
  return dtype < 0 || dtype >= dtype_count ? nullptr : to_string(static_cast<DType>(dtype)).data();
}

tf_status tf_tensor_create(tf_dtype dtype, const int64_t* shape, int32_t rank, const void* data, size_t bytes,
                           tf_tensor** out) {
  return making(out, [&] {
    check(dtype >= 0 && dtype < dtype_count, ErrorCode::invalid_argument, "[tensor] there is no dtype ", dtype);
    check(rank >= 0 && rank <= TF_MAX_RANK, ErrorCode::invalid_argument, "[tensor] the rank must be 0 to ", TF_MAX_RANK,
          ", got ", rank);
    if (rank > 0) required(shape, "the shape");
    Shape sizes;
    for (int32_t i = 0; i < rank; ++i) sizes.push_back(shape[i]);
    const auto type = static_cast<DType>(dtype);
    const std::int64_t needed = byte_size(type, element_count(sizes));
    check(static_cast<std::uint64_t>(needed) == bytes, ErrorCode::shape_mismatch, "[tensor] ", to_string(type), " ",
          sizes, " needs ", needed, " bytes, got ", bytes);
    const std::span<const std::byte> given = required_bytes(data, bytes, "the data");
    if (type == DType::boolean)
      for (const std::byte value : given)
        check(value <= std::byte{1}, ErrorCode::invalid_argument, "[tensor] bool bytes must be 0 or 1, got ",
              static_cast<int>(value));
    return wrap(Tensor::from_bytes(given, sizes, type));
  });
}

void tf_tensor_free(tf_tensor* tensor) { delete tensor; }

tf_status tf_tensor_get_info(const tf_tensor* handle, tf_tensor_info* info) {
  return guarded([&] {
    const Tensor& tensor = tensor_of(handle);
    tf_tensor_info out{};
    out.dtype = static_cast<tf_dtype>(tensor.dtype());
    out.rank = static_cast<int32_t>(tensor.rank());
    out.requires_grad = tensor.requires_grad();
    out.is_contiguous = tensor.is_contiguous();
    out.is_host = tensor.device().kind() == DeviceKind::cpu;
    out.elements = tensor.numel();
    out.bytes = bytes_of(tensor);
    for (std::size_t i = 0; i < tensor.rank(); ++i) out.shape[i] = tensor.shape()[i];
    give_struct(info, out, sizeof(tf_tensor_info));
  });
}

tf_status tf_tensor_copy(const tf_tensor* handle, void* out, size_t bytes) {
  return guarded([&] {
    const Tensor& tensor = tensor_of(handle);
    check(tensor.device().kind() == DeviceKind::cpu, ErrorCode::unsupported, "[tensor] the tensor lies on ",
          tensor.device().name(), ": use tf_tensor_read");
    const auto needed = static_cast<std::uint64_t>(bytes_of(tensor));
    check(needed == bytes, ErrorCode::shape_mismatch, "[tensor] the elements take ", needed, " bytes, got room for ",
          bytes);
    if (bytes == 0) return;
    check(out != nullptr, ErrorCode::invalid_argument, "[capi] the place for the elements is NULL");
    tensor.read([&](std::span<const std::byte> data, const Error* error) {  // the CPU answers before this returns
      if (error) throw Error(*error);
      std::memcpy(out, data.data(), data.size());
    });
  });
}

tf_status tf_tensor_read(const tf_tensor* handle, tf_read_done done, void* user) {
  return guarded([&] {
    const Tensor& tensor = tensor_of(handle);
    check(done != nullptr, ErrorCode::invalid_argument, "[capi] the callback is NULL");
    tensor.read([done, user](std::span<const std::byte> data, const Error* error) {
      done(user, error ? remember(*error) : TF_OK, data.data(), data.size());
    });
  });
}

tf_status tf_tensor_set_requires_grad(tf_tensor* handle, int32_t value) {
  return guarded([&] {
    Tensor& tensor = required(handle, "the tensor").tensor;
    check(!value || is_floating(tensor.dtype()), ErrorCode::dtype_mismatch,
          "[requires_grad] only floating tensors have gradients, got ", describe(tensor));
    tensor.set_requires_grad(value != 0);
  });
}

tf_status tf_tensor_backward(const tf_tensor* handle, const tf_tensor* seed) {
  return guarded([&] { tensor_of(handle).backward(seed ? seed->tensor : Tensor()); });
}

tf_status tf_tensor_grad(const tf_tensor* handle, tf_tensor** out) {
  return making(out, [&] {
    Tensor grad = tensor_of(handle).grad();
    return grad.defined() ? wrap(std::move(grad)) : nullptr;
  });
}

tf_status tf_tensor_clear_grad(tf_tensor* handle) {
  return guarded([&] { required(handle, "the tensor").tensor.set_grad(Tensor()); });
}

tf_status tf_tensor_detach(const tf_tensor* handle, tf_tensor** out) {
  return making(out, [&] { return wrap(tensor_of(handle).detach()); });
}

int32_t tf_set_grad_enabled(int32_t value) {
  const int32_t before = !grads_off.has_value();
  if (value)
    grads_off.reset();
  else if (!grads_off)
    grads_off.emplace();
  return before;
}
}
