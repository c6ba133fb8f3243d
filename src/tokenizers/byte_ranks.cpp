#include "byte_ranks.h"

#include "../base/error.h"
#include "../base/utf8.h"
#include "bpe.h"
#include "byte_alphabet.h"
#include "trie.h"
#include "unicode.h"

namespace trustformers {
namespace {

class LongestMatch final : public TokenModel {
 public:
  explicit LongestMatch(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {
    std::vector<Trie::Key> keys;
    for (TokenId id = 0; id < vocabulary_.id_bound(); ++id)
      if (const auto token = vocabulary_.token(id)) keys.emplace_back(*token, id);
    trie_ = Trie(keys);
  }
  void tokenize(std::string_view piece, std::vector<ModelToken>& out) const override {
    for (std::size_t at = 0; at < piece.size();) {
      std::size_t bytes = 0;
      TokenId id = -1;
      trie_.prefixes(piece.substr(at), [&](std::size_t size, TokenId found) {
        bytes = size;
        id = found;
      });
      check(id >= 0, ErrorCode::not_found, "[tokenizer] no token begins with \"",
            piece.substr(at, unicode::decode(piece, at).size), '"');
      out.push_back({id, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + bytes)});
      at += bytes;
    }
  }
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
  Trie trie_;
};

struct Written {
  std::vector<std::string> texts;
  Vocabulary vocabulary;
};

Written write_tokens(const Ranks& ranks, TokenId first_id) {
  Written out;
  out.texts.reserve(ranks.size());
  std::vector<Vocabulary::Entry> entries;
  entries.reserve(ranks.size());
  for (const auto& [bytes, rank] : ranks) {
    check(rank >= 0 && rank < (std::int64_t{1} << 31) - first_id, ErrorCode::parse, "[tokenizer] a rank of ", rank);
    out.texts.push_back(in_byte_alphabet(bytes));
    entries.emplace_back(out.texts.back(), rank + first_id);
  }
  out.vocabulary.add(entries, "vocabulary of bytes");
  return out;
}

}  // namespace

std::string in_byte_alphabet(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) append_utf8(out, byte_character(static_cast<unsigned char>(byte)));
  return out;
}

std::unique_ptr<TokenModel> make_ranked_bpe(const Ranks& ranks, TokenId first_id,
                                            const std::vector<std::pair<std::string, TokenId>>& more) {
  Written written = write_tokens(ranks, first_id);
  // Every way to cut a token into two tokens is a merge. All halves are looked up at once.
  std::vector<std::string_view> halves;
  std::vector<TokenId> unions;
  for (const std::string& text : written.texts) {
    const TokenId id = written.vocabulary.find(text);
    for (std::size_t cut = unicode::decode(text, 0).size; !text.empty() && cut < text.size();
         cut += unicode::decode(text, cut).size) {
      halves.push_back(std::string_view(text).substr(0, cut));
      halves.push_back(std::string_view(text).substr(cut));
      unions.push_back(id);
    }
  }
  std::vector<TokenId> ids(halves.size());
  written.vocabulary.find(halves, ids);
  for (const auto& [content, id] : more) written.vocabulary.add(content, id, "special tokens");
  BpeOptions options;
  options.ignore_merges = true;
  auto bpe = std::make_unique<Bpe>(std::move(written.vocabulary), options);
  for (std::size_t i = 0; i < unions.size(); ++i)
    if (ids[2 * i] >= 0 && ids[2 * i + 1] >= 0)
      bpe->add_merge(ids[2 * i], ids[2 * i + 1], unions[i], static_cast<std::uint32_t>(unions[i]));
  return bpe;
}

std::unique_ptr<TokenModel> make_longest_match(const Ranks& ranks) {
  return std::make_unique<LongestMatch>(write_tokens(ranks, 0).vocabulary);
}

}  // namespace trustformers
