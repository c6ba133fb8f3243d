// Byte-pair encoding against the definition: again and again the leftmost pair of the lowest rank.
#include "tokenizers/bpe.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "base/rng.h"

using namespace trustformers;

namespace {

using Tokens = std::vector<std::pair<TokenId, std::string>>;  // with the text they stand for

const std::vector<std::string> known_signs = {"a", "b", "c", "d", "\xE2\x96\x81", "\xC3\xA9"};

struct Merges {
  Vocabulary vocabulary;
  std::vector<std::pair<std::string, std::string>> pairs;
};

/// Random merges of which none has the mark behind another sign, as in vocabularies of words.
Merges random_merges(std::uint64_t seed) {
  Merges out;
  const Philox random(seed, 1);
  std::uint64_t draw = 0;
  const auto pick = [&](std::size_t count) {
    return static_cast<std::size_t>(random.uniform_double(draw++) * static_cast<double>(count));
  };
  std::vector<std::string> tokens = {"<unk>"};
  tokens.insert(tokens.end(), known_signs.begin(), known_signs.end());
  for (int i = 0; i < 60; ++i) {
    const std::string left = tokens[1 + pick(tokens.size() - 1)], right = tokens[1 + pick(tokens.size() - 1)];
    const bool marked = right.find("\xE2\x96\x81") != std::string::npos;
    if (left.size() + right.size() > 12 || (marked && left.find_first_not_of("\xE2\x96\x81") != std::string::npos))
      continue;
    if (std::find(out.pairs.begin(), out.pairs.end(), std::pair(left, right)) != out.pairs.end()) continue;
    out.pairs.emplace_back(left, right);
    if (std::find(tokens.begin(), tokens.end(), left + right) == tokens.end()) tokens.push_back(left + right);
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) out.vocabulary.add(tokens[i], static_cast<std::int64_t>(i));
  return out;
}

/// What the definition says; "<unk>" for what the vocabulary lacks, neighbours as one where `fuse`.
Tokens merged_by_definition(const Merges& merges, const std::vector<std::string>& signs, bool fuse) {
  Tokens out;
  for (const std::string& sign : signs) {
    const TokenId id = merges.vocabulary.find(sign);
    if (id >= 0)
      out.emplace_back(id, sign);
    else if (fuse && !out.empty() && out.back().first == 0)
      out.back().second += sign;
    else
      out.emplace_back(0, sign);
  }
  for (;;) {
    std::size_t best = merges.pairs.size(), place = 0;
    for (std::size_t i = 0; i + 1 < out.size(); ++i) {
      if (out[i].first == 0 || out[i + 1].first == 0) continue;
      const auto found =
          std::find(merges.pairs.begin(), merges.pairs.end(), std::pair(out[i].second, out[i + 1].second));
      const auto rank = static_cast<std::size_t>(found - merges.pairs.begin());
      if (rank < best) {
        best = rank;
        place = i;
      }
    }
    if (best == merges.pairs.size()) return out;
    out[place].second += out[place + 1].second;
    out[place].first = merges.vocabulary.find(out[place].second);
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
}

Tokens tokens_of(const Bpe& bpe, const std::string& text) {
  std::vector<ModelToken> found;
  bpe.tokenize(text, found);
  Tokens out;
  for (const ModelToken& token : found) out.emplace_back(token.id, text.substr(token.begin, token.end - token.begin));
  return out;
}

BpeOptions with_unknown(bool fuse) {
  BpeOptions out;
  out.unk_token = "<unk>";
  out.fuse_unk = fuse;
  return out;
}

Bpe& add_all(Bpe& bpe, const Merges& merges) {
  std::vector<Bpe::Pair> pairs(merges.pairs.begin(), merges.pairs.end());
  bpe.add_merges(pairs);
  return bpe;
}

}  // namespace

TEST_CASE("tokenizers: BPE of short and long pieces is what the definition says") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Merges merges = random_merges(seed);
    const bool fuse = seed % 2 == 0;
    Bpe bpe(merges.vocabulary, with_unknown(fuse));
    add_all(bpe, merges);
    const Philox random(seed, 2);
    std::uint64_t draw = 0;
    for (const std::size_t length : {1U, 2U, 5U, 12U, 31U, 32U, 33U, 70U, 250U}) {
      std::vector<std::string> signs;
      std::string text;
      for (std::size_t i = 0; i < length; ++i) {
        const double u = random.uniform_double(draw++);
        signs.push_back(u < 0.06 ? (u < 0.03 ? "x" : "\xE4\xBA\xAC")
                                 : known_signs[static_cast<std::size_t>(u * 6) % 6]);
        text += signs.back();
      }
      CAPTURE(text);
      const Tokens expected = merged_by_definition(merges, signs, fuse);
      CHECK(tokens_of(bpe, text) == expected);
      CHECK(tokens_of(bpe, text) == expected);  // remembered
    }
  }
}

TEST_CASE("tokenizers: several threads may use one BPE at once") {
  const Merges merges = random_merges(7);
  const auto work = [&](const Bpe& bpe) {
    std::vector<Tokens> out;
    const Philox random(7, 3);
    std::uint64_t draw = 0;
    for (int i = 0; i < 400; ++i) {
      std::string text;
      for (int k = 0; k < 3 + i % 90; ++k)
        text += known_signs[static_cast<std::size_t>(random.uniform_double(draw++) * 6) % 6];
      out.push_back(tokens_of(bpe, text));
    }
    return out;
  };
  Bpe alone(merges.vocabulary, with_unknown(false)), shared(merges.vocabulary, with_unknown(false));
  const std::vector<Tokens> expected = work(add_all(alone, merges));
  add_all(shared, merges);
  std::vector<std::vector<Tokens>> got(4);
  std::vector<std::thread> threads;
  for (auto& mine : got) threads.emplace_back([&] { mine = work(shared); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& mine : got) CHECK(mine == expected);
}
