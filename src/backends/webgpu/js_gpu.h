// The GPU of a browser page or worker, through the functions of host.js.
#pragma once

#include <functional>
#include <memory>

#include "gpu.h"

namespace trustformers::webgpu {

using GpuOpened = std::function<void(std::unique_ptr<Gpu> gpu, const Error* error)>;
void open_js_gpu(GpuOpened done);

}  // namespace trustformers::webgpu
