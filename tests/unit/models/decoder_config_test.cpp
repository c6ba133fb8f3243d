// What the keys of decoders' configs do: old and new spellings give the same model, what has no effect has none, and
// what is not supported is named.
#include <doctest/doctest.h>

#include <cmath>

#include "../support.h"
#include "models/auto.h"
#include "tensor/op.h"

using namespace trustformers;
using namespace trustformers::test;

namespace {

/// A small config of `model_type` with the keys of `more` (an object in JSON) on top.
Json config_of(const std::string& model_type, const std::string& more = "{}") {
  Json config = Json::parse(R"({"vocab_size": 31, "hidden_size": 32, "intermediate_size": 24, "num_hidden_layers": 4,
      "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64})");
  config.set("model_type", Json(model_type));
  const Json on_top = Json::parse(more);
  for (const auto& [key, value] : on_top.as_object()) config.set(key, value);
  return config;
}

std::unique_ptr<Model> model_of(const Json& config) { return init_model(config, 7, {.task = Task::causal_lm}); }

Tensor ids_of(std::vector<std::int64_t> ids) {
  const auto length = static_cast<std::int64_t>(ids.size());
  return Tensor::from(ids, {1, length});
}

std::vector<std::int64_t> text(std::int64_t length) {
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < length; ++i) ids.push_back((7 * i + 3) % 31);
  return ids;
}

std::vector<float> logits_of(const std::string& model_type, const std::string& more) {
  ModelInputs inputs;
  inputs.input_ids = ids_of(text(12));
  return model_of(config_of(model_type, more))->forward(inputs).logits.to_vector<float>();
}

struct Pair {
  const char *model_type, *one, *other;
};

TEST_CASE("models: Falcon's biases count twice only where a config asks for transformers' eager attention") {
  const std::string rw = R"("num_key_value_heads": 4, "alibi": true, "multi_query": false, "parallel_attn": false)";
  const std::vector<float> once = logits_of("falcon", "{" + rw + "}");
  CHECK(logits_of("falcon", "{" + rw + R"(, "transformers_version": "5.23.0"})") == once);
  CHECK(logits_of("falcon", "{" + rw + R"(, "attn_implementation": "eager"})") != once);
}

TEST_CASE("models: spellings of decoder configs that mean the same") {
  const Pair pairs[] = {
      {"mistral", R"({"sliding_window": null})", R"({"sliding_window": 64})"},
      {"mistral", R"({"layer_types": ["x", "x", "x", "x"], "attention_bias": true})", "{}"},
      {"llama", R"({"sliding_window": 3, "layer_types": ["a", "b", "c", "d"]})", "{}"},
      {"qwen2", R"({"use_sliding_window": false, "sliding_window": 3, "max_window_layers": 0})", "{}"},
      {"qwen2", R"({"use_sliding_window": true, "sliding_window": 3, "max_window_layers": 3})",
       R"({"use_sliding_window": true, "sliding_window": 3,
           "layer_types": ["full_attention", "full_attention", "full_attention", "sliding_attention"]})"},
      {"qwen3", R"({"rope_theta": 500, "rope_scaling": {"type": "linear", "factor": 2}})",
       R"({"rope_parameters": {"rope_theta": 500, "rope_type": "linear", "factor": 2}})"},
      {"gemma", R"({"hidden_act": "gelu"})", R"({"hidden_activation": "gelu_pytorch_tanh"})"},
      {"gemma2", R"({"sliding_window": 3, "attn_logit_softcapping": null})",
       R"({"sliding_window": 3, "attn_logit_softcapping": 0, "layer_types": ["sliding_attention", "full_attention",
           "sliding_attention", "full_attention"]})"},
      {"gemma3_text",
       R"({"sliding_window": 3, "sliding_window_pattern": 3, "rope_theta": 5000, "rope_local_base_freq": 50,
           "rope_scaling": {"rope_type": "linear", "factor": 4}})",
       R"({"sliding_window": 3, "layer_types": ["sliding_attention", "sliding_attention", "full_attention",
           "sliding_attention"], "rope_parameters": {"sliding_attention": {"rope_type": "default", "rope_theta": 50},
           "full_attention": {"rope_type": "linear", "factor": 4, "rope_theta": 5000}}})"},
      {"phi3",
       R"({"original_max_position_embeddings": 10, "rope_theta": 100, "rope_scaling": {"type": "su",
           "short_factor": [1, 2, 3, 4], "long_factor": [2, 3, 5, 7]}})",
       R"({"original_max_position_embeddings": 10, "rope_parameters": {"rope_type": "longrope", "rope_theta": 100,
           "original_max_position_embeddings": 10, "short_factor": [1, 2, 3, 4], "long_factor": [2, 3, 5, 7]}})"},
      {"smollm3", R"({"no_rope_layer_interval": 2})", R"({"no_rope_layers": [1, 0, 1, 0]})"},
      {"cohere2", R"({"sliding_window": 3, "sliding_window_pattern": 2})",
       R"({"sliding_window": 3, "layer_types": ["sliding_attention", "full_attention", "sliding_attention",
           "full_attention"]})"},
      {"exaone4", R"({"sliding_window": 3, "sliding_window_pattern": "LLG"})",
       R"({"sliding_window": 3, "layer_types": ["sliding_attention", "sliding_attention", "full_attention",
           "sliding_attention"]})"},
      {"exaone4", R"({"sliding_window": 3, "sliding_window_pattern": 4})", R"({"sliding_window": 3})"},
      {"nemotron", R"({"partial_rotary_factor": 0.5})", "{}"}};
  for (const Pair& p : pairs) {
    INFO(p.model_type, " ", p.one);
    CHECK(logits_of(p.model_type, p.one) == logits_of(p.model_type, p.other));
  }
}

TEST_CASE("models: keys of decoder configs that change what comes out") {
  const Pair pairs[] = {
      {"mistral", R"({"sliding_window": 3})", R"({"sliding_window": null})"},
      {"qwen2", R"({"use_sliding_window": true, "sliding_window": 3, "max_window_layers": 0})", "{}"},
      {"gemma2", R"({"attn_logit_softcapping": 0.001})", "{}"},
      {"gemma2", R"({"final_logit_softcapping": 0.001})", "{}"},
      {"gemma2", R"({"query_pre_attn_scalar": 3})", "{}"},
      {"gemma3_text", R"({"use_bidirectional_attention": true})", "{}"},
      {"gemma3_text", R"({"rope_local_base_freq": 3})", "{}"},
      {"olmo3", R"({"sliding_window": 3})", "{}"},
      {"olmo", R"({"clip_qkv": 0.001})", R"({"clip_qkv": null})"},
      {"granite", R"({"residual_multiplier": 0.5})", "{}"},
      {"cohere", R"({"logit_scale": 1})", "{}"},
      {"exaone4", R"({"sliding_window": null})", "{}"},
      {"glm", R"({"partial_rotary_factor": 1})", "{}"},
      {"smollm3", R"({"use_sliding_window": true, "sliding_window": 3})", R"({"sliding_window": 3})"}};
  for (const Pair& p : pairs) {
    INFO(p.model_type, " ", p.one);
    CHECK(logits_of(p.model_type, p.one) != logits_of(p.model_type, p.other));
  }
}

TEST_CASE("models: decoder configs that cannot be built are refused by the key's name") {
  struct Refused {
    const char *model_type, *more, *named;
  };
  const Refused cases[] = {
      {"gemma", R"({"use_bidirectional_attention": true})", "use_bidirectional_attention"},
      {"gemma2", R"({"use_bidirectional_attention": true})", "use_bidirectional_attention"},
      {"gemma2", R"({"query_pre_attn_scalar": 0})", "query_pre_attn_scalar"},
      {"gemma3_text", R"({"sliding_window_pattern": 0})", "sliding_window_pattern"},
      {"cohere2", R"({"sliding_window_pattern": 0})", "sliding_window_pattern"},
      {"exaone4", R"({"sliding_window_pattern": ""})", "sliding_window_pattern"},
      {"phi3", R"({"rope_scaling": {"type": "linear", "factor": 2}})", "rope_scaling"},
      {"qwen3", R"({"rope_scaling": {"type": "cubic"}})", "cubic"},
      {"qwen3", R"({"layer_types": ["full_attention", "chunked_attention", "full_attention", "full_attention"]})",
       "layer_types"},
      {"olmo3", R"({"layer_types": ["full_attention"]})", "layer_types"},
      {"smollm3", R"({"no_rope_layers": [1]})", "no_rope_layers"},
      {"smollm3", R"({"no_rope_layer_interval": 0})", "no_rope_layer_interval"},
      {"granite", R"({"logits_scaling": 0})", "logits_scaling"},
      {"helium", R"({"head_dim": 10})", "head_dim"},
      {"starcoder2", R"({"hidden_act": "softmax"})", "hidden_act"},
      {"mistral", R"({"num_key_value_heads": 3})", "num_key_value_heads"}};
  for (const Refused& c : cases) {
    INFO(c.model_type, " ", c.more);
    const Error error = error_of([&] { meta_model(config_of(c.model_type, c.more), {.task = Task::causal_lm}); });
    CHECK((error.code() == ErrorCode::unsupported || error.code() == ErrorCode::parse));
    CHECK(mentions(error, c.named));
  }
}

TEST_CASE("models: a cache that longrope's switch makes void is filled again") {
  const Json config = config_of("phi3", R"({"original_max_position_embeddings": 6, "rope_scaling": {"type": "longrope",
      "short_factor": [1, 1, 1, 1], "long_factor": [9, 7, 5, 3]}})");
  const std::unique_ptr<Model> model = model_of(config);
  const auto last_logits = [&](std::int64_t from, std::int64_t to, KVCache* cache) {
    ModelInputs inputs;
    const std::vector<std::int64_t> ids = text(to);
    inputs.input_ids = ids_of({ids.begin() + from, ids.end()});
    inputs.cache = cache;
    inputs.logits_to_keep = 1;
    inputs.output_hidden_states = true;
    const ModelOutput out = model->forward(inputs);
    CHECK(out.hidden_states[0].size(1) == to - from);
    return out.logits.to_vector<float>();
  };
  const NoGrad quiet;
  KVCache cache;
  const auto close = [&](const std::vector<float>& a, const std::vector<float>& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!(std::abs(a[i] - b[i]) < 1e-6f)) return false;
    return true;
  };
  CHECK(close(last_logits(0, 4, &cache), last_logits(0, 4, nullptr)));
  for (std::int64_t n = 4; n < 10; ++n) CHECK(close(last_logits(n, n + 1, &cache), last_logits(0, n + 1, nullptr)));
  CHECK(cache.length() == 10);
  cache.truncate(3);  // back below the switch
  CHECK(close(last_logits(3, 5, &cache), last_logits(0, 5, nullptr)));
  // the switch is there at all: with short factors throughout, the long text reads differently
  const std::vector<float> switched = last_logits(0, 10, nullptr);
  Json never = config;
  never.set("original_max_position_embeddings", Json(64));
  ModelInputs inputs;
  inputs.input_ids = ids_of(text(10));
  inputs.logits_to_keep = 1;
  CHECK(!close(model_of(never)->forward(inputs).logits.to_vector<float>(), switched));
}

}  // namespace
