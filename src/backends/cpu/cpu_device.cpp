#include "cpu_device.h"

#include <cstring>

#include "../../base/pool_allocator.h"
#include "../../tensor/context.h"
#include "gemm/gemm.h"
#include "kernels/strided.h"
#include "memory_pool.h"

namespace trustformers {

AllocationCounters allocation_counters() {
  const cpu::MemoryPoolStats pool = cpu::memory_pool_stats();
  return {pool.blocks_from_system, pool.bytes_held, block_pool_misses()};
}

}  // namespace trustformers

namespace trustformers::cpu {
namespace {

class CpuDevice final : public Device {
 public:
  CpuDevice() {
    add_unary_kernels(kernels_);
    add_binary_kernels(kernels_);
    add_cast_kernels(kernels_);
    add_reduce_kernels(kernels_);
    add_shape_kernels(kernels_);
    add_index_kernels(kernels_);
    add_matmul_kernels(kernels_);
    add_row_kernels(kernels_);
    add_attention_kernels(kernels_);
  }

  DeviceKind kind() const override { return DeviceKind::cpu; }
  std::string_view name() const override { return "cpu"; }

  std::shared_ptr<Storage> allocate(std::size_t bytes) override {
    std::shared_ptr<void> memory = pooled_memory(bytes);
    auto storage = std::allocate_shared<Storage>(PoolAllocator<Storage>());
    storage->device = this;
    storage->data = static_cast<std::byte*>(memory.get());
    storage->bytes = bytes;
    storage->owner = std::move(memory);
    return storage;
  }

  const Kernel* find_kernel(const OpDef& op) const override {
    const auto at = kernels_.find(&op);
    return at == kernels_.end() ? nullptr : &at->second;
  }

  void upload(std::span<const std::byte> bytes, Storage& storage) override {
    if (!bytes.empty()) std::memcpy(storage.data, bytes.data(), bytes.size());
  }

  Tensor contiguous(const Tensor& tensor) override {
    if (tensor.is_contiguous()) return tensor;
    Tensor out = Tensor::empty(tensor.shape(), tensor.dtype(), this);
    copy_elements(tensor, out);
    return out;
  }

  void write(const Tensor& source, const Tensor& target) override {
    check(source.shape() == target.shape() && source.dtype() == target.dtype(), ErrorCode::shape_mismatch,
          "[write] the target is ", describe(target), ", the source ", describe(source));
    copy_elements(source, target);
    target.mark_mutated();
  }

  void read(const Tensor& tensor, ReadDone done) override {
    done({tensor.raw(), static_cast<std::size_t>(byte_size(tensor.dtype(), tensor.numel()))}, nullptr);
  }

  void prepack(const Tensor& weight) override {
    Storage& storage = *weight.impl().storage;
    if (storage.packed || weight.numel() == 0 || !PackedMatrix::has_form(weight.dtype())) return;
    const bool whole = weight.numel() * info(weight.dtype()).block_bytes ==
                       static_cast<std::int64_t>(storage.bytes) * info(weight.dtype()).block_elements;
    const bool take = storage.disposable && whole;
    storage.packed =
        PackedMatrix::pack(Context::current().threads(), weight_view(weight), take ? &storage.owner : nullptr);
    if (take) storage.data = nullptr, storage.read_only = true;
  }

 private:
  OpKernels kernels_;
};

}  // namespace

std::unique_ptr<Device> make_cpu_device() { return std::make_unique<CpuDevice>(); }

}  // namespace trustformers::cpu
