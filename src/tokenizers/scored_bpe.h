// The BPE of sentencepiece: pieces have scores instead of merges, and any two neighbours may join whose union is a
// piece.
#pragma once

#include "token_model.h"

namespace trustformers {

class ScoredBpe final : public TokenModel {
 public:
  /// `scores` by id. `unk_id` (or -1) stands for characters that are neither pieces nor all bytes <0xNN>.
  ScoredBpe(Vocabulary vocabulary, std::vector<float> scores, TokenId unk_id);
  /// Joins the pair with the highest score first, the leftmost of equals. O(n log n).
  void tokenize(std::string_view piece, std::vector<ModelToken>& out) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
  std::vector<float> scores_;
  TokenId unk_id_;
  std::vector<TokenId> bytes_;
};

}  // namespace trustformers
