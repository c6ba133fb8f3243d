// The texts of wgsl/*.wgsl; the build writes their definitions (cmake/webgpu.cmake).
#pragma once

#include <string_view>

namespace trustformers::webgpu::shaders {

extern const std::string_view matmul;
extern const std::string_view rms_norm;
extern const std::string_view strided_copy;

}  // namespace trustformers::webgpu::shaders
