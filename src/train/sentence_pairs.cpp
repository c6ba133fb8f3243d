#include "sentence_pairs.h"

#include <algorithm>

#include "../base/rng.h"

namespace trustformers {
namespace {

constexpr std::uint64_t coin_stream = 0, pick_stream = 1;

/// Calls `pair(document, sentence, number)` for each sentence that has one after it.
template <class Pair>
void for_each_neighbours(std::span<const Document> documents, const Pair& pair) {
  std::uint64_t number = 0;
  for (std::size_t d = 0; d < documents.size(); ++d)
    for (std::size_t s = 0; s + 1 < documents[d].size(); ++s) pair(d, s, number++);
}

}  // namespace

std::vector<SentencePair> next_sentence_pairs(std::span<const Document> documents, std::uint64_t seed) {
  // where each document's sentences begin when all are counted
  std::vector<std::size_t> begin = {0};
  for (const Document& d : documents) begin.push_back(begin.back() + d.size());
  const std::size_t total = begin.back();
  check(std::none_of(documents.begin(), documents.end(), [&](const Document& d) { return d.size() == total; }),
        ErrorCode::invalid_argument, "[next_sentence_pairs] two documents with sentences are needed");
  const Philox coin(seed, coin_stream), pick(seed, pick_stream);
  std::vector<SentencePair> out;
  for_each_neighbours(documents, [&](std::size_t d, std::size_t s, std::uint64_t number) {
    if (coin.uniform(number) < 0.5F) {
      out.push_back({documents[d][s], documents[d][s + 1], 0});
      return;
    }
    const std::size_t others = total - documents[d].size();
    std::size_t at = static_cast<std::size_t>(pick.uniform_double(number) * static_cast<double>(others));
    if (at >= begin[d]) at += documents[d].size();
    const auto owner = static_cast<std::size_t>(std::upper_bound(begin.begin(), begin.end(), at) - begin.begin()) - 1;
    out.push_back({documents[d][s], documents[owner][at - begin[owner]], 1});
  });
  return out;
}

std::vector<SentencePair> sentence_order_pairs(std::span<const Document> documents, std::uint64_t seed) {
  const Philox coin(seed, coin_stream);
  std::vector<SentencePair> out;
  for_each_neighbours(documents, [&](std::size_t d, std::size_t s, std::uint64_t number) {
    const TokenList& first = documents[d][s];
    const TokenList& second = documents[d][s + 1];
    if (coin.uniform(number) < 0.5F)
      out.push_back({first, second, 0});
    else
      out.push_back({second, first, 1});
  });
  return out;
}

PairBatch collate_pairs(std::span<const SentencePair> pairs, const PairFormat& format) {
  constexpr std::int64_t special = 3;
  check(!pairs.empty() && format.max_length >= special, ErrorCode::invalid_argument,
        "[collate_pairs] needs pairs and room for their special tokens, got ", pairs.size(), " pairs and max_length ",
        format.max_length);
  struct Lengths {
    std::int64_t first, second;
    std::int64_t total() const { return first + second + special; }
  };
  std::vector<Lengths> lengths;
  std::int64_t width = 0;
  for (const SentencePair& pair : pairs) {
    Lengths l{static_cast<std::int64_t>(pair.first.size()), static_cast<std::int64_t>(pair.second.size())};
    while (l.total() > format.max_length) --(l.first > l.second ? l.first : l.second);
    width = std::max(width, l.total());
    lengths.push_back(l);
  }
  const auto batch = static_cast<std::int64_t>(pairs.size());
  const auto size = static_cast<std::size_t>(batch * width);
  std::vector<std::int64_t> ids(size, format.pad_token_id), mask(size, 0), types(size, 0), labels;
  for (std::size_t b = 0; b < pairs.size(); ++b) {
    auto at = static_cast<std::size_t>(static_cast<std::int64_t>(b) * width);
    const auto put = [&](std::int64_t id, std::int64_t type) {
      ids[at] = id;
      mask[at] = 1;
      types[at++] = type;
    };
    put(format.cls_token_id, 0);
    for (std::int64_t i = 0; i < lengths[b].first; ++i) put(pairs[b].first[static_cast<std::size_t>(i)], 0);
    put(format.sep_token_id, 0);
    for (std::int64_t i = 0; i < lengths[b].second; ++i) put(pairs[b].second[static_cast<std::size_t>(i)], 1);
    put(format.sep_token_id, 1);
    labels.push_back(pairs[b].label);
  }
  const Shape shape = {batch, width};
  return {Tensor::from(ids, shape), Tensor::from(mask, shape), Tensor::from(types, shape),
          Tensor::from(labels, {batch})};
}

}  // namespace trustformers
