// A vocabulary as a tree of bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace trustformers {

/// Nodes stand in preorder, so that a subtree is a range. Immutable; threads may share it.
class TokenTrie {
 public:
  /// The bytes that each token stands for; an empty text keeps a token out (special tokens, holes of the vocabulary).
  explicit TokenTrie(std::span<const std::string> token_bytes);

  struct Node {
    std::uint32_t end = 0;          // behind the subtree
    std::uint32_t first_token = 0;  // of tokens()
    std::uint16_t token_count = 0;
    std::uint16_t depth = 0;
    std::uint8_t byte = 0;
    /// Where all that follows below is plain text, UTF-8 (its last character perhaps unfinished) that JSON need not
    /// escape: the most characters of it. Else -1.
    std::int32_t plain_below = -1;
  };
  /// Node 0 is the root, the empty text.
  const std::vector<Node>& nodes() const { return nodes_; }
  /// The tokens whose bytes end at the node.
  std::span<const std::uint32_t> tokens(const Node& node) const {
    return std::span(tokens_).subspan(node.first_token, node.token_count);
  }
  /// Those of the node and of all below it.
  std::span<const std::uint32_t> tokens_below(const Node& node) const {
    const std::size_t end = node.end < nodes_.size() ? nodes_[node.end].first_token : tokens_.size();
    return std::span(tokens_).subspan(node.first_token, end - node.first_token);
  }
  std::size_t vocabulary() const { return bytes_.size(); }
  const std::string& bytes(std::int64_t token) const { return bytes_[static_cast<std::size_t>(token)]; }

 private:
  void find_plain_parts();

  std::vector<std::string> bytes_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> tokens_;
};

}  // namespace trustformers
