// An open-addressing hash table from 64-bit keys, for merges and tries with hundreds of thousands of entries.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace trustformers {

/// Keys are any 64-bit number but `empty_key`. Insertion replaces; nothing is ever removed.
template <class Value>
class FlatMap {
 public:
  static constexpr std::uint64_t empty_key = ~std::uint64_t{0};

  void reserve(std::size_t entries) {
    const std::size_t wanted = std::bit_ceil(entries * 2 + 2);
    if (wanted > slots_.size()) rehash(wanted);
  }
  std::size_t size() const { return size_; }

  void insert(std::uint64_t key, const Value& value) {
    reserve(size_ + 1);
    Slot& slot = slots_[slot_of(key)];
    if (slot.key == empty_key) ++size_;
    slot = {key, value};
  }
  const Value* find(std::uint64_t key) const {
    if (slots_.empty()) return nullptr;
    const Slot& slot = slots_[slot_of(key)];
    return slot.key == empty_key ? nullptr : &slot.value;
  }

 private:
  struct Slot {
    std::uint64_t key = empty_key;
    Value value{};
  };

  std::size_t slot_of(std::uint64_t key) const {
    std::uint64_t h = key * 0x9E3779B97F4A7C15u;
    h ^= h >> 32;
    h *= 0xD6E8FEB86659FD93u;
    h ^= h >> 32;
    const std::size_t mask = slots_.size() - 1;
    auto i = static_cast<std::size_t>(h) & mask;
    while (slots_[i].key != empty_key && slots_[i].key != key) i = (i + 1) & mask;
    return i;
  }
  void rehash(std::size_t slots) {
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots));
    for (const Slot& slot : old)
      if (slot.key != empty_key) slots_[slot_of(slot.key)] = slot;
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace trustformers
