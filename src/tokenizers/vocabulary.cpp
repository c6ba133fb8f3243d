#include "vocabulary.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "../base/error.h"

namespace trustformers {
namespace {

std::uint64_t hash_of(std::string_view token) {
  // FNV-1a, finished so that its high and low bits are both good; tokens are short.
  std::uint64_t h = 0xCBF29CE484222325u;
  for (const char c : token) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  h ^= h >> 29;
  h *= 0xD6E8FEB86659FD93u;
  return h ^ h >> 32;
}

constexpr std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

}  // namespace

void Vocabulary::reserve(std::size_t tokens, std::size_t bytes) {
  bytes_.reserve(bytes);
  entries_.reserve(tokens);
  by_id_.reserve(tokens);
  const std::size_t wanted = std::bit_ceil(tokens * 2 + 2);
  if (wanted > slots_.size()) rehash(wanted);
}

void Vocabulary::add(std::string_view token, std::int64_t id, std::string_view where) {
  // Published vocabularies have small gaps at most; the bound keeps a hostile id from claiming gigabytes.
  const auto bound = static_cast<std::int64_t>((entries_.size() + 1) * 64 + (1 << 20));
  check(id >= 0 && id < bound, ErrorCode::parse, "[", where, "] id of \"", token, "\" must be in [0, ", bound,
        "), got ", id);
  check(bytes_.size() + token.size() < (std::size_t{1} << 31), ErrorCode::parse, "[", where,
        "] the tokens exceed 2 GiB");
  if (slots_.size() < entries_.size() * 2 + 2) rehash(std::bit_ceil(entries_.size() * 2 + 2));
  const std::uint64_t hash = hash_of(token);
  Slot& slot = slots_[slot_of(token, hash)];
  if (slot.entry < 0) {
    slot = {tag_of(hash), static_cast<std::int32_t>(entries_.size())};
    entries_.push_back({static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(token.size()),
                        static_cast<TokenId>(id)});
    bytes_ += token;
    longest_ = std::max(longest_, token.size());
  } else {
    entries_[static_cast<std::size_t>(slot.entry)].id = static_cast<TokenId>(id);
  }
  if (by_id_.size() <= static_cast<std::size_t>(id)) by_id_.resize(static_cast<std::size_t>(id) + 1, -1);
  by_id_[static_cast<std::size_t>(id)] = slot.entry;
}

TokenId Vocabulary::find(std::string_view token) const {
  if (slots_.empty() || token.size() > longest_) return -1;
  const std::int32_t entry = slots_[slot_of(token, hash_of(token))].entry;
  return entry < 0 ? -1 : entries_[static_cast<std::size_t>(entry)].id;
}

std::optional<std::string_view> Vocabulary::token(TokenId id) const {
  if (id < 0 || id >= id_bound() || by_id_[static_cast<std::size_t>(id)] < 0) return std::nullopt;
  return text(entries_[static_cast<std::size_t>(by_id_[static_cast<std::size_t>(id)])]);
}

std::size_t Vocabulary::slot_of(std::string_view token, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  auto i = static_cast<std::size_t>(hash) & mask;
  for (;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.entry < 0) return i;
    if (slot.tag == tag_of(hash) && text(entries_[static_cast<std::size_t>(slot.entry)]) == token) return i;
  }
}

void Vocabulary::rehash(std::size_t slots) {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots));
  for (const Slot& slot : old) {
    if (slot.entry < 0) continue;
    const std::string_view token = text(entries_[static_cast<std::size_t>(slot.entry)]);
    slots_[slot_of(token, hash_of(token))] = slot;
  }
}

}  // namespace trustformers
