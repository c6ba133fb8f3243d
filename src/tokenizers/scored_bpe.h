// The BPE of sentencepiece: pieces have scores instead of merges, and any two neighbours may join whose union is a
// piece.
#pragma once

#include <memory>

#include "token_model.h"
#include "trie.h"

namespace trustformers {

struct ScoredBpeOptions {
  TokenId unk_id = -1;    // for characters that are neither pieces nor all bytes <0xNN>; -1: there is none
  bool fuse_unk = false;  // neighbouring unknown characters are one unknown
  std::shared_ptr<const Trie> whole{};  // symbols that come as they are: never cut, never joined; may be null
};

class ScoredBpe final : public TokenModel {
 public:
  /// `scores` by id.
  ScoredBpe(Vocabulary vocabulary, std::vector<float> scores, ScoredBpeOptions options);
  /// Joins the pair with the highest score first, the leftmost of equals. O(n log n).
  void tokenize(std::string_view piece, std::vector<ModelToken>& out) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
  std::vector<float> scores_;
  std::vector<TokenId> bytes_;
  ScoredBpeOptions options_;
};

}  // namespace trustformers
