#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "base/error.h"
#include "base/rng.h"
#include "generation/generate.h"
#include "generation/processors/score_math.h"
#include "generation/sampler.h"
#include "generation/speculative.h"
#include "models/auto.h"
#include "table_model.h"

using namespace trustformers;
using test::TableModel;

namespace {

using Ids = std::vector<std::int64_t>;

GenerationConfig strategy_settings(std::int64_t new_tokens) {
  GenerationConfig config;
  config.max_new_tokens = new_tokens;
  config.use_cache = false;
  config.top_k = 0;
  return config;
}

/// The rows of what is generated after a prompt, without it.
std::vector<Ids> continue_prompt(const Model& model, const Ids& prompt, const GenerationConfig& config) {
  const Tensor out =
      generate(model, {.input_ids = Tensor::from(prompt, {1, static_cast<std::int64_t>(prompt.size())})}, config)
          .sequences;
  const Ids all = out.to_vector<std::int64_t>();
  std::vector<Ids> rows;
  for (std::int64_t r = 0; r < out.size(0); ++r)
    rows.emplace_back(all.begin() + r * out.size(1) + static_cast<std::ptrdiff_t>(prompt.size()),
                      all.begin() + (r + 1) * out.size(1));
  return rows;
}

/// Calls `visit(tokens, log_probability)` for every text that ends with the token 0 or has `limit` tokens.
void every_text(const TableModel& model, const Ids& prompt, std::int64_t limit,
                const std::function<void(const Ids&, double)>& visit) {
  const std::int64_t v = model.common().vocab_size;
  const std::function<void(Ids&, double)> extend = [&](Ids& text, double sum) {
    Ids all = prompt;
    all.insert(all.end(), text.begin(), text.end());
    const float* from = model.scores(all.size() > 1 ? all[all.size() - 2] : 0, all.back());
    std::vector<float> scores(from, from + v);
    log_softmax_in_place(scores);
    for (std::int64_t t = 0; t < v; ++t) {
      text.push_back(t);
      const double total = sum + scores[static_cast<std::size_t>(t)];
      if (t == 0 || static_cast<std::int64_t>(text.size()) == limit)
        visit(text, total);
      else
        extend(text, total);
      text.pop_back();
    }
  };
  Ids text;
  extend(text, 0);
}

bool holds(const Ids& text, const Ids& phrase) {
  return std::search(text.begin(), text.end(), phrase.begin(), phrase.end()) != text.end();
}

void strip_filler(Ids& text) {
  while (text.size() > 1 && text.back() == 0 && text[text.size() - 2] == 0) text.pop_back();
}

/// The chance of a chi-square value at least this large (Wilson and Hilferty 1931).
double chi_square_tail(double value, double freedom) {
  const double z = (std::cbrt(value / freedom) - (1 - 2 / (9 * freedom))) / std::sqrt(2 / (9 * freedom));
  return std::erfc(z / std::sqrt(2.0)) / 2;
}

double chi_square(const std::vector<double>& law, const std::vector<std::int64_t>& counts, double draws) {
  double sum = 0, kinds = -1;
  for (std::size_t i = 0; i < law.size(); ++i) {
    if (law[i] <= 0) {
      CHECK(counts[i] == 0);
      continue;
    }
    const double expected = law[i] * draws, off = static_cast<double>(counts[i]) - expected;
    sum += off * off / expected;
    ++kinds;
  }
  return chi_square_tail(sum, kinds);
}

}  // namespace

TEST_CASE("generation: beams that are wide enough find the best text of all") {
  for (std::uint32_t seed = 1; seed <= 6; ++seed)
    for (const double penalty : {0.0, 0.7, 1.0, 2.0}) {
      const TableModel model(4, seed);
      GenerationConfig config = strategy_settings(4);
      config.eos_token_id = {0};
      config.num_beams = 110;
      config.length_penalty = penalty;
      config.early_stopping = EarlyStopping::never;
      const Ids prompt = {1, 2};
      double best = -1e30;
      Ids best_text;
      every_text(model, prompt, 4, [&](const Ids& text, double sum) {
        const double score = sum / std::pow(static_cast<double>(text.size()), penalty);
        if (score > best) {
          best = score;
          best_text = text;
        }
      });
      Ids got = continue_prompt(model, prompt, config)[0];
      strip_filler(got);
      CHECK(got == best_text);
    }
}

TEST_CASE("generation: a rule that ends beams at a token does what an end token does") {
  const TableModel model(7, 3);
  for (const bool sampled : {false, true})
    for (const std::int64_t groups : {1, 2}) {
      if (sampled && groups > 1) continue;
      for (const auto early : {EarlyStopping::heuristic, EarlyStopping::first, EarlyStopping::never}) {
        GenerationConfig config = strategy_settings(9);
        config.num_beams = config.num_return_sequences = 4;
        config.num_beam_groups = groups;
        config.diversity_penalty = groups > 1 ? 0.5 : 0.0;
        config.do_sample = sampled;
        config.early_stopping = early;
        config.pad_token_id = 6;
        GenerationConfig ruled = config;
        config.eos_token_id = {5};
        ruled.stopping.push_back([](const RowState& row) { return row.ids.back() == 5; });
        const auto rows = continue_prompt(model, {1, 2}, config);
        CHECK(rows == continue_prompt(model, {1, 2}, ruled));
        CHECK(std::any_of(rows.begin(), rows.end(), [](const Ids& row) { return row.back() == 6; }));
      }
    }
}

TEST_CASE("generation: wide beams with a rule over two tokens find the best text of all") {
  const std::int64_t limit = 4;
  const auto ends = [](const Ids& text) { return text.size() >= 2 && text[text.size() - 2] == 1 && text.back() == 2; };
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    const TableModel model(4, seed);
    GenerationConfig config = strategy_settings(limit);
    config.num_beams = 250;
    config.length_penalty = 2.0;
    config.early_stopping = EarlyStopping::never;
    config.pad_token_id = 0;
    config.stopping.push_back([&](const RowState& row) {
      const auto generated = row.generated();
      return ends({generated.begin(), generated.end()});
    });
    const Ids prompt = {1, 2};  // the rule must not see the pair that the prompt ends with
    double best = -1e30;
    Ids best_text, text;
    const std::function<void(double)> extend = [&](double sum) {
      if (ends(text) || static_cast<std::int64_t>(text.size()) == limit) {
        const double score = sum / std::pow(static_cast<double>(text.size()), 2.0);
        if (score > best) {
          best = score;
          best_text = text;
        }
        return;
      }
      Ids all = prompt;
      all.insert(all.end(), text.begin(), text.end());
      const float* from = model.scores(all[all.size() - 2], all.back());
      std::vector<float> scores(from, from + 4);
      log_softmax_in_place(scores);
      for (std::int64_t t = 0; t < 4; ++t) {
        text.push_back(t);
        extend(sum + scores[static_cast<std::size_t>(t)]);
        text.pop_back();
      }
    };
    extend(0);
    Ids got = continue_prompt(model, prompt, config)[0];
    got.resize(best_text.size());
    CHECK(got == best_text);
  }
}

TEST_CASE("generation: beams with forced words find the best text that has them") {
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    const TableModel model(4, seed);
    GenerationConfig config = strategy_settings(5);
    config.eos_token_id = {0};
    config.early_stopping = EarlyStopping::never;
    config.force_words_ids = {{{2, 3}}, {{1, 1}, {3}}};  // "2 3", and one of "1 1" and "3"
    const Ids prompt = {1, 2};
    const auto fits = [](const Ids& t) { return holds(t, {2, 3}) && (holds(t, {1, 1}) || holds(t, {3})); };
    double best = -1e30;
    Ids best_text;
    every_text(model, prompt, 5, [&](const Ids& text, double sum) {
      if (fits(text) && sum / static_cast<double>(text.size()) > best) {
        best = sum / static_cast<double>(text.size());
        best_text = text;
      }
    });
    config.num_beams = 400;
    Ids got = continue_prompt(model, prompt, config)[0];
    strip_filler(got);
    CHECK(got == best_text);
    config.num_beams = 2;  // few beams find their words too
    config.num_return_sequences = 2;
    for (const Ids& text : continue_prompt(model, prompt, config)) CHECK(fits(text));
  }
  GenerationConfig config = strategy_settings(2);
  config.num_beams = 2;
  config.force_words_ids = {{{1, 2, 3}}};
  CHECK_THROWS_AS(continue_prompt(TableModel(4, 1), {1}, config), Error);  // no room for the words
}

TEST_CASE("generation: groups of beams avoid each other's tokens") {
  const TableModel model(8, 3);
  GenerationConfig config = strategy_settings(4);
  config.num_beams = 2;
  const Ids alone = continue_prompt(model, {1, 2}, config)[0];
  config.num_beams = 6;
  config.num_beam_groups = 3;
  config.num_return_sequences = 6;
  // Without a penalty each group does what a search of its size does.
  for (std::size_t i = 0; i < 3; ++i) CHECK(continue_prompt(model, {1, 2}, config)[i] == alone);
  config.diversity_penalty = 1000;
  config.num_beams = config.num_return_sequences = 3;
  const auto rows = continue_prompt(model, {1, 2}, config);
  for (std::size_t step = 0; step < 4; ++step) {
    CHECK(rows[0][step] != rows[1][step]);
    CHECK(rows[0][step] != rows[2][step]);
    CHECK(rows[1][step] != rows[2][step]);
  }
}

TEST_CASE("generation: speculative sampling keeps the law, worked out over five tokens") {
  const Philox random(9);
  for (std::uint64_t round = 0; round < 50; ++round) {
    std::vector<double> p(5), q(5), rest;
    double p_sum = 0, q_sum = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      p_sum += p[i] = random.uniform_double(round * 10 + i);
      q_sum += q[i] = i == round % 7 ? 0 : random.uniform_double(round * 10 + 5 + i);
    }
    for (double& x : p) x /= p_sum;
    for (double& x : q) x /= q_sum;
    residual_law(p, q, rest);
    for (std::size_t token = 0; token < 5; ++token) {
      double law = 0;
      for (std::size_t drafted = 0; drafted < 5; ++drafted) {
        const double kept = acceptance(p, q, static_cast<std::int64_t>(drafted));
        law += q[drafted] * ((drafted == token ? kept : 0) + (1 - kept) * rest[token]);
      }
      CHECK(std::abs(law - p[token]) < 1e-12);
    }
  }
}

TEST_CASE("generation: drafts change the number of passes, not the tokens") {
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    const TableModel model(5, seed), draft(5, seed + (seed % 2));  // every other one agrees
    for (const bool sample : {false, true}) {
      GenerationConfig config = strategy_settings(24);
      config.eos_token_id = {seed % 3 == 0 ? 4 : 99};
      config.do_sample = sample;
      config.seed = seed;
      const auto plain = continue_prompt(model, {1, 2}, config);
      GenerationConfig lookup = config;
      lookup.prompt_lookup_num_tokens = 3;
      CHECK(continue_prompt(model, {1, 2}, lookup) == plain);
      GenerationConfig assisted = config;
      assisted.assistant = &draft;
      assisted.num_assistant_tokens = 4;
      // The sampled tokens of a draft model are others of the same law.
      if (!sample) CHECK(continue_prompt(model, {1, 2}, assisted) == plain);
    }
  }
}

TEST_CASE("generation: tokens drawn with a draft model follow the model's law") {
  const TableModel model(5, 21), draft(5, 22);
  GenerationConfig config = strategy_settings(3);
  config.do_sample = true;
  config.assistant = &draft;
  config.num_assistant_tokens = 2;
  std::map<Ids, std::size_t> places;
  std::vector<double> law;
  // Token 0 ends nothing here, so all texts have three tokens.
  for (std::int64_t a = 0; a < 5; ++a)
    for (std::int64_t b = 0; b < 5; ++b)
      for (std::int64_t c = 0; c < 5; ++c) {
        double sum = 0;
        const Ids all = {1, 2, a, b, c};
        for (std::size_t i = 2; i < 5; ++i) {
          const float* from = model.scores(all[i - 2], all[i - 1]);
          std::vector<float> scores(from, from + 5);
          log_softmax_in_place(scores);
          sum += scores[static_cast<std::size_t>(all[i])];
        }
        places.emplace(Ids{a, b, c}, law.size());
        law.push_back(std::exp(sum));
      }
  constexpr std::int64_t draws = 60'000;
  std::vector<std::int64_t> counts(law.size(), 0);
  for (std::int64_t i = 0; i < draws; ++i) {
    config.seed = static_cast<std::uint64_t>(i);
    ++counts[places.at(continue_prompt(model, {1, 2}, config)[0])];
  }
  CHECK(chi_square(law, counts, draws) > 1e-4);
}

TEST_CASE("generation: a million draws follow the law of the filters") {
  std::vector<float> logits;
  for (std::uint64_t i = 0; i < 61; ++i) logits.push_back(Philox(12).normal(i) * 2.2F);
  GenerationConfig configs[6];
  configs[0].temperature = 0.7;
  configs[0].top_k = 40;
  configs[0].top_p = 0.9;
  configs[1].temperature = 1.3;
  configs[1].top_k = 0;
  configs[1].min_p = 0.05;
  configs[2].top_k = 0;
  configs[2].typical_p = 0.9;
  configs[3].top_k = 0;
  configs[3].epsilon_cutoff = 0.01;
  configs[4].top_k = 0;
  configs[4].eta_cutoff = 0.02;
  configs[5].top_k = 0;
  configs[5].top_h = 0.6;
  const Ids text = {1};
  for (GenerationConfig& config : configs) {
    config.do_sample = true;
    TokenChooser chooser(config, 1, 0);
    std::vector<float> filtered = logits;
    RowState row;
    row.ids = text;
    row.prompt_length = 1;
    for (const auto& processor : chooser.processors()) processor->process(row, filtered);
    std::vector<double> law;
    law_of(filtered, law);
    CHECK(std::count(law.begin(), law.end(), 0.0) > 10);
    constexpr std::int64_t draws = 1'000'000;
    std::vector<std::int64_t> counts(law.size(), 0);
    // The filters work the same every time: they are run on a tenth of the draws, the sampler on all.
    for (std::int64_t i = 0; i < draws; ++i) {
      row.seed = static_cast<std::uint64_t>(i);
      if (i % 10 == 0) {
        std::vector<float> scores = logits;
        ++counts[static_cast<std::size_t>(chooser.choose(row, scores))];
      } else {
        ++counts[static_cast<std::size_t>(sample_token(filtered, Philox(row.seed).uniform_double(0)))];
      }
    }
    CHECK(chi_square(law, counts, draws) > 1e-4);
  }
}

TEST_CASE("generation: drawn beams come from the model's law without replacement") {
  const TableModel model(5, 4);
  GenerationConfig config = strategy_settings(1);
  config.do_sample = true;
  config.num_beams = 2;
  config.num_return_sequences = 2;
  const float* from = model.scores(1, 2);
  std::vector<double> law;
  law_of(std::span(from, 5), law);
  // Both kept beams are the first two of four draws; the better of them is returned first.
  std::vector<double> expected(5, 0);
  for (std::size_t a = 0; a < 5; ++a)
    for (std::size_t b = 0; b < 5; ++b)
      if (a != b) expected[law[a] > law[b] ? a : b] += law[a] * law[b] / (1 - law[a]);
  constexpr std::int64_t draws = 40'000;
  std::vector<std::int64_t> counts(5, 0);
  for (std::int64_t i = 0; i < draws; ++i) {
    config.seed = static_cast<std::uint64_t>(i);
    ++counts[static_cast<std::size_t>(continue_prompt(model, {1, 2}, config)[0][0])];
  }
  CHECK(chi_square(expected, counts, draws) > 1e-4);
}

TEST_CASE("generation: a row of a batch draws as a request with its own seed does") {
  const TableModel model(7, 5);
  GenerationConfig config = strategy_settings(12);
  config.do_sample = true;
  config.seed = 40;
  const Tensor together = generate(model, {.input_ids = Tensor::from(Ids{1, 2, 3, 4, 5, 6}, {3, 2})}, config).sequences;
  const Ids all = together.to_vector<std::int64_t>();
  for (std::int64_t row = 0; row < 3; ++row) {
    config.seed = 40 + static_cast<std::uint64_t>(row);
    const Ids alone = continue_prompt(model, {row * 2 + 1, row * 2 + 2}, config)[0];
    CHECK(alone == Ids(all.begin() + row * 14 + 2, all.begin() + (row + 1) * 14));
  }
}

TEST_CASE("generation: contrastive search without a penalty is greedy, and with one needs no cache to say the same") {
  LoadOptions options;
  options.task = Task::causal_lm;
  const auto model = load_model(open_checkpoint(TRUSTFORMERS_TEST_DATA "/goldens/llama.causal_lm"), options);
  GenerationConfig config;
  config.max_new_tokens = 10;
  const Ids prompt = {8, 52, 79, 43, 69};
  const auto greedy = continue_prompt(*model, prompt, config);
  config.top_k = 4;
  config.penalty_alpha = 0;
  CHECK(continue_prompt(*model, prompt, config) == greedy);
  config.penalty_alpha = 0.9;
  const auto contrastive = continue_prompt(*model, prompt, config);
  CHECK(contrastive != greedy);
  config.use_cache = false;
  CHECK(continue_prompt(*model, prompt, config) == contrastive);
}
