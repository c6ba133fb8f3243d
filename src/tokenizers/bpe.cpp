#include "bpe.h"

#include <algorithm>
#include <queue>

#include "../base/error.h"
#include "unicode.h"

namespace trustformers {
namespace {

// Below this many symbols, looking at all pairs again after each merge beats a heap.
constexpr std::size_t short_piece = 32;

}  // namespace

Bpe::Bpe(Vocabulary vocabulary, BpeOptions options) : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
  if (options_.unk_token) unk_id_ = vocabulary_.find(*options_.unk_token);
  if (options_.byte_fallback) bytes_ = byte_tokens(vocabulary_);
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
  const std::size_t first = out.size();
  characters(piece, out);
  if (out.size() - first <= short_piece) {
    merge_short(out, first);
  } else {
    merge_long(out, first);
  }
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
  const bool decorated = !options_.continuing_subword_prefix.empty() || !options_.end_of_word_suffix.empty();
  std::string decorated_text;
  for (std::size_t i = 0; i < piece.size();) {
    const std::uint32_t size = unicode::decode(piece, i).size;
    std::string_view symbol = piece.substr(i, size);
    if (decorated) {
      decorated_text.clear();
      if (i > 0) decorated_text += options_.continuing_subword_prefix;
      decorated_text += symbol;
      if (i + size == piece.size()) decorated_text += options_.end_of_word_suffix;
      symbol = decorated_text;
    }
    i += size;
    if (const TokenId id = vocabulary_.find(symbol); id >= 0) {
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
  while (symbols.size() - first > 1) {
    const Merge* best = nullptr;
    std::size_t place = 0;
    for (std::size_t i = first; i + 1 < symbols.size(); ++i) {
      const Merge* merge = merge_of(symbols[i].id, symbols[i + 1].id);
      if (merge && (!best || merge->rank < best->rank)) {
        best = merge;
        place = i;
      }
    }
    if (!best) return;
    symbols[place].id = best->id;
    symbols[place].end = symbols[place + 1].end;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
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
