#include "bpe.h"

#include <algorithm>
#include <array>
#include <queue>

#include "../base/error.h"
#include "../base/utf8.h"
#include "byte_alphabet.h"
#include "unicode.h"

namespace trustformers {
namespace {

// Below this many symbols, looking at all pairs again after each merge beats a heap.
constexpr std::size_t short_piece = 32;
constexpr std::size_t long_piece = 64;  // bytes, from which on a piece is cut where nothing can merge

}  // namespace

Bpe::Bpe(Vocabulary vocabulary, BpeOptions options) : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
  if (options_.unk_token) unk_id_ = vocabulary_.find(*options_.unk_token);
  if (options_.byte_fallback) bytes_ = byte_tokens(vocabulary_);
  decorated_ = !options_.continuing_subword_prefix.empty() || !options_.end_of_word_suffix.empty();
  if (decorated_) return;
  for (char32_t value = 0; value < 0x800; ++value)
    short_characters_.push_back(vocabulary_.find(encode_utf8(std::u32string_view(&value, 1))));
}

void Bpe::add_merges(std::span<const Pair> pairs) {
  std::vector<std::string_view> parts;
  parts.reserve(pairs.size() * 2);
  for (const auto& [left, right] : pairs) {
    parts.push_back(left);
    parts.push_back(right);
  }
  std::vector<TokenId> ids(parts.size());
  vocabulary_.find(parts, ids);
  merges_.reserve(merges_.size() + pairs.size());
  constexpr std::size_t ahead = 8;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i + ahead < pairs.size()) merges_.prepare(key_of(ids[2 * (i + ahead)], ids[2 * (i + ahead) + 1]));
    const TokenId left = ids[2 * i];
    const TokenId right = ids[2 * i + 1];
    const TokenId both = union_of(pairs[i]);
    check(left >= 0 && right >= 0 && both >= 0, ErrorCode::parse, "[tokenizer] model.merges[", next_rank_, "]: \"",
          pairs[i].first, "\" + \"", pairs[i].second, "\": ",
          left < 0    ? "the left part"
          : right < 0 ? "the right part"
                      : "the result",
          " is not in model.vocab");
    merges_.insert(key_of(left, right), {next_rank_++, both});
    next_result_ = both + 1;
  }
}

TokenId Bpe::union_of(const Pair& pair) const {
  std::string_view tail = pair.second;
  const std::string& prefix = options_.continuing_subword_prefix;
  if (!prefix.empty() && tail.size() >= prefix.size()) tail.remove_prefix(prefix.size());
  // Trained vocabularies have the results of merges in their order: the next one is likely the next id.
  if (const auto guess = vocabulary_.token(next_result_); guess && guess->size() == pair.first.size() + tail.size() &&
                                                          guess->starts_with(pair.first) && guess->ends_with(tail))
    return next_result_;
  return vocabulary_.find(std::string(pair.first).append(tail));
}

void Bpe::tokenize(std::string_view piece, std::vector<ModelToken>& out) const {
  if (options_.ignore_merges) {
    if (const TokenId whole = vocabulary_.find(piece); whole >= 0) {
      out.push_back({whole, 0, static_cast<std::uint32_t>(piece.size())});
      return;
    }
  }
  if (piece.size() >= long_piece && !decorated_ && !options_.ignore_merges) {
    if (const Joints& all = joints(); all.known) return tokenize_parts(piece, all, out);
  }
  cache_.tokenize(piece, out, [&] { tokenize_whole(piece, out); });
}

void Bpe::tokenize_whole(std::string_view piece, std::vector<ModelToken>& out) const {
  const std::size_t first = out.size();
  characters(piece, out);
  if (out.size() - first <= short_piece) {
    merge_short(out, first);
  } else {
    merge_long(out, first);
  }
}

const Bpe::Joints& Bpe::joints() const {
  std::call_once(joints_once_, [&] {
    joints_.known = true;
    merges_.each([&](std::uint64_t key, const Merge&) {
      const auto left = static_cast<TokenId>(key >> 32);
      const auto right = static_cast<TokenId>(key & 0xFFFFFFFF);
      const std::string_view head = vocabulary_.token(left).value_or("");
      const std::string_view tail = vocabulary_.token(right).value_or("");
      const auto is_character = [&](TokenId id, std::string_view text) {
        const bool is_byte = options_.byte_fallback && named_byte(text) >= 0;
        return !text.empty() && id != unk_id_ && !is_byte && is_valid_utf8(text);
      };
      if (!is_character(left, head) || !is_character(right, tail)) {
        joints_.known = false;
        return;
      }
      const char32_t a = unicode::decode_before(head, head.size()).value;
      const char32_t b = unicode::decode(tail, 0).value;
      if (a < 128 && b < 128) {
        joints_.ascii.set(a * 128 + b);
      } else {
        joints_.others.insert(std::uint64_t{a} << 32 | b, true);
      }
    });
  });
  return joints_;
}

void Bpe::tokenize_parts(std::string_view piece, const Joints& joints, std::vector<ModelToken>& out) const {
  std::uint32_t at = 0;  // where the tokens so far end: what the vocabulary lacks is not counted
  std::size_t begin = 0;
  const auto flush = [&](std::size_t end) {
    const std::string_view part = piece.substr(begin, end - begin);
    const std::size_t first = out.size();
    cache_.tokenize(part, out, [&] { tokenize_whole(part, out); });
    for (std::size_t i = first; i < out.size(); ++i) {
      out[i].begin += at;
      out[i].end += at;
    }
    if (out.size() > first) at = out.back().end;
    begin = end;
  };
  auto before = unicode::decode(piece, 0);
  for (std::size_t i = before.size; i < piece.size();) {
    const auto next = unicode::decode(piece, i);
    // Unknown characters may be one unknown together: the cut is before a known one.
    if (!joints.joined(before.value, next.value) && find_character(piece.substr(i, next.size), next.value) >= 0)
      flush(i);
    before = next;
    i += next.size;
  }
  flush(piece.size());
}

void Bpe::characters(std::string_view piece, std::vector<ModelToken>& out) const {
  std::uint32_t at = 0;  // places follow the symbols kept, so that what is dropped shifts them, as in the reference
  const auto add = [&](TokenId id, std::uint32_t bytes) {
    out.push_back({id, at, at + bytes});
    at += bytes;
  };
  std::uint32_t unknown = 0;  // bytes of the unknown that waits
  const auto flush = [&] {
    if (unknown > 0) add(unk_id_, unknown);
    unknown = 0;
  };
  std::string decorated_text;
  for (std::size_t i = 0; i < piece.size();) {
    const auto [value, size] = unicode::decode(piece, i);
    std::string_view symbol = piece.substr(i, size);
    if (decorated_) {
      decorated_text.clear();
      if (i > 0) decorated_text += options_.continuing_subword_prefix;
      decorated_text += symbol;
      if (i + size == piece.size()) decorated_text += options_.end_of_word_suffix;
      symbol = decorated_text;
    }
    i += size;
    if (const TokenId id = find_character(symbol, value); id >= 0) {
      flush();
      add(id, size);
      continue;
    }
    const auto byte_id = [&](char c) { return bytes_[static_cast<unsigned char>(c)]; };
    if (options_.byte_fallback && std::all_of(symbol.begin(), symbol.end(), [&](char c) { return byte_id(c) >= 0; })) {
      for (const char c : symbol) add(byte_id(c), 1);
      continue;
    }
    if (!options_.unk_token) continue;
    check(unk_id_ >= 0, ErrorCode::not_found, "[tokenizer] model.unk_token \"", *options_.unk_token,
          "\" is not in model.vocab");
    if (!options_.fuse_unk) flush();
    unknown += size;
  }
  flush();
}

void Bpe::merge_short(std::vector<ModelToken>& symbols, std::size_t first) const {
  std::array<const Merge*, short_piece + 1> merges{};  // of each symbol with the one after it
  std::size_t count = symbols.size() - first;
  ModelToken* const all = symbols.data() + first;
  const auto look = [&](std::size_t i) { merges[i] = merge_of(all[i].id, all[i + 1].id); };
  for (std::size_t i = 0; i + 1 < count; ++i) look(i);
  while (count > 1) {
    const Merge* best = nullptr;
    std::size_t place = 0;
    for (std::size_t i = 0; i + 1 < count; ++i) {
      if (merges[i] && (!best || merges[i]->rank < best->rank)) {
        best = merges[i];
        place = i;
      }
    }
    if (!best) break;
    all[place].id = best->id;
    all[place].end = all[place + 1].end;
    --count;
    for (std::size_t i = place + 1; i < count; ++i) {
      all[i] = all[i + 1];
      merges[i] = merges[i + 1];
    }
    if (place > 0) look(place - 1);
    if (place + 1 < count) look(place);
  }
  symbols.resize(first + count);
}

void Bpe::merge_long(std::vector<ModelToken>& symbols, std::size_t first) const {
  struct Candidate {
    std::uint32_t rank;
    std::uint32_t left;  // index of the left symbol
    TokenId id;
    bool operator>(const Candidate& other) const { return rank != other.rank ? rank > other.rank : left > other.left; }
  };
  constexpr std::uint32_t none = ~0u;
  const auto count = static_cast<std::uint32_t>(symbols.size() - first);
  std::vector<std::uint32_t> previous(count);
  std::vector<std::uint32_t> next(count);
  std::vector<bool> gone(count);
  std::vector<Candidate> storage;
  storage.reserve(count);
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue(std::greater<>{}, std::move(storage));
  const auto symbol = [&](std::uint32_t i) -> ModelToken& { return symbols[first + i]; };
  const auto offer = [&](std::uint32_t left) {
    if (left == none || next[left] == none) return;
    if (const Merge* merge = merge_of(symbol(left).id, symbol(next[left]).id))
      queue.push({merge->rank, left, merge->id});
  };
  for (std::uint32_t i = 0; i < count; ++i) {
    previous[i] = i > 0 ? i - 1 : none;
    next[i] = i + 1 < count ? i + 1 : none;
  }
  for (std::uint32_t i = 0; i < count; ++i) offer(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    if (gone[best.left] || next[best.left] == none) continue;
    const std::uint32_t right = next[best.left];
    // The pair may have changed since it was offered.
    const Merge* merge = merge_of(symbol(best.left).id, symbol(right).id);
    if (!merge || merge->id != best.id) continue;
    symbol(best.left).id = best.id;
    symbol(best.left).end = symbol(right).end;
    gone[right] = true;
    next[best.left] = next[right];
    if (next[right] != none) previous[next[right]] = best.left;
    offer(previous[best.left]);
    offer(best.left);
  }
  std::size_t kept = first;
  for (std::uint32_t i = 0; i < count; ++i)
    if (!gone[i]) symbols[kept++] = symbol(i);
  symbols.resize(kept);
}

}  // namespace trustformers
