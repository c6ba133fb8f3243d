// Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909): merges by rank, as tokenizer.json defines it.
#pragma once

#include <bitset>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "flat_map.h"
#include "token_model.h"
#include "word_cache.h"

namespace trustformers {

struct BpeOptions {
  std::optional<std::string> unk_token;
  std::string continuing_subword_prefix;  // before every character but a word's first
  std::string end_of_word_suffix;         // after a word's last character
  bool fuse_unk = false;                  // neighbouring unknown characters are one unknown
  bool byte_fallback = false;             // an unknown character becomes its bytes <0xNN>, if all are there
  bool ignore_merges = false;             // a piece that is in the vocabulary is taken whole
};

class Bpe final : public TokenModel {
 public:
  Bpe(Vocabulary vocabulary, BpeOptions options);
  using Pair = std::pair<std::string_view, std::string_view>;
  /// The next merges in order of rank. Errors: parse, when a part or their union is not in the vocabulary.
  void add_merges(std::span<const Pair> pairs);

  /// One merge of a rank; of merges of equal rank the leftmost in a text comes first.
  void add_merge(TokenId left, TokenId right, TokenId result, std::uint32_t rank) {
    merges_.insert(key_of(left, right), {rank, result});
  }

  /// O(n log n) in the length of the piece. After the first call no merge may be added.
  void tokenize(std::string_view piece, std::vector<ModelToken>& out) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  std::string_view continuing_subword_prefix() const override { return options_.continuing_subword_prefix; }
  bool is_byte_pair_encoding() const override { return true; }

 private:
  struct Merge {
    std::uint32_t rank;
    TokenId id;
  };
  static std::uint64_t key_of(TokenId left, TokenId right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }
  const Merge* merge_of(TokenId left, TokenId right) const { return merges_.find(key_of(left, right)); }
  /// Which neighbouring characters some merge joins; between others a text falls into parts that merge by themselves.
  struct Joints {
    bool known = false;            // false: the merges have symbols that are not characters
    std::bitset<128 * 128> ascii;  // by left and right character
    FlatMap<bool> others;          // by key_of(left, right)
    bool joined(char32_t left, char32_t right) const {
      return left < 128 && right < 128 ? ascii[left * 128 + right]
                                       : others.find(std::uint64_t{left} << 32 | right) != nullptr;
    }
  };

  TokenId union_of(const Pair& pair) const;
  TokenId find_character(std::string_view symbol, char32_t value) const {
    return value < short_characters_.size() ? short_characters_[value] : vocabulary_.find(symbol);
  }
  const Joints& joints() const;
  void tokenize_parts(std::string_view piece, const Joints& joints, std::vector<ModelToken>& out) const;
  void tokenize_whole(std::string_view piece, std::vector<ModelToken>& out) const;
  void characters(std::string_view piece, std::vector<ModelToken>& out) const;
  void merge_short(std::vector<ModelToken>& symbols, std::size_t first) const;
  void merge_long(std::vector<ModelToken>& symbols, std::size_t first) const;

  Vocabulary vocabulary_;
  BpeOptions options_;
  TokenId unk_id_ = -1;
  bool decorated_ = false;  // by a prefix or a suffix
  std::vector<TokenId> bytes_;
  std::vector<TokenId> short_characters_;  // the tokens of characters below U+0800; empty when decorated
  FlatMap<Merge> merges_;
  std::uint32_t next_rank_ = 0;
  TokenId next_result_ = 0;  // what the next merge probably gives
  mutable std::once_flag joints_once_;
  mutable Joints joints_;
  WordCache cache_;
};

}  // namespace trustformers
