// Unigram language model (Kudo 2018, arXiv:1804.10959): the split with the highest sum of log probabilities.
#pragma once

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "token_model.h"
#include "trie.h"
#include "word_cache.h"

namespace trustformers {

/// A piece and its log probability; its id is its place in the list.
using UnigramPiece = std::pair<std::string_view, double>;

class Unigram final : public TokenModel {
 public:
  /// `unk_id` is -1 when there is no unknown piece. `hidden` pieces (by id; empty: none) are never found in a text.
  Unigram(std::span<const UnigramPiece> pieces, TokenId unk_id, bool byte_fallback,
          const std::vector<bool>& hidden = {});

  /// Viterbi search, O(n × longest piece). Neighbouring unknown characters are one unknown.
  void tokenize(std::string_view piece, std::vector<ModelToken>& out) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  TokenId shown_as_text() const override { return unk_id_; }

 private:
  void search(std::string_view piece, std::vector<ModelToken>& out) const;

  Vocabulary vocabulary_;
  Trie trie_;
  std::vector<double> scores_;
  TokenId unk_id_;
  double unk_score_;
  std::vector<TokenId> bytes_;  // empty without byte fallback
  WordCache cache_;
};

}  // namespace trustformers
