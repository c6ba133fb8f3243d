// Decoding asks the system for nothing per token, whatever the model.
#include "../tensor/allocation_count.h"
#include "generation/generate.h"
#include "models/auto.h"

using namespace trustformers;

namespace {

/// Allocations per token of a decode, after the first ten tokens.
std::vector<long> allocations_by_token(const Model& model, const GenerationConfig& config) {
  std::vector<long> counts;
  counts.reserve(64);
  Session session(model);
  const std::int64_t prompt[] = {3, 1, 4, 1, 5};
  session.generate(prompt, config, [&](std::span<const std::int64_t>) {
    counts.push_back(test::allocation_count() + static_cast<long>(allocation_counters().storage_blocks));
    return true;
  });
  std::vector<long> out;
  for (std::size_t i = 10; i < counts.size(); ++i) out.push_back(counts[i] - counts[i - 1]);
  return out;
}

}  // namespace

TEST_CASE("generation: decoding allocates nothing per token once warm") {
  const std::pair<const char*, const char*> configs[] = {
      {"LlamaForCausalLM",
       R"({"model_type": "llama", "vocab_size": 50, "hidden_size": 64, "intermediate_size": 96,
           "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
           "max_position_embeddings": 128, "tie_word_embeddings": true})"},
      {"GPT2LMHeadModel",
       R"({"model_type": "gpt2", "vocab_size": 50, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 128})"},
  };
  for (const auto& [name, text] : configs)
    for (const int threads : {1, 2})
      for (const bool sampled : {false, true}) {
        const std::unique_ptr<Context> context = make_context(threads);
        const ContextScope scope(*context);
        LoadOptions options;
        options.class_name = name;
        const std::unique_ptr<Model> model = init_model(Json::parse(text), 1, options);
        GenerationConfig config;
        config.max_new_tokens = 40;
        config.do_sample = sampled;
        config.top_p = sampled ? 0.9 : 1;
        config.repetition_penalty = sampled ? 1.1 : 1;
        const std::vector<long> counts = allocations_by_token(*model, config);
        CHECK(counts.size() == 30);
        for (std::size_t i = 0; i < counts.size(); ++i)
          CHECK_MESSAGE(counts[i] == 0, std::string(name), " threads ", threads, sampled ? " sampled" : " greedy",
                        ", token ", i + 10, ": ", counts[i]);
      }
}
