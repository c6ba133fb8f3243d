// A trie of byte strings, for finding the keys that start at a place of a text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "flat_map.h"

namespace trustformers {

class Trie {
 public:
  /// Adds a key; one that is there already gets the new value (>= 0).
  void add(std::string_view key, std::int32_t value) {
    if (values_.empty()) values_.push_back(-1);
    std::uint32_t node = 0;
    for (const char c : key) {
      const auto* child = children_.find(edge(node, c));
      if (child) {
        node = *child;
      } else {
        const auto fresh = static_cast<std::uint32_t>(values_.size());
        children_.insert(edge(node, c), fresh);
        values_.push_back(-1);
        node = fresh;
      }
    }
    values_[node] = value;
  }

  /// Calls `found(bytes, value)` for every key that `text` starts with, shortest first.
  template <class Found>
  void prefixes(std::string_view text, Found&& found) const {
    std::uint32_t node = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto* child = children_.find(edge(node, text[i]));
      if (!child) return;
      node = *child;
      if (values_[node] >= 0) found(i + 1, values_[node]);
    }
  }

  bool empty() const { return values_.size() < 2; }

 private:
  static std::uint64_t edge(std::uint32_t node, char c) {
    return std::uint64_t{node} << 8 | static_cast<unsigned char>(c);
  }

  FlatMap<std::uint32_t> children_;
  std::vector<std::int32_t> values_;  // by node; -1: no key ends here
};

}  // namespace trustformers
