#include "device.h"
#include "js_gpu.h"
#include "webgpu.h"

namespace trustformers {

void open_webgpu(const WebGpuOpened& done) {
  webgpu::open_js_gpu([done](std::unique_ptr<webgpu::Gpu> gpu, const Error* error) {
    done(gpu ? std::make_unique<webgpu::WebGpuDevice>(std::move(gpu)) : nullptr, error);
  });
}

}  // namespace trustformers
