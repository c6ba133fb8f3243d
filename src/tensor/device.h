// What a machine must offer: memory, kernels, and a way to read back.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "op.h"

namespace trustformers {

enum class DeviceKind { cpu, trace, webgpu };

class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceKind kind() const = 0;
  virtual std::string_view name() const = 0;

  /// Uninitialised memory. Throws out_of_memory.
  virtual std::shared_ptr<Storage> allocate(std::size_t bytes) = 0;
  /// The kernel for an op, or nullptr: then its decomposition runs.
  virtual const Kernel* find_kernel(const OpDef& op) const = 0;
  /// Copies host bytes to the start of a storage.
  virtual void upload(std::span<const std::byte> bytes, Storage& storage) = 0;
  /// A row-major copy of a strided tensor.
  virtual Tensor contiguous(const Tensor& tensor) = 0;
  /// Writes `source` over the elements of the view `target` (same shape and dtype): the one mutation besides kernels'
  /// own outputs, for cache writes and optimizer steps.
  virtual void write(const Tensor& source, const Tensor& target) = 0;
  /// See Tensor::read; `tensor` is contiguous.
  virtual void read(const Tensor& tensor, ReadDone done) = 0;
  /// Repacks a weight [N, K] of linear() for this device's kernels and keeps the result beside its storage.
  /// A device without such kernels does nothing.
  virtual void prepack(const Tensor& weight) = 0;
  /// Non-null when the device records instead of computing; see graph/.
  virtual TraceRecorder* tracer() { return nullptr; }
};

}  // namespace trustformers
