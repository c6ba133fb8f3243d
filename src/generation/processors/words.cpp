#include "words.h"

#include <algorithm>

#include "../../base/error.h"
#include "score_math.h"

namespace trustformers {
namespace {

template <class Body>
void for_each_known(const std::vector<std::int64_t>& tokens, std::span<float> scores, Body body) {
  for (const std::int64_t id : tokens)
    if (id >= 0 && static_cast<std::size_t>(id) < scores.size()) body(scores[static_cast<std::size_t>(id)]);
}

}  // namespace

SequenceBias::SequenceBias(std::vector<PhraseBias> biases) {
  for (PhraseBias& item : biases) {
    check(!item.phrase.empty(), ErrorCode::invalid_argument, "[generation] a biased or forbidden phrase is empty");
    for (const std::int64_t id : item.phrase)
      check(id >= 0, ErrorCode::invalid_argument, "[generation] a biased or forbidden phrase holds the token ", id);
    const auto same = std::find_if(biases_.begin(), biases_.end(),
                                   [&](const PhraseBias& other) { return other.phrase == item.phrase; });
    if (same != biases_.end())
      same->bias = item.bias;
    else
      biases_.push_back(std::move(item));
  }
}

void SequenceBias::process(const RowState& row, std::span<float> scores) {
  const auto text = row.tokens();
  for (const PhraseBias& item : biases_) {
    for (const std::int64_t id : item.phrase)
      check(static_cast<std::size_t>(id) < scores.size(), ErrorCode::out_of_range,
            "[generation] a biased or forbidden phrase holds the token ", id, ", the vocabulary has ", scores.size());
    const std::size_t before = item.phrase.size() - 1;
    if (before > text.size() ||
        !std::equal(text.end() - static_cast<std::ptrdiff_t>(before), text.end(), item.phrase.begin()))
      continue;
    scores[static_cast<std::size_t>(item.phrase.back())] += item.bias;
  }
}

SequenceBias bad_words(const std::vector<Phrase>& phrases, const std::vector<std::int64_t>& eos) {
  std::vector<PhraseBias> biases;
  for (const Phrase& phrase : phrases)
    if (phrase.size() != 1 || std::find(eos.begin(), eos.end(), phrase[0]) == eos.end())
      biases.push_back({phrase, minus_infinity});
  return SequenceBias(std::move(biases));
}

void SuppressTokens::process(const RowState& row, std::span<float> scores) {
  if (length_ != everywhere && row.ids.size() != length_) return;
  for_each_known(tokens_, scores, [](float& s) { s = minus_infinity; });
}

void ForceTokens::process(const RowState& row, std::span<float> scores) {
  if (row.ids.size() != length_) return;
  std::fill(scores.begin(), scores.end(), minus_infinity);
  for_each_known(tokens_, scores, [](float& s) { s = 0; });
}

void PrefixConstraint::process(const RowState& row, std::span<float> scores) {
  const std::vector<std::int64_t> allowed = allowed_(row.prompt, row.tokens());
  check(!allowed.empty(), ErrorCode::invalid_argument,
        "[generation] the function of allowed tokens allows none for prompt ", row.prompt);
  marks_.assign(scores.size(), 0);
  bool possible = false;
  for (const std::int64_t id : allowed) {
    check(id >= 0 && static_cast<std::size_t>(id) < scores.size(), ErrorCode::out_of_range,
          "[generation] the function of allowed tokens allows ", id, ", the vocabulary has ", scores.size());
    marks_[static_cast<std::size_t>(id)] = 1;
    possible = possible || scores[static_cast<std::size_t>(id)] != minus_infinity;
  }
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (!marks_[i])
      scores[i] = minus_infinity;
    else if (!possible)
      scores[i] = 0;
}

}  // namespace trustformers
