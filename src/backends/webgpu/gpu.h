// The little of a GPU that kernels need, whatever host offers it: buffers, pipelines, dispatch, an asynchronous read.
// Calls only encode: none waits for the GPU. A mistake the GPU finds later (a shader that does not compile, memory it
// does not have, a lost device) is reported by the next read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "../../base/error.h"

namespace trustformers::webgpu {

using BufferId = std::uint32_t;    // 0 is no buffer
using PipelineId = std::uint32_t;  // 0 is no pipeline

/// Workgroups per dimension.
struct Grid {
  std::uint32_t x = 1;
  std::uint32_t y = 1;
  std::uint32_t z = 1;
};

struct GpuLimits {
  std::uint64_t buffer_bytes = 0;  // the largest buffer that a kernel can see whole
  std::uint32_t grid = 65535;      // the most workgroups per dimension
};

/// Called once with the bytes, or with the error that says why there are none. Must not throw: it runs from the host's
/// event loop, where nobody catches.
using GpuReadDone = std::function<void(std::span<const std::byte> bytes, const Error* error)>;

class Gpu {
 public:
  virtual ~Gpu() = default;
  virtual GpuLimits limits() const = 0;

  /// A storage buffer, zero-filled; `bytes` is a multiple of 4, not 0.
  virtual BufferId create_buffer(std::uint64_t bytes) = 0;
  /// Work encoded before still sees the buffer.
  virtual void release_buffer(BufferId buffer) noexcept = 0;
  /// Writes at `offset`; it and the number of bytes are multiples of 4.
  virtual void write_buffer(BufferId buffer, std::uint64_t offset, std::span<const std::byte> bytes) = 0;

  /// A compute pipeline from WGSL whose entry point is `main`. Storage buffers are @binding(0), (1), ... of @group(0)
  /// in the order dispatch() gets them; the uniform parameters follow as the last binding.
  virtual PipelineId create_pipeline(std::string_view label, std::string_view wgsl) = 0;
  /// Encodes one call. `params` holds at most max_params_bytes.
  virtual void dispatch(PipelineId pipeline, std::span<const BufferId> buffers, std::span<const std::byte> params,
                        Grid grid) = 0;

  /// Submits all that was encoded, then copies `bytes` (a multiple of 4) from `offset` to the host.
  virtual void read_buffer(BufferId buffer, std::uint64_t offset, std::uint64_t bytes, GpuReadDone done) = 0;
};

inline constexpr std::size_t max_params_bytes = 256;  // WebGPU's default alignment of uniform offsets

}  // namespace trustformers::webgpu
