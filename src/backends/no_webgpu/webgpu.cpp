#include "../webgpu/webgpu.h"

namespace trustformers {

void open_webgpu(const WebGpuOpened& done) {
  const Error error(ErrorCode::unsupported, "[webgpu] expected a build with a WebGPU host, this one is native");
  done(nullptr, &error);
}

}  // namespace trustformers
