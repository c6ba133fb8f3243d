#include "device.h"

#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "kernels.h"
#include "shaders.h"

namespace trustformers::webgpu {
namespace {

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

BufferId buffer_of(const Tensor& tensor) { return static_cast<BufferId>(tensor.impl().storage->handle); }

/// Workgroups in the first dimension of a folded grid: far below every limit, so that folding is the usual case and a
/// software adapter can test it.
constexpr std::uint64_t longest_line = 1024;

/// strided_copy.wgsl
struct CopyParams {
  std::uint32_t count, rank, source_offset, target_offset, grid_x, unused[3];
  std::uint32_t dims[8][4];
};
static_assert(sizeof(CopyParams) == 160);

}  // namespace

WebGpuDevice::WebGpuDevice(std::unique_ptr<Gpu> gpu) : gpu_(std::move(gpu)), limits_(gpu_->limits()) {}

std::shared_ptr<Storage> WebGpuDevice::allocate(std::size_t bytes) {
  // Shaders address 32-bit words, and a binding must not be empty.
  const std::uint64_t size = std::max<std::uint64_t>(4, round_up(bytes, 4));
  check(size <= limits_.buffer_bytes, ErrorCode::out_of_memory, "[webgpu] expected at most ", limits_.buffer_bytes,
        " bytes in one buffer, got ", bytes);
  const BufferId buffer = gpu_->create_buffer(size);
  auto storage = std::make_shared<Storage>();
  storage->device = this;
  storage->handle = buffer;
  storage->bytes = bytes;
  storage->owner =
      std::shared_ptr<const void>(nullptr, [gpu = gpu_, buffer](const void*) { gpu->release_buffer(buffer); });
  return storage;
}

const Kernel* WebGpuDevice::find_kernel(const OpDef& op) const { return webgpu::find_kernel(op.name); }

void WebGpuDevice::upload(std::span<const std::byte> bytes, Storage& storage) {
  check(bytes.size() <= storage.bytes, ErrorCode::out_of_range, "[upload] expected at most ", storage.bytes,
        " bytes, got ", bytes.size());
  const auto buffer = static_cast<BufferId>(storage.handle);
  const std::size_t whole = bytes.size() / 4 * 4;
  if (whole > 0) gpu_->write_buffer(buffer, 0, bytes.first(whole));
  if (whole < bytes.size()) {
    std::array<std::byte, 4> last{};
    std::memcpy(last.data(), bytes.data() + whole, bytes.size() - whole);
    gpu_->write_buffer(buffer, whole, last);
  }
}

Tensor WebGpuDevice::contiguous(const Tensor& tensor) {
  auto impl = std::make_shared<TensorImpl>();
  impl->shape = tensor.shape();
  impl->strides = contiguous_strides(tensor.shape());
  impl->dtype = tensor.dtype();
  impl->storage = allocate(static_cast<std::size_t>(byte_size(tensor.dtype(), tensor.numel())));
  const Tensor target(std::move(impl));
  copy(tensor, target);
  return target;
}

void WebGpuDevice::write(const Tensor& source, const Tensor& target) {
  check(source.shape() == target.shape() && source.dtype() == target.dtype(), ErrorCode::shape_mismatch,
        "[write] expected ", describe(target), ", got ", describe(source));
  copy(source, target);
}

void WebGpuDevice::read(const Tensor& tensor, ReadDone done) {
  const std::int64_t bytes = byte_size(tensor.dtype(), tensor.numel());
  if (bytes == 0) return done({}, nullptr);
  const std::int64_t first = byte_size(tensor.dtype(), tensor.impl().offset);
  check(first % 4 == 0, ErrorCode::unsupported, "[read] expected a view that starts at a multiple of 4 bytes, got ",
        first);
  // The storage must live until the copy is made.
  gpu_->read_buffer(buffer_of(tensor), static_cast<std::uint64_t>(first),
                    round_up(static_cast<std::uint64_t>(bytes), 4),
                    [keep = tensor.impl().storage, bytes, done = std::move(done)](std::span<const std::byte> got,
                                                                                  const Error* error) {
                      done(error ? got : got.first(static_cast<std::size_t>(bytes)), error);
                    });
}

void WebGpuDevice::encode(std::string_view name, std::string_view wgsl, std::initializer_list<const Tensor*> buffers,
                          std::span<const std::byte> params, Grid grid) {
  auto [found, is_new] = pipelines_.try_emplace(name, 0);
  if (is_new) found->second = gpu_->create_pipeline(name, wgsl);
  InlineVector<BufferId, 8> ids;
  for (const Tensor* tensor : buffers) ids.push_back(buffer_of(*tensor));
  gpu_->dispatch(found->second, {ids.data(), ids.size()}, params, grid);
}

void WebGpuDevice::copy(const Tensor& source, const Tensor& target) {
  check(!is_block(source.dtype()) && element_size(source.dtype()) == 4, ErrorCode::unsupported,
        "[contiguous] webgpu copies 32-bit elements, got ", describe(source));
  if (source.numel() == 0) return;
  CopyParams params{};
  params.count = shader_index(source.numel(), "contiguous");
  params.rank = static_cast<std::uint32_t>(source.rank());
  params.source_offset = shader_index(source.impl().offset, "contiguous");
  params.target_offset = shader_index(target.impl().offset, "contiguous");
  for (std::size_t d = 0; d < source.rank(); ++d) {
    const std::size_t from = source.rank() - 1 - d;
    params.dims[d][0] = shader_index(source.shape()[from], "contiguous");
    params.dims[d][1] = shader_index(source.strides()[from], "contiguous");
    params.dims[d][2] = shader_index(target.strides()[from], "contiguous");
  }
  const Grid grid = fold_grid((params.count + 63) / 64, limits_);
  params.grid_x = grid.x;
  run("strided_copy", shaders::strided_copy, {&source, &target}, params, grid);
}

Grid fold_grid(std::uint64_t groups, const GpuLimits& limits) {
  const std::uint64_t lines = std::max<std::uint64_t>(1, (groups + longest_line - 1) / longest_line);
  check(lines <= limits.grid, ErrorCode::out_of_range, "[webgpu] expected at most ", limits.grid * longest_line,
        " workgroups, got ", groups);
  return {static_cast<std::uint32_t>((groups + lines - 1) / lines), static_cast<std::uint32_t>(lines), 1};
}

std::uint32_t shader_index(std::int64_t value, std::string_view op) {
  check(value >= 0 && value <= std::numeric_limits<std::uint32_t>::max(), ErrorCode::out_of_range, "[", op,
        "] webgpu counts elements with 32 bits, got ", value);
  return static_cast<std::uint32_t>(value);
}

}  // namespace trustformers::webgpu
