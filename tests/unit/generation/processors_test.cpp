#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>

#include "base/error.h"
#include "generation/processor_list.h"
#include "generation/processors/repetition.h"
#include "generation/processors/truncation.h"
#include "generation/processors/watermark.h"
#include "generation/processors/words.h"

using namespace trustformers;

namespace {

using Ids = std::vector<std::int64_t>;
using Scores = std::vector<float>;
constexpr float gone = -std::numeric_limits<float>::infinity();

Scores after(LogitsProcessor& processor, const Ids& ids, Scores scores, std::size_t prompt_length = 0) {
  RowState row;
  row.ids = ids;
  row.prompt_length = prompt_length;
  processor.process(row, scores);
  return scores;
}

/// What DRY takes from a token, by the definition: the longest phrase before an earlier occurrence that also ends the
/// text.
double dry_by_definition(const Ids& text, std::int64_t token, const DrySettings& s) {
  const auto breaks = [&](std::int64_t id) {
    return std::find(s.breakers.begin(), s.breakers.end(), id) != s.breakers.end();
  };
  std::size_t longest = 0;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] != token) continue;
    std::size_t n = 0;
    while (n < at && text[at - 1 - n] == text[text.size() - 1 - n] && !breaks(text[at - 1 - n])) ++n;
    longest = std::max(longest, n);
  }
  if (longest < static_cast<std::size_t>(s.allowed_length) || breaks(token)) return 0;
  return s.multiplier * std::pow(s.base, static_cast<double>(longest) - static_cast<double>(s.allowed_length));
}

}  // namespace

TEST_CASE("generation: presence and frequency penalties count generated tokens only") {
  FrequencyPenalty penalty(0.5, 0.25);
  CHECK(after(penalty, {1, 2, 2, 3, 3, 3}, {0, 0, 0, 0, 0}, 2) == Scores{0, 0, -0.75F, -1.25F, 0});
  CHECK(after(penalty, {4}, {0, 0, 0, 0, 0}) == Scores{0, 0, 0, 0, -0.75F});  // nothing stays from the call before
}

TEST_CASE("generation: DRY takes what its definition says, on random texts") {
  DrySettings settings;
  settings.multiplier = 0.8;
  settings.breakers = {3};
  Dry dry(settings);
  std::uint32_t state = 7;
  for (int round = 0; round < 300; ++round) {
    Ids text;
    const std::size_t length = 2 + round % 40;
    for (std::size_t i = 0; i < length; ++i) {
      state = state * 1664525 + 1013904223;
      text.push_back((state >> 24) % (round % 2 ? 4 : 2));
    }
    const Scores got = after(dry, text, Scores(4, 0));
    for (std::int64_t token = 0; token < 4; ++token)
      CHECK(got[static_cast<std::size_t>(token)] == doctest::Approx(-dry_by_definition(text, token, settings)));
  }
}

TEST_CASE("generation: XTC leaves the least likely of the top choices, and none goes where it does not strike") {
  const Scores scores = {std::log(0.5F), std::log(0.3F), std::log(0.15F), std::log(0.05F)};
  Xtc always(1, 0.1), never(0, 0.1), lonely(1, 0.4);
  CHECK(after(always, {}, scores) == Scores{gone, gone, scores[2], scores[3]});
  CHECK(after(never, {}, scores) == scores);
  CHECK(after(lonely, {}, scores) == scores);
}

TEST_CASE("generation: bans and penalties do not see padding") {
  NoRepeatNgram ngram(2);
  RowState row;
  const Ids ids = {0, 0, 5, 0};
  row.ids = ids;
  row.padding = 2;
  Scores scores(6, 1);
  ngram.process(row, scores);
  CHECK(scores == Scores(6, 1));  // "0 0" and "0 5" stand in the padding
  RepetitionPenalty penalty(2);
  const Ids said = {1, 1, 5};
  row.ids = said;
  scores = Scores(6, 1);
  penalty.process(row, scores);
  CHECK(scores == Scores{1, 1, 1, 1, 1, 0.5F});
}

TEST_CASE("generation: green lists come from PyTorch's generator") {
  CHECK(torch_permutation(5, 10) == Ids{1, 4, 9, 6, 3, 5, 0, 2, 8, 7});
  const Ids large = torch_permutation(5, 50000);
  CHECK(Ids(large.begin(), large.begin() + 4) == Ids{3411, 1555, 16365, 40130});
  CHECK(torch_coin_flips(5, 8) == std::vector<std::uint8_t>{1, 0, 1, 1, 0, 0, 0, 1});
}

TEST_CASE("generation: processors come in transformers' order, the user's before the filters") {
  struct Mark final : LogitsProcessor {
    void process(const RowState&, std::span<float> scores) override { scores[0] = 100; }
  };
  GenerationConfig config;
  config.update(Json::parse(R"({"do_sample": true, "temperature": 2.0, "top_k": 2, "suppress_tokens": [1],
                                "renormalize_logits": true})"));
  config.logits_processors.push_back(std::make_shared<Mark>());
  const LogitsProcessors list = make_logits_processors(config, 1, 4);
  CHECK(list.size() == 5);
  Scores scores = {0, 50, 2, 3};
  process_scores(list, RowState(), scores);
  CHECK(scores[0] == doctest::Approx(0));  // 100 / 2, alone after the renormalisation
  CHECK(scores[1] == gone);
  CHECK(scores[2] == gone);
  CHECK(scores[3] == doctest::Approx(-48.5));
}

TEST_CASE("generation: phrases of the settings are read in all their forms") {
  GenerationConfig config;
  config.update(Json::parse(R"({"force_words_ids": [[1, 2], [[3], [4, 5]]], "num_beams": 2,
                                "sequence_bias": [[[7], "-inf"], [[8, 9], 1.5]], "early_stopping": "never"})"));
  CHECK(config.force_words_ids == std::vector<std::vector<Phrase>>{{{1, 2}}, {{3}, {4, 5}}});
  CHECK(config.sequence_bias[0].bias == gone);
  CHECK(config.sequence_bias[1].phrase == Phrase{8, 9});
  CHECK(config.early_stopping == EarlyStopping::never);
  CHECK_THROWS_AS(config.update(Json::parse(R"({"early_stopping": "sometimes"})")), Error);
  CHECK_THROWS_AS(config.update(Json::parse(R"({"num_return_sequences": 3})")), Error);
}
