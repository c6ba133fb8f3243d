// WordPiece (Wu et al. 2016, arXiv:1609.08144): the longest token first, from left to right.
#pragma once

#include <string>

#include "token_model.h"
#include "word_cache.h"

namespace trustformers {

struct WordPieceOptions {
  std::string unk_token = "[UNK]";
  std::string continuing_subword_prefix = "##";
  std::size_t max_input_chars_per_word = 100;  // a longer word is unknown
};

class WordPiece final : public TokenModel {
 public:
  WordPiece(Vocabulary vocabulary, WordPieceOptions options)
      : vocabulary_(std::move(vocabulary)),
        options_(std::move(options)),
        unk_id_(vocabulary_.find(options_.unk_token)) {}
  /// A word with a part that is not in the vocabulary is unknown as a whole.
  void tokenize(std::string_view piece, std::vector<ModelToken>& out) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  std::string_view continuing_subword_prefix() const override { return options_.continuing_subword_prefix; }

 private:
  void split(std::string_view piece, std::vector<ModelToken>& out) const;

  Vocabulary vocabulary_;
  WordPieceOptions options_;
  TokenId unk_id_;
  WordCache cache_;
};

/// One token for each word.
class WordLevel final : public TokenModel {
 public:
  WordLevel(Vocabulary vocabulary, std::string unk_token)
      : vocabulary_(std::move(vocabulary)), unk_token_(std::move(unk_token)), unk_id_(vocabulary_.find(unk_token_)) {}
  void tokenize(std::string_view piece, std::vector<ModelToken>& out) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
  std::string unk_token_;
  TokenId unk_id_;
};

}  // namespace trustformers
