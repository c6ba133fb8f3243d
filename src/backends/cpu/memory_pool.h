// Memory for tensors: freed blocks are kept by size class, so that a steady stream of equal ops allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace trustformers::cpu {

/// At least `bytes`, 64-byte aligned; goes back to the pool when the last reference goes. Throws out_of_memory.
std::shared_ptr<void> pooled_memory(std::size_t bytes);

struct MemoryPoolStats {
  std::int64_t blocks_from_system = 0;
  std::int64_t bytes_held = 0;  // in use and kept
};
MemoryPoolStats memory_pool_stats();

}  // namespace trustformers::cpu
