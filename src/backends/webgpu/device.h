// The tensor device over a Gpu: storages are GPU buffers, kernels encode compute passes.
#pragma once

#include <map>
#include <memory>
#include <string_view>

#include "../../tensor/device.h"
#include "gpu.h"

namespace trustformers::webgpu {

class WebGpuDevice final : public Device {
 public:
  explicit WebGpuDevice(std::unique_ptr<Gpu> gpu);
  /// The device of a tensor that a kernel got.
  static WebGpuDevice& of(const Tensor& tensor) { return static_cast<WebGpuDevice&>(tensor.device()); }

  DeviceKind kind() const override { return DeviceKind::webgpu; }
  std::string_view name() const override { return "webgpu"; }
  std::shared_ptr<Storage> allocate(std::size_t bytes) override;
  const Kernel* find_kernel(const OpDef& op) const override;
  void upload(std::span<const std::byte> bytes, Storage& storage) override;
  Tensor contiguous(const Tensor& tensor) override;
  void write(const Tensor& source, const Tensor& target) override;
  void read(const Tensor& tensor, ReadDone done) override;
  void prepack(const Tensor&) override {}

  /// Encodes one call of the shader `name`, whose pipeline is made on first use. `params` is the shader's Params.
  template <class Params>
  void run(std::string_view name, std::string_view wgsl, std::initializer_list<const Tensor*> buffers,
           const Params& params, Grid grid) {
    encode(name, wgsl, buffers, std::as_bytes(std::span(&params, 1)), grid);
  }
  const GpuLimits& limits() const { return limits_; }

 private:
  void encode(std::string_view name, std::string_view wgsl, std::initializer_list<const Tensor*> buffers,
              std::span<const std::byte> params, Grid grid);
  /// Element by element between two views of the same shape.
  void copy(const Tensor& source, const Tensor& target);

  std::shared_ptr<Gpu> gpu_;  // shared with the storages, which release their buffers
  GpuLimits limits_;
  std::map<std::string_view, PipelineId> pipelines_;
};

/// `groups` workgroups in two dimensions: group = y * grid.x + x, and the shader skips those beyond the end. Throws
/// out_of_range.
Grid fold_grid(std::uint64_t groups, const GpuLimits& limits);

/// A size, stride or offset as shaders see it. Throws out_of_range beyond 32 bits.
std::uint32_t shader_index(std::int64_t value, std::string_view op);

}  // namespace trustformers::webgpu
