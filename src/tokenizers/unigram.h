// Unigram language model (Kudo 2018, arXiv:1804.10959): the split with the highest sum of log probabilities.
#pragma once

#include <string>
#include <utility>

#include "token_model.h"
#include "trie.h"

namespace trustformers {

class Unigram final : public TokenModel {
 public:
  /// Pieces with their log probabilities, by id; `unk_id` is -1 when there is no unknown piece. `hidden` pieces (by id;
  /// empty: none) are never found in a text.
  Unigram(const std::vector<std::pair<std::string, double>>& pieces, TokenId unk_id, bool byte_fallback,
          const std::vector<bool>& hidden = {});

  /// Viterbi search, O(n × longest piece). Neighbouring unknown characters are one unknown.
  void tokenize(std::string_view piece, std::vector<ModelToken>& out) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  TokenId shown_as_text() const override { return unk_id_; }

 private:
  Vocabulary vocabulary_;
  Trie trie_;
  std::vector<double> scores_;
  TokenId unk_id_;
  double unk_score_;
  std::vector<TokenId> bytes_;  // empty without byte fallback
};

}  // namespace trustformers
