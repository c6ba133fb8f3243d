// The ops that have a WebGPU kernel. Any other op runs its decomposition, or fails in dispatch() with its name.
#pragma once

#include <string_view>

#include "../../tensor/op.h"

namespace trustformers::webgpu {

/// The kernel of the op `name`, or nullptr.
const Kernel* find_kernel(std::string_view name);

}  // namespace trustformers::webgpu
