// Every kernel, compiled for the instruction set of the including file: it sets TRUSTFORMERS_ISA_NAMESPACE and includes
// its vector_*.h first. One such file per instruction set, with its own compiler flags.
#pragma once

#include "../attention/attention_kernels.h"
#include "../gemm/f32_kernels.h"
#include "../gemm/quantized_kernels.h"
#include "../rows/row_kernels.h"
#include "kernel_table.h"

namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE {

// NOLINTNEXTLINE(misc-definitions-in-headers): one file has this namespace
const KernelTable& kernel_table() {
  static constexpr KernelTable table = {
      .gemm = {.panel_f32 = panel_f32,
               .vector_f32 = vector_times<float>,
               .vector_f16 = vector_times<Half>,
               .vector_bf16 = vector_times<Brain>,
               .widen_f16 = widen_16bit<Half>,
               .widen_bf16 = widen_16bit<Brain>,
               .transpose_panel = transpose_panel,
               .quantize_row = quantize_row,
               .quantized = quantized},
      .attention = {.attend = attend},
      .rows = {.rms_norm = rms_norm,
               .layer_norm = layer_norm,
               .softmax = softmax,
               .rope_half_split = rope_half_split,
               .rope_interleaved = rope_interleaved,
               .activate = activate},
  };
  return table;
}

}  // namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE
