#include "vocabulary.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "../base/error.h"
#include "../base/prefetch.h"
#include "byte_hash.h"

namespace trustformers {
namespace {

constexpr std::uint32_t no_token = ~0u;

/// As many slots as keep `tokens` at most two thirds full.
std::size_t slots_for(std::size_t tokens) { return std::bit_ceil(tokens + tokens / 2 + 2); }

}  // namespace

void Vocabulary::add(std::string_view token, std::int64_t id, std::string_view where) {
  if (slots_.size() < slots_for(size_ + 1)) rehash(slots_for(2 * size_ + 2));
  insert(token, byte_hash(token), id, where);
}

void Vocabulary::add(std::span<const Entry> entries, std::string_view where) {
  if (slots_.size() < slots_for(size_ + entries.size())) rehash(slots_for(size_ + entries.size()));
  by_id_.reserve(size_ + entries.size());
  std::size_t bytes = bytes_.size();
  for (const Entry& entry : entries) bytes += entry.first.size();
  bytes_.reserve(bytes);
  constexpr std::size_t ahead = 8;
  std::array<std::uint32_t, ahead> hashes{};
  for (std::size_t i = 0; i < entries.size() + ahead; ++i) {
    std::uint32_t& hash = hashes[i % ahead];  // of the entry `ahead` before this one, then of this one
    if (i >= ahead) insert(entries[i - ahead].first, hash, entries[i - ahead].second, where);
    if (i >= entries.size()) continue;
    hash = byte_hash(entries[i].first);
    prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
}

void Vocabulary::insert(std::string_view token, std::uint32_t hash, std::int64_t id, std::string_view where) {
  // Published vocabularies have small gaps at most; the bound keeps a hostile id from claiming gigabytes.
  const auto bound = static_cast<std::int64_t>((size_ + 1) * 64 + (1 << 20));
  check(id >= 0 && id < bound, ErrorCode::parse, "[", where, "] id of \"", token, "\" must be in [0, ", bound,
        "), got ", id);
  check(bytes_.size() + token.size() < (std::size_t{1} << 31), ErrorCode::parse, "[", where,
        "] the tokens exceed 2 GiB");
  Slot& slot = slots_[slot_of(token, hash)];
  if (slot.id < 0) {
    slot = {hash, 0, {static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(token.size())}};
    bytes_ += token;
    longest_ = std::max(longest_, token.size());
    ++size_;
  } else {
    by_id_[static_cast<std::size_t>(slot.id)].begin = no_token;
  }
  slot.id = static_cast<TokenId>(id);
  if (by_id_.size() <= static_cast<std::size_t>(id)) by_id_.resize(static_cast<std::size_t>(id) + 1, {no_token, 0});
  by_id_[static_cast<std::size_t>(id)] = slot.text;
}

TokenId Vocabulary::find(std::string_view token) const {
  if (slots_.empty() || token.size() > longest_) return -1;
  return slots_[slot_of(token, byte_hash(token))].id;
}

void Vocabulary::find(std::span<const std::string_view> tokens, std::span<TokenId> ids) const {
  constexpr std::size_t block = 32;
  std::array<std::uint32_t, block> hashes;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t start = 0; start < tokens.size(); start += block) {
    const auto part = tokens.subspan(start, std::min(block, tokens.size() - start));
    if (slots_.empty()) {
      for (std::size_t i = 0; i < part.size(); ++i) ids[start + i] = -1;
      continue;
    }
    for (std::size_t i = 0; i < part.size(); ++i) {
      hashes[i] = byte_hash(part[i]);
      prefetch(&slots_[hashes[i] & mask]);
    }
    for (std::size_t i = 0; i < part.size(); ++i) prefetch(bytes_.data() + slots_[hashes[i] & mask].text.begin);
    for (std::size_t i = 0; i < part.size(); ++i) ids[start + i] = slots_[slot_of(part[i], hashes[i])].id;
  }
}

std::optional<std::string_view> Vocabulary::token(TokenId id) const {
  if (id < 0 || id >= id_bound()) return std::nullopt;
  const Text text = by_id_[static_cast<std::size_t>(id)];
  return text.begin == no_token ? std::nullopt : std::optional(view(text));
}

std::size_t Vocabulary::slot_of(std::string_view token, std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.id < 0 || (slot.hash == hash && view(slot.text) == token)) return i;
  }
}

void Vocabulary::rehash(std::size_t slots) {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots));
  for (const Slot& slot : old) {
    if (slot.id < 0) continue;
    std::size_t i = slot.hash & (slots - 1);
    while (slots_[i].id >= 0) i = (i + 1) & (slots - 1);
    slots_[i] = slot;
  }
}

}  // namespace trustformers
