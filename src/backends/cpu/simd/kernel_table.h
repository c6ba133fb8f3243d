// All kernels of one instruction set.
#pragma once

#include "../attention/kernel_types.h"
#include "../gemm/kernel_types.h"
#include "../rows/kernel_types.h"

namespace trustformers::cpu {

struct KernelTable {
  GemmKernels gemm;
  AttentionKernels attention;
  RowKernels rows;
};

}  // namespace trustformers::cpu
