// Remembers what a model made of short pieces, as texts repeat their words. Any number of threads may use it at once.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "token_model.h"

namespace trustformers {

/// Takes the first pieces that come and never forgets one, at most some 2 MB of them.
class WordCache {
 public:
  WordCache();
  ~WordCache();
  WordCache(const WordCache&) = delete;
  WordCache& operator=(const WordCache&) = delete;

  /// Appends the tokens of `piece`: remembered ones, or those that `compute()` appends to `out`, which must depend on
  /// nothing but the piece.
  template <class Compute>
  void tokenize(std::string_view piece, std::vector<ModelToken>& out, Compute&& compute) const {
    if (piece.size() > longest_piece) return compute();
    const std::uint32_t hash = hash_of(piece);
    if (find(piece, hash, out)) return;
    const std::size_t first = out.size();
    compute();
    add(piece, hash, out, first);
  }

 private:
  static constexpr std::size_t longest_piece = 40;
  static constexpr std::size_t most_tokens = 8;
  static constexpr std::size_t slots = 1 << 14;
  static constexpr std::size_t tries = 4;
  struct Entry;
  using Table = std::array<std::atomic<const Entry*>, slots>;

  static std::uint32_t hash_of(std::string_view piece);
  bool find(std::string_view piece, std::uint32_t hash, std::vector<ModelToken>& out) const;
  void add(std::string_view piece, std::uint32_t hash, const std::vector<ModelToken>& out, std::size_t first) const;

  std::unique_ptr<Table> table_;
};

}  // namespace trustformers
