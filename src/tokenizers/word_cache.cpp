#include "word_cache.h"

#include <cstring>

#include "byte_hash.h"

namespace trustformers {

struct WordCache::Entry {
  struct Token {
    TokenId id;
    std::uint8_t begin, end;
  };
  std::uint32_t hash;
  std::uint8_t bytes;
  std::uint8_t count;
  std::array<char, longest_piece> text;
  std::array<Token, most_tokens> tokens;
};

WordCache::WordCache() : table_(std::make_unique<Table>()) {}

WordCache::~WordCache() {
  if (!table_) return;
  for (auto& slot : *table_) delete slot.load(std::memory_order_relaxed);
}

std::uint32_t WordCache::hash_of(std::string_view piece) { return byte_hash(piece); }

bool WordCache::find(std::string_view piece, std::uint32_t hash, std::vector<ModelToken>& out) const {
  for (std::size_t i = 0; i < tries; ++i) {
    const Entry* const entry = (*table_)[(hash + i) % slots].load(std::memory_order_acquire);
    if (!entry) return false;
    if (entry->hash != hash || entry->bytes != piece.size() ||
        std::memcmp(entry->text.data(), piece.data(), piece.size()) != 0)
      continue;
    for (std::size_t k = 0; k < entry->count; ++k)
      out.push_back({entry->tokens[k].id, entry->tokens[k].begin, entry->tokens[k].end});
    return true;
  }
  return false;
}

void WordCache::add(std::string_view piece, std::uint32_t hash, const std::vector<ModelToken>& out,
                    std::size_t first) const {
  const std::size_t count = out.size() - first;
  if (count > most_tokens) return;
  for (std::size_t i = 0; i < tries; ++i) {
    std::atomic<const Entry*>& slot = (*table_)[(hash + i) % slots];
    if (slot.load(std::memory_order_relaxed)) continue;
    auto entry = std::make_unique<Entry>();
    entry->hash = hash;
    entry->bytes = static_cast<std::uint8_t>(piece.size());
    entry->count = static_cast<std::uint8_t>(count);
    std::memcpy(entry->text.data(), piece.data(), piece.size());
    for (std::size_t k = 0; k < count; ++k) {
      const ModelToken& token = out[first + k];
      if (token.end > longest_piece) return;  // places follow the symbols kept and could lie beyond the piece
      entry->tokens[k] = {token.id, static_cast<std::uint8_t>(token.begin), static_cast<std::uint8_t>(token.end)};
    }
    const Entry* expected = nullptr;
    if (slot.compare_exchange_strong(expected, entry.get(), std::memory_order_release, std::memory_order_relaxed))
      (void)entry.release();
    return;
  }
}

}  // namespace trustformers
