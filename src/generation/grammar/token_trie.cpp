#include "token_trie.h"

#include <algorithm>
#include <limits>

#include "../../base/error.h"

namespace trustformers {

TokenTrie::TokenTrie(std::span<const std::string> token_bytes) : bytes_(token_bytes.begin(), token_bytes.end()) {
  std::vector<std::uint32_t> order;
  for (std::size_t i = 0; i < bytes_.size(); ++i)
    if (!bytes_[i].empty()) order.push_back(static_cast<std::uint32_t>(i));
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return bytes_[a] != bytes_[b] ? bytes_[a] < bytes_[b] : a < b; });
  nodes_.emplace_back();
  std::vector<std::uint32_t> path{0};  // the nodes of the last token
  const auto close = [&](std::size_t depth) {
    for (; path.size() > depth + 1; path.pop_back())
      nodes_[path.back()].end = static_cast<std::uint32_t>(nodes_.size());
  };
  std::string_view last;
  for (const std::uint32_t token : order) {
    const std::string& text = bytes_[token];
    check(text.size() <= std::numeric_limits<std::uint16_t>::max(), ErrorCode::invalid_argument, "[grammar] token ",
          token, " has ", text.size(), " bytes");
    std::size_t shared = 0;
    while (shared < std::min(last.size(), text.size()) && last[shared] == text[shared]) ++shared;
    close(shared);
    for (std::size_t i = shared; i < text.size(); ++i) {
      path.push_back(static_cast<std::uint32_t>(nodes_.size()));
      Node node;
      node.byte = static_cast<std::uint8_t>(text[i]);
      node.depth = static_cast<std::uint16_t>(i + 1);
      node.first_token = static_cast<std::uint32_t>(tokens_.size());
      nodes_.push_back(node);
    }
    Node& node = nodes_[path.back()];
    if (node.token_count == 0) node.first_token = static_cast<std::uint32_t>(tokens_.size());
    check(++node.token_count != 0, ErrorCode::invalid_argument, "[grammar] too many tokens stand for the same bytes");
    tokens_.push_back(token);
    last = text;
  }
  close(0);
  nodes_[0].end = static_cast<std::uint32_t>(nodes_.size());
  find_plain_parts();
}

void TokenTrie::find_plain_parts() {
  // Along each path: how many bytes the character still lacks, and between what its next byte must lie.
  struct Utf8 {
    std::uint8_t missing = 0, low = 0x80, high = 0xBF;
    bool plain = true;
  };
  const auto after = [](Utf8 at, std::uint8_t byte) -> Utf8 {
    constexpr Utf8 broken{0, 0, 0, false};
    if (!at.plain) return broken;
    if (at.missing > 0) {
      if (byte < at.low || byte > at.high) return broken;
      return {static_cast<std::uint8_t>(at.missing - 1)};
    }
    if (byte < 0x80) return byte >= 0x20 && byte != '"' && byte != '\\' ? Utf8{} : broken;
    if (byte >= 0xC2 && byte <= 0xDF) return {1};
    if (byte >= 0xE0 && byte <= 0xEF)
      return {2, static_cast<std::uint8_t>(byte == 0xE0 ? 0xA0 : 0x80),
              static_cast<std::uint8_t>(byte == 0xED ? 0x9F : 0xBF)};
    if (byte >= 0xF0 && byte <= 0xF4)
      return {3, static_cast<std::uint8_t>(byte == 0xF0 ? 0x90 : 0x80),
              static_cast<std::uint8_t>(byte == 0xF4 ? 0x8F : 0xBF)};
    return broken;
  };
  std::vector<Utf8> path(1);
  std::vector<std::uint32_t> parents(nodes_.size(), 0), open(1, 0);
  std::vector<Utf8> states(nodes_.size());
  for (std::uint32_t i = 1; i < nodes_.size(); ++i) {
    const std::size_t depth = nodes_[i].depth;
    if (path.size() <= depth) {
      path.resize(depth + 1);
      open.resize(depth + 1);
    }
    states[i] = path[depth] = after(path[depth - 1], nodes_[i].byte);
    parents[i] = open[depth - 1];
    open[depth] = i;
  }
  for (TokenTrie::Node& node : nodes_) node.plain_below = 0;
  for (auto i = static_cast<std::uint32_t>(nodes_.size()) - 1; i > 0; --i) {
    std::int32_t& above = nodes_[parents[i]].plain_below;
    if (!states[i].plain || nodes_[i].plain_below < 0)
      above = -1;
    else if (above >= 0)  // a character counts where it begins
      above = std::max(above, nodes_[i].plain_below + (states[parents[i]].missing == 0 ? 1 : 0));
  }
  // Only a whole character is where plain text may begin.
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (!states[i].plain || states[i].missing > 0) nodes_[i].plain_below = -1;
}

}  // namespace trustformers
