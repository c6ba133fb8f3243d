// Tokens and their ids: one arena of bytes, one hash table, one array by id.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trustformers {

using TokenId = std::int32_t;

class Vocabulary {
 public:
  using Entry = std::pair<std::string_view, std::int64_t>;  // token and id

  /// Adds a token; one that is there already gets the new id, an id that is there already the new token.
  /// Errors: parse, when the id is negative or so large that the table by id would be mostly empty (`where` is named).
  void add(std::string_view token, std::int64_t id, std::string_view where = "vocabulary");
  /// The same for many at once: faster, because waits for memory overlap.
  void add(std::span<const Entry> entries, std::string_view where = "vocabulary");

  /// The id, or -1.
  TokenId find(std::string_view token) const;
  /// ids[i] = find(tokens[i]); for many tokens at once several times faster, because waits for memory overlap.
  void find(std::span<const std::string_view> tokens, std::span<TokenId> ids) const;
  /// The token, or nothing when no token has this id.
  std::optional<std::string_view> token(TokenId id) const;
  /// Number of different tokens.
  std::size_t size() const { return size_; }
  /// One more than the largest id.
  TokenId id_bound() const { return static_cast<TokenId>(by_id_.size()); }
  /// Length in bytes of the longest token.
  std::size_t longest() const { return longest_; }

 private:
  struct Text {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };
  struct Slot {
    std::uint32_t hash = 0;
    TokenId id = -1;  // -1: empty
    Text text;
  };

  std::string_view view(Text text) const { return std::string_view(bytes_).substr(text.begin, text.size); }
  std::size_t slot_of(std::string_view token, std::uint32_t hash) const;
  void insert(std::string_view token, std::uint32_t hash, std::int64_t id, std::string_view where);
  void rehash(std::size_t slots);

  std::string bytes_;
  std::vector<Text> by_id_;  // begin == no_token: none
  std::vector<Slot> slots_;
  std::size_t size_ = 0;
  std::size_t longest_ = 0;
};

}  // namespace trustformers
