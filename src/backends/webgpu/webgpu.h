// The WebGPU device of browsers. Builds without a host for it get backends/no_webgpu instead.
#pragma once

#include <functional>
#include <memory>

#include "../../base/error.h"
#include "../../tensor/device.h"

namespace trustformers {

/// Called once with the device, or with nullptr and the error that says why there is none. Must not throw.
using WebGpuOpened = std::function<void(std::unique_ptr<Device> device, const Error* error)>;

/// Asks the host for a GPU. Returns at once; `done` runs later from the host's event loop (or before the return, when
/// this build has no host to ask). The device belongs to the thread that opened it, and must outlive its tensors.
void open_webgpu(const WebGpuOpened& done);

}  // namespace trustformers
