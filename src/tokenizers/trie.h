// A trie of byte strings, for finding the keys that start at a place of a text.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace trustformers {

/// Built once from all keys. The children of a node lie side by side in the order of their labels.
class Trie {
 public:
  using Key = std::pair<std::string_view, std::int32_t>;

  Trie() = default;
  /// Keys with their values (>= 0); empty keys are left out, and of equal ones the last counts.
  explicit Trie(std::span<const Key> keys);

  /// Calls `found(bytes, value)` for every key that `text` starts with, shortest first.
  template <class Found>
  void prefixes(std::string_view text, Found&& found) const {
    if (text.empty() || nodes_.empty()) return;
    std::uint32_t node = roots_[static_cast<unsigned char>(text[0])];
    for (std::size_t i = 1; node != none; ++i) {
      if (nodes_[node].value >= 0) found(i, nodes_[node].value);
      if (i == text.size()) return;
      node = child(nodes_[node], static_cast<unsigned char>(text[i]));
    }
  }

  bool empty() const { return nodes_.empty(); }

 private:
  static constexpr std::uint32_t none = ~0u;
  struct Node {
    std::int32_t value = -1;  // -1: no key ends here
    std::uint32_t first = 0;  // of the children
    std::uint16_t children = 0;
  };

  std::uint32_t child(const Node& node, unsigned char label) const {
    const auto begin = labels_.begin() + node.first;
    const auto end = begin + node.children;
    const auto found = node.children > 8 ? std::lower_bound(begin, end, label) : std::find(begin, end, label);
    return found != end && *found == label ? static_cast<std::uint32_t>(found - labels_.begin()) : none;
  }

  std::array<std::uint32_t, 256> roots_{};
  std::vector<Node> nodes_;
  std::vector<unsigned char> labels_;  // by node: the last byte on the way to it
};

}  // namespace trustformers
