#include "unigram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../base/error.h"
#include "unicode.h"

namespace trustformers {

constexpr double unk_penalty = 10.0;  // below the least likely piece, as in sentencepiece

Unigram::Unigram(std::span<const UnigramPiece> pieces, TokenId unk_id, bool byte_fallback,
                 const std::vector<bool>& hidden)
    : unk_id_(unk_id) {
  double least = std::numeric_limits<double>::infinity();
  std::vector<Vocabulary::Entry> entries;
  std::vector<Trie::Key> keys;
  entries.reserve(pieces.size());
  keys.reserve(pieces.size());
  scores_.reserve(pieces.size());
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto& [piece, score] = pieces[i];
    entries.emplace_back(piece, static_cast<std::int64_t>(i));
    scores_.push_back(score);
    if (i < hidden.size() && hidden[i]) continue;
    keys.emplace_back(piece, static_cast<TokenId>(i));
    least = std::min(least, score);
  }
  vocabulary_.add(entries, "model.vocab");
  trie_ = Trie(keys);
  unk_score_ = (std::isfinite(least) ? least : 0.0) - unk_penalty;
  if (byte_fallback) bytes_ = byte_tokens(vocabulary_);
}

void Unigram::tokenize(std::string_view piece, std::vector<ModelToken>& out) const {
  cache_.tokenize(piece, out, [&] { search(piece, out); });
}

void Unigram::search(std::string_view piece, std::vector<ModelToken>& out) const {
  struct Node {
    double score = 0;
    std::uint32_t from = ~0u;  // where the best last piece begins
    TokenId id = -1;
  };
  std::vector<Node> best(piece.size() + 1);
  const auto offer = [&](std::size_t from, std::size_t to, TokenId id, double score) {
    Node& node = best[to];
    if (node.from == ~0u || score > node.score) node = {score, static_cast<std::uint32_t>(from), id};
  };
  for (std::size_t at = 0; at < piece.size();) {
    const double here = best[at].score;
    const std::size_t size = unicode::decode(piece, at).size;
    bool single = false;
    trie_.prefixes(piece.substr(at), [&](std::size_t bytes, TokenId id) {
      offer(at, at + bytes, id, here + scores_[static_cast<std::size_t>(id)]);
      single = single || bytes == size;
    });
    if (!single) {
      check(unk_id_ >= 0, ErrorCode::not_found, "[tokenizer] a character is unknown and model.unk_id is null");
      offer(at, at + size, unk_id_, here + unk_score_);
    }
    at += size;
  }
  const std::size_t first = out.size();
  for (std::size_t end = piece.size(); end > 0;) {
    const Node& node = best[end];
    // Read from the back: what was added last is what follows.
    if (node.id == unk_id_ && out.size() > first && out.back().id == unk_id_) {
      out.back().begin = node.from;
    } else {
      out.push_back({node.id, node.from, static_cast<std::uint32_t>(end)});
    }
    end = node.from;
  }
  std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
  if (unk_id_ < 0) return;
  std::vector<ModelToken> pieces(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
  out.resize(first);
  for (const ModelToken& token : pieces) {
    if (token.id != unk_id_) {
      out.push_back(token);
      continue;
    }
    const std::string_view text = piece.substr(token.begin, token.end - token.begin);
    const auto byte_id = [&](char c) { return bytes_[static_cast<unsigned char>(c)]; };
    if (const TokenId whole = vocabulary_.find(text); whole >= 0) {
      out.push_back({whole, token.begin, token.end});  // a run of unknowns can spell a piece
    } else if (!bytes_.empty() && std::all_of(text.begin(), text.end(), [&](char c) { return byte_id(c) >= 0; })) {
      for (const char c : text) out.push_back({byte_id(c), token.begin, token.end});
    } else {
      out.push_back(token);
    }
  }
}

}  // namespace trustformers
