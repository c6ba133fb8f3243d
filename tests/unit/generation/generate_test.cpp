#include "generation/generate.h"

#include <doctest/doctest.h>

#include <limits>

#include "../support.h"
#include "models/auto.h"
#include "tensor/context.h"

using namespace trustformers;
using test::code_of;

namespace {

const std::string golden_folder = TRUSTFORMERS_TEST_DATA "/goldens/";

std::unique_ptr<Model> causal_model(const std::string& name) {
  LoadOptions options;
  options.task = Task::causal_lm;
  return load_model(open_checkpoint(golden_folder + name), options);
}

using Ids = std::vector<std::int64_t>;

const Ids first_prompt = {8, 52, 79, 43, 69};
const std::vector<Ids> prompts = {first_prompt, {41, 92, 75}, {32}, {76, 5, 14, 11, 12, 96, 8}};

GenerationConfig settings(bool sample = false) {
  GenerationConfig config;
  config.max_new_tokens = 12;
  config.do_sample = sample;
  config.temperature = 1.5;
  config.top_k = 20;
  config.top_p = 0.95;
  config.repetition_penalty = 1.2;
  config.seed = 11;
  return config;
}

/// The new tokens of one prompt.
Ids alone(const Model& model, const Ids& prompt, const GenerationConfig& config) {
  return Session(model).generate(prompt, config);
}

/// Prompts in one batch, padded on the left; the new tokens of each row.
std::vector<Ids> batched(const Model& model, const std::vector<Ids>& rows, const GenerationConfig& config) {
  std::size_t length = 0;
  for (const Ids& row : rows) length = std::max(length, row.size());
  Ids ids, mask;
  for (const Ids& row : rows) {
    ids.insert(ids.end(), length - row.size(), 0);
    mask.insert(mask.end(), length - row.size(), 0);
    ids.insert(ids.end(), row.begin(), row.end());
    mask.insert(mask.end(), row.size(), 1);
  }
  const Shape shape = {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(length)};
  const Tensor out =
      generate(model, {.input_ids = Tensor::from(ids, shape), .attention_mask = Tensor::from(mask, shape)}, config)
          .sequences;
  const Ids all = out.to_vector<std::int64_t>();
  std::vector<Ids> fresh;
  const auto width = static_cast<std::size_t>(out.size(1));
  for (std::size_t r = 0; r < rows.size(); ++r)
    fresh.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(r * width + length),
                       all.begin() + static_cast<std::ptrdiff_t>((r + 1) * width));
  return fresh;
}

}  // namespace

TEST_CASE("generation: the same tokens with one and two threads, with and without a cache") {
  for (const std::string name : {"llama.causal_lm", "gpt2.causal_lm"})
    for (const bool sample : {false, true}) {
      GenerationConfig config = settings(sample);
      const auto one = make_context(1);
      const auto two = make_context(2);
      std::vector<Ids> results;
      for (Context* context : {one.get(), two.get()}) {
        const ContextScope scope(*context);
        const auto model = causal_model(name);
        for (const bool cache : {true, false}) {
          config.use_cache = cache;
          results.push_back(alone(*model, first_prompt, config));
        }
      }
      CHECK(results[0].size() == 12);
      for (const Ids& other : results) CHECK(other == results[0]);
    }
}

TEST_CASE("generation: a prompt in a batch of four gives the tokens it gives alone") {
  for (const std::string name : {"llama.causal_lm", "gpt2.causal_lm"}) {
    const auto model = causal_model(name);
    const std::vector<Ids> together = batched(*model, prompts, settings());
    for (std::size_t r = 0; r < prompts.size(); ++r) CHECK(together[r] == alone(*model, prompts[r], settings()));
  }
}

TEST_CASE("generation: a session reads only what is new") {
  const auto model = causal_model("llama.causal_lm");
  GenerationConfig config = settings();
  config.repetition_penalty = 1;
  Session session(*model);
  Ids conversation = first_prompt;
  const Ids answer = session.generate(conversation, config);
  CHECK(session.stats().reused_tokens == 0);
  conversation.insert(conversation.end(), answer.begin(), answer.end());
  conversation.insert(conversation.end(), {14, 11});
  CHECK(session.generate(conversation, config) == alone(*model, conversation, config));
  // The last answer's last token was chosen but never read.
  CHECK(session.stats().reused_tokens == static_cast<std::int64_t>(first_prompt.size() + answer.size()) - 1);
  // A changed middle leaves the prefix before it.
  conversation[2] = 20;
  CHECK(session.generate(conversation, config) == alone(*model, conversation, config));
  CHECK(session.stats().reused_tokens == 2);
}

TEST_CASE("generation: a seed gives the same tokens again, another seed others") {
  const auto model = causal_model("llama.causal_lm");
  GenerationConfig config = settings(true);
  const Ids tokens = alone(*model, first_prompt, config);
  CHECK(alone(*model, first_prompt, config) == tokens);
  config.seed = 12;
  CHECK(alone(*model, first_prompt, config) != tokens);
}

TEST_CASE("generation: a callback and a cancel stop within one token") {
  const auto model = causal_model("llama.causal_lm");
  int calls = 0;
  const Ids tokens =
      Session(*model).generate(first_prompt, settings(), [&](std::span<const std::int64_t>) { return ++calls < 3; });
  CHECK(tokens.size() == 3);
  const CancelToken cancel;
  calls = 0;
  CHECK(code_of([&] {
          Session(*model).generate(
              first_prompt, settings(),
              [&](std::span<const std::int64_t>) {
                if (++calls == 2) cancel.cancel();
                return true;
              },
              &cancel);
        }) == ErrorCode::cancelled);
  CHECK(calls == 2);
}

TEST_CASE("generation: what cannot be generated is a typed error") {
  const auto model = causal_model("llama.causal_lm");
  CHECK(code_of([&] { alone(*model, Ids(65, 5), settings()); }) == ErrorCode::out_of_range);  // the context is 64
  CHECK(code_of([&] { alone(*model, {5, 99}, settings()); }) == ErrorCode::out_of_range);     // the vocabulary is 99
  CHECK(code_of([&] { alone(*model, {5, -1}, settings()); }) == ErrorCode::out_of_range);
  CHECK(code_of([&] { alone(*model, {}, settings()); }) == ErrorCode::invalid_argument);
  GenerationConfig cold = settings(true);
  cold.temperature = 0;
  CHECK(code_of([&] { alone(*model, first_prompt, cold); }) == ErrorCode::invalid_argument);
  const auto encoder = load_model(open_checkpoint(golden_folder + "bert.base"));
  CHECK(code_of([&] { alone(*encoder, first_prompt, settings()); }) == ErrorCode::unsupported);
}

TEST_CASE("generation: weights of NaN are found, not sampled from") {
  LoadOptions options;
  options.task = Task::causal_lm;
  options.parameters.trainable = true;  // a copy that may be changed
  const auto model = load_model(open_checkpoint(golden_folder + "llama.causal_lm"), options);
  const Tensor& norm = model->named_parameters().back().tensor;
  norm.mutable_data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  norm.mark_mutated();
  CHECK(code_of([&] { alone(*model, first_prompt, settings()); }) == ErrorCode::numeric);
}

TEST_CASE("generation: settings that cannot be honoured are named") {
  GenerationConfig config;
  config.update(Json::parse(
      R"({"max_new_tokens": 5, "eos_token_id": [1, 2], "dola_layers": null, "transformers_version": "5"})"));
  CHECK(config.max_new_tokens == 5);
  CHECK(config.eos_token_id == Ids{1, 2});
  CHECK(code_of([&] { config.update(Json::parse(R"({"dola_layers": "high"})")); }) == ErrorCode::unsupported);
  CHECK(code_of([&] { config.update(Json::parse(R"({"numbeams": 4})")); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { config.update(Json::parse(R"({"top_p": 0})")); }) == ErrorCode::invalid_argument);
}
