// A standard allocator for single small objects that keeps freed ones for the next: eager tensors come and go by the
// thousand, and after warm-up none of them reaches the system allocator.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

namespace trustformers {

/// Free blocks of one size. Thread-safe; blocks are never given back to the system.
class BlockPool {
 public:
  explicit constexpr BlockPool(std::size_t bytes) : bytes_(bytes < sizeof(Link) ? sizeof(Link) : bytes) {}

  void* take() {
    lock();
    Link* head = free_;
    if (head) free_ = head->next;
    unlock();
    if (head) return head;
    misses_.fetch_add(1, std::memory_order_relaxed);
    return ::operator new(bytes_);
  }
  void give(void* block) noexcept {
    auto* link = ::new (block) Link;
    lock();
    link->next = free_;
    free_ = link;
    unlock();
  }
  /// How many blocks came from the system.
  std::int64_t misses() const { return misses_.load(std::memory_order_relaxed); }

 private:
  struct Link {
    Link* next = nullptr;
  };
  void lock() {
    while (busy_.test_and_set(std::memory_order_acquire)) {
    }
  }
  void unlock() { busy_.clear(std::memory_order_release); }

  std::size_t bytes_;
  Link* free_ = nullptr;
  std::atomic_flag busy_{};
  std::atomic<std::int64_t> misses_{0};
};

/// Blocks for objects of up to 512 bytes come from pools shared by size; larger requests go to the system.
BlockPool* block_pool(std::size_t bytes);
/// Blocks that all pools together took from the system.
std::int64_t block_pool_misses();

template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) {}  // NOLINT(google-explicit-constructor): required of allocators

  T* allocate(std::size_t count) {
    BlockPool* pool = block_pool(count * sizeof(T));
    return static_cast<T*>(pool ? pool->take() : ::operator new(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    if (BlockPool* pool = block_pool(count * sizeof(T)))
      pool->give(block);
    else
      ::operator delete(block);
  }
  friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }
};

}  // namespace trustformers
