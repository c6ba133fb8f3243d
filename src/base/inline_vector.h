// A vector of at most N elements that never allocates.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <utility>

#include "error.h"

namespace trustformers {

template <class T, std::size_t N>
class InlineVector {
 public:
  InlineVector() = default;
  InlineVector(std::initializer_list<T> values) {
    for (const T& value : values) push_back(value);
  }
  explicit InlineVector(std::size_t count, const T& value = T()) {
    for (std::size_t i = 0; i < count; ++i) push_back(value);
  }

  void push_back(T value) {
    check(size_ < N, ErrorCode::out_of_range, "[inline_vector] holds at most ", N, " elements");
    items_[size_++] = std::move(value);
  }
  void pop_back() { items_[--size_] = T(); }
  void clear() {
    while (size_ > 0) pop_back();
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return items_[i]; }
  const T& operator[](std::size_t i) const { return items_[i]; }
  T& back() { return items_[size_ - 1]; }
  const T& back() const { return items_[size_ - 1]; }
  T* data() { return items_.data(); }
  const T* data() const { return items_.data(); }
  T* begin() { return items_.data(); }
  T* end() { return items_.data() + size_; }
  const T* begin() const { return items_.data(); }
  const T* end() const { return items_.data() + size_; }

  friend bool operator==(const InlineVector& a, const InlineVector& b) {
    if (a.size_ != b.size_) return false;
    for (std::size_t i = 0; i < a.size_; ++i)
      if (!(a.items_[i] == b.items_[i])) return false;
    return true;
  }

 private:
  std::array<T, N> items_{};
  std::size_t size_ = 0;
};

}  // namespace trustformers
