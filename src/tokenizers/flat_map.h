// An open-addressing hash table from 64-bit keys, for merges, of which there are hundreds of thousands.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "../base/prefetch.h"

namespace trustformers {

/// Keys are any 64-bit number but `empty_key`. Insertion replaces; nothing is ever removed.
template <class Value>
class FlatMap {
 public:
  static constexpr std::uint64_t empty_key = ~std::uint64_t{0};

  /// Room for so many entries, at most two thirds full.
  void reserve(std::size_t entries) {
    const std::size_t wanted = std::bit_ceil(entries + entries / 2 + 2);
    if (wanted > slots_.size()) rehash(wanted);
  }
  std::size_t size() const { return size_; }

  void insert(std::uint64_t key, const Value& value) {
    reserve(size_ + 1);
    Slot& slot = slots_[slot_of(key)];
    if (slot.key == empty_key) ++size_;
    slot = {key, value};
  }
  /// Asks for the memory of a key that will be looked for or inserted soon.
  void prepare(std::uint64_t key) const { prefetch(&slots_[home_of(key)]); }
  const Value* find(std::uint64_t key) const {
    if (slots_.empty()) return nullptr;
    const Slot& slot = slots_[slot_of(key)];
    return slot.key == empty_key ? nullptr : &slot.value;
  }
  /// Calls `visit(key, value)` for every entry, in no order.
  template <class Visit>
  void each(Visit&& visit) const {
    for (const Slot& slot : slots_)
      if (slot.key != empty_key) visit(slot.key, slot.value);
  }

 private:
  struct Slot {
    std::uint64_t key = empty_key;
    Value value{};
  };

  std::size_t home_of(std::uint64_t key) const {
    std::uint64_t h = key * 0x9E3779B97F4A7C15u;
    h ^= h >> 32;
    h *= 0xD6E8FEB86659FD93u;
    return static_cast<std::size_t>(h >> 32) & (slots_.size() - 1);
  }
  std::size_t slot_of(std::uint64_t key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t i = home_of(key);
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
