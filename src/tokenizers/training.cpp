#include "training.h"

#include <algorithm>
#include <map>
#include <queue>
#include <unordered_map>

#include "../base/error.h"
#include "../base/utf8.h"
#include "byte_alphabet.h"
#include "tokenizer_parts.h"
#include "unigram_training.h"

namespace trustformers {
namespace {

using WordCounts = std::map<std::string, std::uint64_t>;  // in order, so that ids do not depend on a hash

/// How often each pre-token occurs.
WordCounts count_words(const Json& description, std::span<const std::string> texts) {
  const Spec root(description, "tokenizer");
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  if (root.has("normalizer")) normalizer = make_normalizer(root.at("normalizer"));
  if (root.has("pre_tokenizer")) pre_tokenizer = make_pre_tokenizer(root.at("pre_tokenizer"));
  WordCounts words;
  for (const std::string& given : texts) {
    AlignedText text = AlignedText::from_source(is_valid_utf8(given) ? given : replace_invalid_utf8(given));
    if (normalizer) normalizer->apply(text);
    PreTokenizedText pieces;
    pieces.append(text, 0, text.size());
    if (pre_tokenizer) pre_tokenizer->apply(pieces);
    for (const TextPiece& piece : pieces.pieces()) ++words[std::string(pieces.text(piece))];
  }
  return words;
}

/// The vocabulary while it grows.
class Tokens {
 public:
  TokenId add(const std::string& token) {
    const auto [place, fresh] = ids_.try_emplace(token, static_cast<TokenId>(texts_.size()));
    if (fresh) texts_.push_back(token);
    return place->second;
  }
  bool has(const std::string& token) const { return ids_.contains(token); }
  std::size_t size() const { return texts_.size(); }
  const std::string& text(TokenId id) const { return texts_[static_cast<std::size_t>(id)]; }
  Json to_json() const {
    Json::Object vocab;
    for (std::size_t id = 0; id < texts_.size(); ++id) vocab.emplace_back(texts_[id], static_cast<std::int64_t>(id));
    return vocab;
  }

 private:
  std::unordered_map<std::string, TokenId> ids_;
  std::vector<std::string> texts_;
};

using Pair = std::pair<TokenId, TokenId>;

struct HashPair {
  std::size_t operator()(const Pair& pair) const {
    return (static_cast<std::size_t>(static_cast<std::uint32_t>(pair.first)) * 0x9E3779B1u) ^
           static_cast<std::size_t>(static_cast<std::uint32_t>(pair.second));
  }
};

/// A word as the tokens that it consists of so far.
struct Word {
  struct Symbol {
    TokenId id;
    std::size_t characters;
  };
  struct Change {
    Pair pair;
    int by;  // 1: the pair came to be, -1: it is gone
  };
  std::vector<Symbol> symbols;
  std::int64_t count = 0;

  /// Joins every `pair` from the left.
  void join(const Pair& pair, TokenId result, std::size_t most_characters, std::vector<Change>& changes) {
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      if (symbols[i].id != pair.first || symbols[i + 1].id != pair.second) continue;
      const Symbol joined = {result, symbols[i].characters + symbols[i + 1].characters};
      const auto fits = [&](const Symbol& other) { return other.characters + joined.characters < most_characters; };
      if (i > 0) {
        changes.push_back({{symbols[i - 1].id, pair.first}, -1});
        if (fits(symbols[i - 1])) changes.push_back({{symbols[i - 1].id, result}, 1});
      }
      symbols[i] = joined;
      symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      if (i + 1 < symbols.size()) {
        changes.push_back({{pair.second, symbols[i + 1].id}, -1});
        if (fits(symbols[i + 1])) changes.push_back({{result, symbols[i + 1].id}, 1});
      }
    }
  }
};

struct Candidate {
  std::int64_t count;
  Pair pair;
  std::vector<std::uint32_t> words;  // that it came to be in
  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class PairTrainer {
 public:
  PairTrainer(const WordCounts& words, const TrainingOptions& options) : options_(options) {
    for (const std::string& token : options.special_tokens) tokens_.add(token);
    add_alphabet(words);
    check(tokens_.size() <= options.vocab_size, ErrorCode::invalid_argument, "[training] vocab_size ",
          options.vocab_size, " has no room for ", tokens_.size(), " special tokens and characters");
    split(words);
    learn();
  }

  const Tokens& tokens() const { return tokens_; }
  Json merges() const {
    Json::Array out;
    for (const auto& [left, right] : merges_)
      out.push_back(Json::Array{Json(tokens_.text(left)), Json(tokens_.text(right))});
    return out;
  }

 private:
  void add_alphabet(const WordCounts& words) {
    std::map<char32_t, std::uint64_t> counts;
    for (const auto& [word, count] : words)
      for (const char32_t c : decode_utf8(word)) counts[c] += count;
    for (const char32_t c : options_.initial_alphabet) counts[c] = ~std::uint64_t{0};
    if (options_.limit_alphabet && counts.size() > *options_.limit_alphabet) {
      std::vector<std::pair<char32_t, std::uint64_t>> by_count(counts.begin(), counts.end());
      std::sort(by_count.begin(), by_count.end(), [](const auto& a, const auto& b) {
        return a.second != b.second ? a.second < b.second : a.first < b.first;
      });
      by_count.resize(counts.size() - *options_.limit_alphabet);
      for (const auto& [c, count] : by_count) counts.erase(c);
    }
    for (const auto& entry : counts) tokens_.add(encode_utf8(std::u32string(1, entry.first)));
  }

  /// WordCounts into characters; those outside the alphabet are left out.
  void split(const WordCounts& words) {
    for (const auto& [text, count] : words) {
      Word word;
      word.count = static_cast<std::int64_t>(count);
      const std::u32string characters = decode_utf8(text);
      for (std::size_t i = 0; i < characters.size(); ++i) {
        std::string token = encode_utf8(std::u32string(1, characters[i]));
        if (!tokens_.has(token)) continue;
        if (i > 0) token.insert(0, options_.continuing_subword_prefix);
        if (i + 1 == characters.size()) token += options_.end_of_word_suffix;
        word.symbols.push_back({tokens_.add(token), 1});
      }
      words_.push_back(std::move(word));
    }
  }

  void learn() {
    std::unordered_map<Pair, std::int64_t, HashPair> counts;
    std::map<Pair, std::vector<std::uint32_t>> places;
    const auto note = [&](const Pair& pair, std::uint32_t word) {
      std::vector<std::uint32_t>& list = places[pair];
      if (list.empty() || list.back() != word) list.push_back(word);
    };
    std::priority_queue<Candidate> queue;
    const auto offer = [&] {
      for (auto& [pair, list] : places)
        if (const std::int64_t count = counts[pair]; count > 0) queue.push({count, pair, std::move(list)});
      places.clear();
    };
    for (std::uint32_t w = 0; w < words_.size(); ++w)
      for (std::size_t i = 0; i + 1 < words_[w].symbols.size(); ++i) {
        const Pair pair = {words_[w].symbols[i].id, words_[w].symbols[i + 1].id};
        counts[pair] += words_[w].count;
        note(pair, w);
      }
    offer();
    const std::size_t most = options_.max_token_length.value_or(~std::size_t{0});
    std::vector<Word::Change> changes;
    while (tokens_.size() < options_.vocab_size && !queue.empty()) {
      Candidate best = queue.top();
      queue.pop();
      if (const std::int64_t now = counts[best.pair]; best.count != now) {
        best.count = now;
        queue.push(std::move(best));
        continue;
      }
      if (best.count < 1 || options_.min_frequency > static_cast<std::uint64_t>(best.count)) break;
      std::string_view tail = tokens_.text(best.pair.second);
      const std::string& prefix = options_.continuing_subword_prefix;
      if (!prefix.empty() && tail.starts_with(prefix)) tail.remove_prefix(prefix.size());
      const std::string joined = std::string(tokens_.text(best.pair.first)).append(tail);
      if (count_code_points(joined) > most) continue;
      const TokenId id = tokens_.add(joined);
      merges_.push_back(best.pair);
      for (const std::uint32_t w : best.words) {
        changes.clear();
        words_[w].join(best.pair, id, most, changes);
        for (const auto& [pair, by] : changes) {
          counts[pair] += by * words_[w].count;
          if (by > 0) note(pair, w);
        }
      }
      offer();
    }
  }

  const TrainingOptions& options_;
  Tokens tokens_;
  std::vector<Word> words_;
  std::vector<Pair> merges_;
};

}  // namespace

std::u32string byte_level_alphabet() {
  std::u32string out;
  for (unsigned byte = 0; byte < 256; ++byte) out.push_back(byte_character(static_cast<unsigned char>(byte)));
  return out;
}

namespace {

Json trained_pairs(const Spec& model, const WordCounts& words, const TrainingOptions& options) {
  const PairTrainer trainer(words, options);
  Json out = model.json();
  out.set("vocab", trainer.tokens().to_json());
  if (!options.continuing_subword_prefix.empty())
    out.set("continuing_subword_prefix", options.continuing_subword_prefix);
  if (model.type() == "BPE") {
    out.set("merges", trainer.merges());
    if (!options.end_of_word_suffix.empty()) out.set("end_of_word_suffix", options.end_of_word_suffix);
  }
  return out;
}

Json trained_unigram(const Spec& model, const WordCounts& words, const TrainingOptions& options) {
  std::vector<std::string> first = options.special_tokens;
  Json unk_id;
  if (!options.unk_token.empty()) {
    auto at = std::find(first.begin(), first.end(), options.unk_token);
    if (at == first.end()) at = first.insert(first.begin(), options.unk_token);
    unk_id = static_cast<std::int64_t>(at - first.begin());
  }
  check(first.size() <= options.vocab_size, ErrorCode::invalid_argument, "[training] vocab_size ", options.vocab_size,
        " has no room for ", first.size(), " special tokens");
  Json::Array vocab;
  for (const std::string& token : first) vocab.push_back(Json::Array{token, 0.0});
  for (const auto& [piece, score] : learn_unigram_pieces(words, options.vocab_size - first.size(), options))
    if (std::find(first.begin(), first.end(), piece) == first.end()) vocab.push_back(Json::Array{piece, score});
  Json out = model.json();
  out.set("unk_id", std::move(unk_id));
  out.set("vocab", std::move(vocab));
  return out;
}

}  // namespace

Json train_tokenizer(const Json& description, std::span<const std::string> texts, const TrainingOptions& given) {
  const Spec root(description, "tokenizer");
  const Spec model = root.at("model");
  const std::string type = model.type();
  if (type != "BPE" && type != "WordPiece" && type != "Unigram") model.unsupported(type);
  TrainingOptions options = given;
  if (type == "WordPiece" && options.continuing_subword_prefix.empty()) options.continuing_subword_prefix = "##";
  const WordCounts words = count_words(description, texts);
  const Json trained =
      type == "Unigram" ? trained_unigram(model, words, options) : trained_pairs(model, words, options);
  Json out = Json::Object{{"version", "1.0"}};
  for (const char* const key : {"truncation", "padding"}) out.set(key, root.has(key) ? root.at(key).json() : Json());
  // An unknown piece that is no special token stands before them.
  const bool before = type == "Unigram" && !options.unk_token.empty() &&
                      std::find(options.special_tokens.begin(), options.special_tokens.end(), options.unk_token) ==
                          options.special_tokens.end();
  const std::int64_t first_special = before ? 1 : 0;
  Json::Array added;
  for (const std::string& token : options.special_tokens)
    added.push_back(Json::Object{{"id", first_special + static_cast<std::int64_t>(added.size())},
                                 {"content", token},
                                 {"single_word", false},
                                 {"lstrip", false},
                                 {"rstrip", false},
                                 {"normalized", false},
                                 {"special", true}});
  out.set("added_tokens", std::move(added));
  for (const char* const key : {"normalizer", "pre_tokenizer", "post_processor", "decoder"})
    out.set(key, root.has(key) ? root.at(key).json() : Json());
  out.set("model", trained);
  return out;
}

}  // namespace trustformers
