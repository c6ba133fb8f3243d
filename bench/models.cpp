// Speed of whole models as JSON: tokens/s of reading a prompt and of writing an answer, sentences/s of an encoder.
//   trustformers_bench_models LANGUAGE_MODEL ENCODER [THREADS…]
// Each figure is the median of five runs after one that warms up.
#include <trustformers/trustformers.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace trustformers {
namespace {

constexpr int runs = 5;

template <class Measure>
double median(const Measure& measure) {
  measure();
  std::vector<double> values;
  for (int i = 0; i < runs; ++i) values.push_back(measure());
  std::nth_element(values.begin(), values.begin() + runs / 2, values.end());
  return values[runs / 2];
}

Tensor prompt_of(std::int64_t length, std::int64_t vocabulary) {
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < length; ++i) ids.push_back((i * 7919 + 11) % vocabulary);
  return Tensor::from(ids, {1, length});
}

/// Tokens/s of a prompt of 512 tokens, and of the 128 tokens after a prompt of 16.
Json measure_language_model(const char* path) {
  const PreTrainedModel model = AutoModelForCausalLM::from_pretrained(path);
  const std::int64_t vocabulary = model.model().common().vocab_size;
  GenerationConfig config;  // no end token: always the full length
  const auto generate_after = [&](std::int64_t prompt, std::int64_t count) {
    config.max_new_tokens = count;
    return generate(model.model(), {.input_ids = prompt_of(prompt, vocabulary)}, config).stats;
  };
  Json out = Json::object();
  out.set("prefill_tokens_per_second", median([&] { return 512 / generate_after(512, 1).prefill_seconds; }));
  out.set("decode_tokens_per_second", median([&] { return 127 / generate_after(16, 128).decode_seconds; }));
  return out;
}

/// Sentences/s for 64 sentences of 17 words.
Json measure_encoder(const char* path) {
  const SentenceTransformer encoder = SentenceTransformer::from_pretrained(path);
  const std::vector<std::string> sentences(
      64, "The quick brown fox jumps over the lazy dog while a second one watches from the hill.");
  const double rate = median([&] {
    const auto start = std::chrono::steady_clock::now();
    encoder.encode(sentences);
    return static_cast<double>(sentences.size()) /
           std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  });
  Json out = Json::object();
  out.set("sentences_per_second", rate);
  return out;
}

Json measure(const char* language_model, const char* encoder, int threads) {
  const std::unique_ptr<Context> context = make_context(threads);
  const ContextScope scope(*context);
  Json out = Json::object();
  out.set("threads", context->threads().threads());
  out.set("language_model", measure_language_model(language_model));
  out.set("encoder", measure_encoder(encoder));
  return out;
}

}  // namespace
}  // namespace trustformers

int main(int count, char** values) {
  using namespace trustformers;
  if (count < 3) {
    std::fprintf(stderr, "Usage: %s LANGUAGE_MODEL ENCODER [THREADS…]\n", values[0]);
    return 2;
  }
  try {
    Json results = Json::array();
    for (int i = 3; i < count; ++i) results.as_array().push_back(measure(values[1], values[2], std::atoi(values[i])));
    if (count == 3) results.as_array().push_back(measure(values[1], values[2], 0));
    std::printf("%s\n", results.dump(2).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
