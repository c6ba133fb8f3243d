#include "memory_pool.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <new>
#include <vector>

#include "../../base/error.h"
#include "../../base/pool_allocator.h"

namespace trustformers::cpu {
namespace {

constexpr std::size_t alignment = 64;
constexpr auto largest_block = static_cast<std::size_t>(
    std::min<std::uint64_t>(std::uint64_t{1} << 46, std::numeric_limits<std::size_t>::max() / 2));
constexpr std::int64_t most_kept = std::int64_t{64} << 20;  // bytes lying idle in the pool

/// Four classes an octave from 64 bytes up: at most a fifth of a block is wasted.
constexpr std::size_t classes = 4 * 42;
struct SizeClass {
  std::size_t index;
  std::size_t bytes;
};
SizeClass size_class(std::size_t bytes) {
  if (bytes <= alignment) return {0, alignment};
  const auto octave = static_cast<int>(std::bit_width(bytes - 1)) - 1;  // 2^octave < bytes <= 2^(octave + 1)
  const std::size_t base = std::size_t{1} << octave;
  const std::size_t step = base / 4;
  const std::size_t quarter = (bytes - base + step - 1) / step;  // 1 to 4
  return {static_cast<std::size_t>(octave - 6) * 4 + quarter, base + quarter * step};
}

class MemoryPool {
 public:
  void* take(SizeClass size) {
    {
      const std::lock_guard lock(mutex_);
      auto& kept = kept_[size.index];
      if (!kept.empty()) {
        void* block = kept.back();
        kept.pop_back();
        idle_ -= static_cast<std::int64_t>(size.bytes);
        return block;
      }
    }
    void* block = ::operator new(size.bytes, std::align_val_t{alignment}, std::nothrow);
    check(block != nullptr, ErrorCode::out_of_memory, "[memory] ", size.bytes, " bytes are not to be had");
    const std::lock_guard lock(mutex_);
    ++stats_.blocks_from_system;
    stats_.bytes_held += static_cast<std::int64_t>(size.bytes);
    return block;
  }

  void give(void* block, SizeClass size) noexcept {
    {
      const std::lock_guard lock(mutex_);
      auto& kept = kept_[size.index];
      if (idle_ + static_cast<std::int64_t>(size.bytes) <= most_kept && kept.size() < kept.capacity()) {
        kept.push_back(block);
        idle_ += static_cast<std::int64_t>(size.bytes);
        return;
      }
      stats_.bytes_held -= static_cast<std::int64_t>(size.bytes);
    }
    ::operator delete(block, std::align_val_t{alignment});
  }

  MemoryPoolStats stats() {
    const std::lock_guard lock(mutex_);
    return stats_;
  }

  MemoryPool() {
    for (auto& kept : kept_) kept.reserve(64);  // so that giving back never allocates
  }

 private:
  std::mutex mutex_;
  std::array<std::vector<void*>, classes> kept_;
  std::int64_t idle_ = 0;
  MemoryPoolStats stats_;
};

MemoryPool& pool() {
  static auto* const instance = new MemoryPool;  // never destroyed: tensors in static objects may die later
  return *instance;
}

}  // namespace

std::shared_ptr<void> pooled_memory(std::size_t bytes) {
  check(bytes <= largest_block, ErrorCode::out_of_memory, "[memory] ", bytes, " bytes are not to be had");
  const SizeClass size = size_class(bytes);
  return {pool().take(size), [size](void* block) { pool().give(block, size); }, PoolAllocator<std::byte>()};
}

MemoryPoolStats memory_pool_stats() { return pool().stats(); }

}  // namespace trustformers::cpu
