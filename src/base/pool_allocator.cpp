#include "pool_allocator.h"

#include <array>
#include <utility>

namespace trustformers {
namespace {

constexpr std::size_t step = 64;
constexpr std::size_t classes = 8;

template <std::size_t... I>
std::array<BlockPool, classes>& make_pools(std::index_sequence<I...>) {
  // Never destroyed: tensors in other static objects may outlive any order of destruction.
  static auto* pools = new std::array<BlockPool, classes>{BlockPool((I + 1) * step)...};
  return *pools;
}
std::array<BlockPool, classes>& pools() { return make_pools(std::make_index_sequence<classes>()); }

}  // namespace

BlockPool* block_pool(std::size_t bytes) {
  const std::size_t index = bytes == 0 ? 0 : (bytes - 1) / step;
  return index < classes ? &pools()[index] : nullptr;
}

std::int64_t block_pool_misses() {
  std::int64_t sum = 0;
  for (const BlockPool& pool : pools()) sum += pool.misses();
  return sum;
}

}  // namespace trustformers
