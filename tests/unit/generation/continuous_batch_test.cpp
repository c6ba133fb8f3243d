#include "generation/continuous_batch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>

#include "../models/zoo.h"
#include "base/rng.h"
#include "generation/generate.h"
#include "ops/shape/shape_ops.h"
#include "tensor/op.h"

namespace trustformers::test {
namespace {

using Ids = std::vector<std::int64_t>;

/// The model with room for texts of several pages.
std::unique_ptr<Model> roomy_model(Zoo entry, const std::string& class_name) {
  for (const std::string_view key :
       {"max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "max_target_positions"})
    if (entry.config.find(key)) entry.config.set(key, 256);
  return random_model(entry, class_name, 7);
}

std::unique_ptr<Model> zoo_model(std::string_view type) {
  for (const Zoo& entry : zoo())
    if (entry.architecture->model_type == type)
      for (const ModelClass& c : entry.architecture->classes)
        if (c.task == Task::causal_lm) return roomy_model(entry, c.name);
  FAIL("no model of type " << type);
  return nullptr;
}

struct Asked {
  Ids prompt;
  GenerationConfig config;
  std::int64_t joins = 0;  // at this step
};

/// Numbers in [0, bound), one after the other.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : rng_(seed) {}
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(rng_.uniform_double(at_++) * static_cast<double>(bound));
  }

 private:
  Philox rng_;
  std::uint64_t at_ = 0;
};

GenerationConfig random_config(Dice& dice) {
  GenerationConfig config;
  config.max_new_tokens = 1 + dice.below(9);
  config.seed = static_cast<std::uint64_t>(dice.below(1000));
  config.do_sample = dice.below(2) == 0;
  config.temperature = config.do_sample ? 1.5 : 1;
  config.top_k = 5 + dice.below(60);
  if (dice.below(2) == 0) config.repetition_penalty = 1.3;
  if (dice.below(3) == 0) config.no_repeat_ngram_size = 2;
  if (dice.below(3) == 0) config.min_new_tokens = 3;
  config.eos_token_id = {dice.below(30)};
  return config;
}

/// Half of the prompts begin alike, for more than a page.
std::vector<Asked> random_requests(std::int64_t vocabulary, std::int64_t longest, std::uint64_t seed) {
  Dice dice(seed);
  const auto random_ids = [&](std::int64_t count) {
    Ids out;
    for (std::int64_t i = 0; i < count; ++i) out.push_back(3 + dice.below(vocabulary - 3));
    return out;
  };
  const Ids beginning = random_ids(std::min<std::int64_t>(70, longest - 5));
  std::vector<Asked> out;
  for (int i = 0; i < 8; ++i) {
    Asked asked;
    if (i % 2 == 0) asked.prompt = beginning;
    const Ids rest = random_ids(1 + dice.below(i % 3 == 0 ? 60 : 5));
    asked.prompt.insert(asked.prompt.end(), rest.begin(), rest.end());
    asked.config = random_config(dice);
    asked.joins = dice.below(9);
    out.push_back(std::move(asked));
  }
  return out;
}

Ids alone(const Model& model, const Asked& asked) {
  const auto length = static_cast<std::int64_t>(asked.prompt.size());
  const GenerateOutput out = generate(model, {.input_ids = Tensor::from(asked.prompt, {1, length})}, asked.config);
  const Ids all = out.sequences.to_vector<std::int64_t>();
  return {all.begin() + out.stats.prompt_tokens, all.end()};
}

/// The tokens of each request, which join at their steps.
std::vector<Ids> together(ContinuousBatch& batch, const std::vector<Asked>& requests) {
  std::vector<Ids> out(requests.size());
  std::map<std::uint64_t, std::size_t> numbers;
  std::vector<bool> ended(requests.size());
  for (std::int64_t step = 0; numbers.size() < requests.size() || !batch.idle(); ++step) {
    for (std::size_t i = 0; i < requests.size(); ++i)
      if (requests[i].joins == step) numbers[batch.add(requests[i].prompt, requests[i].config)] = i;
    for (const RequestEvent& event : batch.step()) {
      const std::size_t i = numbers.at(event.request);
      INFO((event.error ? event.error->what() : ""));
      CHECK(!event.error);
      CHECK(!ended[i]);
      if (event.token) out[i].push_back(*event.token);
      if (event.end) ended[i] = true;
    }
    REQUIRE(step < 1000);
  }
  CHECK(std::count(ended.begin(), ended.end(), true) == static_cast<std::ptrdiff_t>(requests.size()));
  return out;
}

}  // namespace

TEST_CASE("generation: requests of a running batch get the tokens that they get alone") {
  for (const Zoo& entry : zoo())
    for (const ModelClass& c : entry.architecture->classes) {
      if (c.task != Task::causal_lm && c.task != Task::seq2seq_lm) continue;
      INFO(c.name);
      const auto model = roomy_model(entry, c.name);
      if (!model->can_generate()) continue;
      const std::int64_t limit = model->common().max_position_embeddings;
      const std::int64_t longest = limit > 0 ? std::min<std::int64_t>(limit - 80, 90) : 90;
      const std::vector<Asked> requests = random_requests(std::max<std::int64_t>(model->common().vocab_size, 30),
                                                          std::max<std::int64_t>(longest, 10), 5);
      BatchOptions options;
      options.max_running = 5;
      ContinuousBatch batch(*model, options);
      options.prompt_piece = 7;
      ContinuousBatch in_pieces(*model, options);
      const std::vector<Ids> got = together(batch, requests), pieces = together(in_pieces, requests);
      for (std::size_t i = 0; i < requests.size(); ++i) {
        INFO("request ", i);
        const Ids expected = alone(*model, requests[i]);
        CHECK(got[i] == expected);
        CHECK(pieces[i] == expected);
      }
      CHECK(batch.cache_bytes() == 0);
    }
}

TEST_CASE("generation: pages of a common beginning are read once, held once and freed with the last request") {
  const auto model = zoo_model("llama");
  Ids first(150, 5), second = first;
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = second[i] = 3 + static_cast<std::int64_t>(i * 7 % 90);
  second[140] = 4;
  GenerationConfig config;
  config.max_new_tokens = 4;
  config.eos_token_id = {};

  ContinuousBatch one(*model);
  one.add(first, config);
  one.step();
  const std::int64_t bytes = one.cache_bytes();  // of three pages
  CHECK(bytes > 0);

  ContinuousBatch two(*model);
  two.add(first, config);
  two.add(second, config);
  two.step();
  CHECK(two.reused_tokens() == 128);
  CHECK(two.read_tokens() == 150 + 22);
  CHECK(two.cache_bytes() == bytes / 3 * 4);
  while (!two.idle()) two.step();
  CHECK(two.cache_bytes() == 0);
  two.add(second, config);
  two.step();
  CHECK(two.reused_tokens() == 128);  // nothing was kept

  ContinuousBatch keeping(*model, {.kept_tokens = 128});
  keeping.add(first, config);
  while (!keeping.idle()) keeping.step();
  CHECK(keeping.cache_bytes() == bytes / 3 * 2);
  keeping.add(second, config);
  while (!keeping.idle()) keeping.step();
  CHECK(keeping.reused_tokens() == 128);
  // Another text takes the room of the kept one.
  for (std::int64_t& id : second) id += 1;
  keeping.add(second, config);
  while (!keeping.idle()) keeping.step();
  CHECK(keeping.cache_bytes() == bytes / 3 * 2);
  keeping.add(first, config);
  keeping.step();
  CHECK(keeping.reused_tokens() == 128);
}

TEST_CASE("generation: a cancelled request gets no further token, and its neighbours all of theirs") {
  const auto model = zoo_model("mistral");
  const Ids prompt = {8, 52, 79, 43, 69}, other = {9, 10};
  GenerationConfig config;
  config.max_new_tokens = 10;
  config.eos_token_id = {};
  ContinuousBatch batch(*model, {.max_running = 2});
  const CancelToken token;
  const std::uint64_t a = batch.add(prompt, config), b = batch.add(other, config, token),
                      waits = batch.add(other, config);
  Ids got;
  std::size_t tokens_of_b = 0;
  for (int step = 0; !batch.idle(); ++step) {
    if (step == 3) token.cancel();
    if (step == 1) CHECK(batch.cancel(waits));
    for (const RequestEvent& event : batch.step()) {
      if (event.request == a && event.token) got.push_back(*event.token);
      if (event.request == b) {
        tokens_of_b += event.token ? 1 : 0;
        CHECK(event.end.has_value() == (step == 3));
        if (event.end) CHECK(*event.end == RequestEnd::cancelled);
      }
      if (event.request == waits) {
        CHECK(step == 1);
        CHECK(*event.end == RequestEnd::cancelled);
      }
      if (event.request == a && event.end) CHECK(*event.end == RequestEnd::length);
    }
  }
  CHECK(tokens_of_b == 3);
  CHECK(got == alone(*model, {prompt, config}));
  CHECK(!batch.cancel(b));
}

TEST_CASE("generation: a request that fails leaves the others alone") {
  struct Poison final : LogitsProcessor {
    void process(const RowState& row, std::span<float> scores) override {
      if (row.step() == 2) std::fill(scores.begin(), scores.end(), -std::numeric_limits<float>::infinity());
    }
  };
  const auto model = zoo_model("gpt2");
  const Ids prompt = {8, 52, 79, 43, 69};
  GenerationConfig config;
  config.max_new_tokens = 6;
  config.eos_token_id = {};
  GenerationConfig poisoned = config;
  poisoned.logits_processors.push_back(std::make_shared<Poison>());
  ContinuousBatch batch(*model);
  const std::uint64_t bad_id = batch.add(Ids{8, 100000}, config), good = batch.add(prompt, config),
                      bad = batch.add(prompt, poisoned), long_one = batch.add(Ids(1000, 5), config);
  Ids got;
  std::map<std::uint64_t, ErrorCode> errors;
  while (!batch.idle())
    for (const RequestEvent& event : batch.step()) {
      if (event.request == good && event.token) got.push_back(*event.token);
      if (event.error) errors[event.request] = event.error->code();
      CHECK(event.error.has_value() == (event.end == RequestEnd::failed));
    }
  CHECK(got == alone(*model, {prompt, config}));
  CHECK(errors == std::map<std::uint64_t, ErrorCode>{{bad_id, ErrorCode::out_of_range},
                                                     {bad, ErrorCode::invalid_argument},
                                                     {long_one, ErrorCode::out_of_range}});
}

TEST_CASE("generation: other ways of decoding run beside a batch") {
  const auto model = zoo_model("llama");
  Asked beams{{8, 52, 79}, {}, 0}, guided{{3, 4}, {}, 0}, plain{{9, 9, 12}, {}, 1}, uncached{{7, 12}, {}, 0};
  for (Asked* asked : {&beams, &guided, &plain, &uncached}) {
    asked->config.max_new_tokens = 5;
    asked->config.eos_token_id = {};
  }
  beams.config.num_beams = 3;
  guided.config.guidance_scale = 2;
  uncached.config.use_cache = false;
  const std::vector<Asked> requests = {beams, guided, plain, uncached};
  ContinuousBatch batch(*model);
  const std::vector<Ids> got = together(batch, requests);
  for (std::size_t i = 0; i < requests.size(); ++i) CHECK(got[i] == alone(*model, requests[i]));
  beams.config.num_return_sequences = 2;
  CHECK_THROWS_WITH_AS(batch.add(beams.prompt, beams.config),
                       "[continuous_batch] a request gives one text, num_return_sequences is 2", Error);
}

TEST_CASE("generation: time and waiting end requests") {
  const auto model = zoo_model("gpt2");
  GenerationConfig config;
  config.max_new_tokens = 50;
  config.eos_token_id = {};
  config.max_time = 1e-9;
  ContinuousBatch batch(*model);
  batch.add(Ids{4}, config);
  const auto events = batch.step();
  REQUIRE(events.size() == 1);
  CHECK(*events[0].end == RequestEnd::time);
  CHECK(!events[0].token);
  CHECK(batch.idle());
}

}  // namespace trustformers::test
