// Tokens and their ids: one arena of bytes, one hash table, one array by id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trustformers {

using TokenId = std::int32_t;

class Vocabulary {
 public:
  void reserve(std::size_t tokens, std::size_t bytes);
  /// Adds a token; one that is there already gets the new id, an id that is there already the new token.
  /// Errors: parse, when the id is negative or so large that the table by id would be mostly empty (`where` is named).
  void add(std::string_view token, std::int64_t id, std::string_view where = "vocabulary");

  /// The id, or -1.
  TokenId find(std::string_view token) const;
  /// The token, or nothing when no token has this id.
  std::optional<std::string_view> token(TokenId id) const;
  /// Number of different tokens.
  std::size_t size() const { return entries_.size(); }
  /// One more than the largest id.
  TokenId id_bound() const { return static_cast<TokenId>(by_id_.size()); }
  /// Length in bytes of the longest token.
  std::size_t longest() const { return longest_; }

 private:
  struct Entry {
    std::uint32_t begin;
    std::uint32_t size;
    TokenId id;
  };
  struct Slot {
    std::uint32_t tag = 0;  // high bits of the hash
    std::int32_t entry = -1;
  };

  std::string_view text(const Entry& entry) const { return std::string_view(bytes_).substr(entry.begin, entry.size); }
  std::size_t slot_of(std::string_view token, std::uint64_t hash) const;
  void rehash(std::size_t slots);

  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<std::int32_t> by_id_;  // entry, or -1
  std::vector<Slot> slots_;
  std::size_t longest_ = 0;
};

}  // namespace trustformers
