// What the attention driver and the per-ISA kernels share.
#pragma once

#include <cstdint>

#include "attention.h"

namespace trustformers::cpu {

/// Keys per step of the online softmax. Blocks start at multiples of it, so a row's sums do not depend on the call.
inline constexpr std::int64_t key_block = 64;
/// Query rows of a tile: a multiple of the six rows of the matrix kernel.
inline constexpr std::int64_t tile_rows = 48;

/// Floats of scratch memory for one tile.
inline std::int64_t attention_scratch(const AttentionCall& call) {
  return tile_rows * (call.head_dim + call.value_dim + 16 + key_block) + key_block * (call.head_dim + 16);
}

struct AttentionKernels {
  void (*attend)(const AttentionCall& call, std::int64_t batch, std::int64_t key_head, std::int64_t row_begin,
                 std::int64_t row_end, float* scratch);
};

}  // namespace trustformers::cpu
