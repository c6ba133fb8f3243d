// All kernels of one instruction set.
#pragma once

#include "../gemm/kernel_types.h"

namespace trustformers::cpu {

struct KernelTable {
  GemmKernels gemm;
};

}  // namespace trustformers::cpu
