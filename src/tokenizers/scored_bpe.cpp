#include "scored_bpe.h"

#include <algorithm>
#include <queue>

#include "../base/error.h"
#include "unicode.h"

namespace trustformers {

ScoredBpe::ScoredBpe(Vocabulary vocabulary, std::vector<float> scores, ScoredBpeOptions options)
    : vocabulary_(std::move(vocabulary)),
      scores_(std::move(scores)),
      bytes_(byte_tokens(vocabulary_)),
      options_(std::move(options)) {
  scores_.resize(static_cast<std::size_t>(vocabulary_.id_bound()));
}

void ScoredBpe::tokenize(std::string_view piece, std::vector<ModelToken>& out) const {
  struct Symbol {
    std::uint32_t begin;
    std::uint32_t end;  // == begin: joined to what is before it
    std::uint32_t previous;
    std::uint32_t next;
    bool frozen;
  };
  struct Candidate {
    float score;
    std::uint32_t left;
    std::uint32_t end;  // of the union, to notice that a symbol has changed
    bool operator<(const Candidate& other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };
  constexpr std::uint32_t none = ~0u;
  std::vector<Symbol> symbols;
  symbols.reserve(piece.size());
  for (std::size_t i = 0; i < piece.size();) {
    const auto index = static_cast<std::uint32_t>(symbols.size());
    const auto begin = static_cast<std::uint32_t>(i);
    std::size_t bytes = 0;
    if (options_.whole)
      options_.whole->prefixes(piece.substr(i), [&](std::size_t size, std::int32_t) { bytes = size; });
    const bool frozen = bytes > 0;
    i += frozen ? bytes : unicode::decode(piece, i).size;
    symbols.push_back({begin, static_cast<std::uint32_t>(i), index - 1, i < piece.size() ? index + 1 : none, frozen});
  }
  std::priority_queue<Candidate> queue;
  const auto offer = [&](std::uint32_t left) {
    if (left == none || symbols[left].next == none) return;
    if (symbols[left].frozen || symbols[symbols[left].next].frozen) return;
    const std::uint32_t begin = symbols[left].begin;
    const std::uint32_t end = symbols[symbols[left].next].end;
    const TokenId id = vocabulary_.find(piece.substr(begin, end - begin));
    if (id >= 0) queue.push({scores_[static_cast<std::size_t>(id)], left, end});
  };
  for (std::uint32_t i = 0; i < symbols.size(); ++i) offer(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.left];
    if (left.begin == left.end || left.next == none || symbols[left.next].end != best.end) continue;
    Symbol& right = symbols[left.next];
    left.end = right.end;
    right.begin = right.end;
    left.next = right.next;
    if (right.next != none) symbols[right.next].previous = best.left;
    offer(left.previous);
    offer(best.left);
  }
  bool after_unknown = false;
  for (const Symbol& symbol : symbols) {
    if (symbol.begin == symbol.end) continue;
    const std::string_view text = piece.substr(symbol.begin, symbol.end - symbol.begin);
    const auto byte_id = [&](char c) { return bytes_[static_cast<unsigned char>(c)]; };
    if (const TokenId id = vocabulary_.find(text); id >= 0) {
      out.push_back({id, symbol.begin, symbol.end});
    } else if (std::all_of(text.begin(), text.end(), [&](char c) { return byte_id(c) >= 0; })) {
      for (const char c : text) out.push_back({byte_id(c), symbol.begin, symbol.end});
    } else {
      check(options_.unk_id >= 0, ErrorCode::not_found, "[tokenizer] \"", text,
            "\" is unknown and there is no token for the unknown");
      if (after_unknown && options_.fuse_unk)
        out.back().end = symbol.end;
      else
        out.push_back({options_.unk_id, symbol.begin, symbol.end});
      after_unknown = true;
      continue;
    }
    after_unknown = false;
  }
}

}  // namespace trustformers
