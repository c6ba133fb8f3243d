// What turns a piece of text into tokens: BPE, WordPiece, Unigram, word level.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "vocabulary.h"

namespace trustformers {

/// A token and the bytes [begin, end) of the piece that it stands for.
struct ModelToken {
  TokenId id;
  std::uint32_t begin;
  std::uint32_t end;
};

class TokenModel {
 public:
  virtual ~TokenModel() = default;
  /// Appends the tokens of `piece`, valid UTF-8 and not empty. Errors: not_found, when something is unknown and there
  /// is no token for the unknown.
  virtual void tokenize(std::string_view piece, std::vector<ModelToken>& out) const = 0;
  virtual const Vocabulary& vocabulary() const = 0;
  /// The id of a token that Encoding shows as the piece of text it stands for (Unigram's unknown), or -1.
  virtual TokenId shown_as_text() const { return -1; }
  /// What tokens begin with that continue a word, or nothing.
  virtual std::string_view continuing_subword_prefix() const { return {}; }
  /// Whether blanks of a text are part of its tokens, so that decoding gives all of them back.
  virtual bool is_byte_pair_encoding() const { return false; }
};

/// The ids of <0x00> … <0xFF>; -1 where the vocabulary lacks one.
std::vector<TokenId> byte_tokens(const Vocabulary& vocabulary);

}  // namespace trustformers
