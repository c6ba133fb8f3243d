// The CPU as a device: pooled memory and the table of kernels.
#pragma once

#include <memory>
#include <unordered_map>

#include "../../tensor/device.h"

namespace trustformers::cpu {

using OpKernels = std::unordered_map<const OpDef*, Kernel>;

std::unique_ptr<Device> make_cpu_device();

// Each family adds its kernels; see kernels/.
void add_unary_kernels(OpKernels& table);
void add_binary_kernels(OpKernels& table);
void add_cast_kernels(OpKernels& table);
void add_reduce_kernels(OpKernels& table);
void add_shape_kernels(OpKernels& table);
void add_index_kernels(OpKernels& table);
void add_matmul_kernels(OpKernels& table);
void add_row_kernels(OpKernels& table);
void add_attention_kernels(OpKernels& table);

}  // namespace trustformers::cpu
