#include "trie.h"

#include <algorithm>
#include <numeric>

namespace trustformers {
namespace {

/// Eight bytes from `at` on (zeros beyond the end) as a number that orders like them.
std::uint64_t bytes_at(std::string_view text, std::size_t at) {
  std::uint64_t bytes = 0;
  for (std::size_t i = at; i < at + 8; ++i)
    bytes = bytes << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0u);
  return bytes;
}

}  // namespace

Trie::Trie(std::span<const Key> keys) {
  roots_.fill(none);
  struct Sorted {
    std::uint64_t start;  // the first eight bytes, and the next
    std::uint64_t middle;
    std::uint32_t index;
  };
  std::vector<Sorted> sorted;
  sorted.reserve(keys.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i)
    if (!keys[i].first.empty()) sorted.push_back({bytes_at(keys[i].first, 0), bytes_at(keys[i].first, 8), i});
  std::sort(sorted.begin(), sorted.end(), [&](const Sorted& a, const Sorted& b) {
    if (a.start != b.start) return a.start < b.start;
    if (a.middle != b.middle) return a.middle < b.middle;
    const int order = keys[a.index].first.compare(keys[b.index].first);
    return order != 0 ? order < 0 : a.index < b.index;
  });

  /// The keys [begin, end) share `depth` bytes; they are below `node`.
  struct Range {
    std::uint32_t node, begin, end;
    std::uint32_t depth;
  };
  const auto key = [&](std::uint32_t i) { return keys[sorted[i].index].first; };
  std::vector<Range> waiting;
  // Adds the nodes one byte deeper than `range` side by side and gives their number.
  const auto add_children = [&](const Range& range) {
    std::uint16_t count = 0;
    std::uint32_t at = range.begin;
    while (at < range.end) {
      const auto label = static_cast<unsigned char>(key(at)[range.depth]);
      const std::uint32_t begin = at;
      while (at < range.end && static_cast<unsigned char>(key(at)[range.depth]) == label) ++at;
      waiting.push_back({static_cast<std::uint32_t>(nodes_.size()), begin, at, range.depth + 1});
      nodes_.emplace_back();
      labels_.push_back(label);
      ++count;
    }
    return count;
  };
  nodes_.reserve(sorted.size() * 3);
  labels_.reserve(sorted.size() * 3);
  add_children({none, 0, static_cast<std::uint32_t>(sorted.size()), 0});
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) roots_[labels_[i]] = i;
  while (!waiting.empty()) {
    Range range = waiting.back();
    waiting.pop_back();
    // The shortest keys come first: those that end here.
    for (; range.begin < range.end && key(range.begin).size() == range.depth; ++range.begin)
      nodes_[range.node].value = keys[sorted[range.begin].index].second;
    const auto first = static_cast<std::uint32_t>(nodes_.size());
    const std::uint16_t count = add_children(range);
    nodes_[range.node].first = first;
    nodes_[range.node].children = count;
  }
}

}  // namespace trustformers
