// Configs other than those of the golden cases: valid ones run, invalid ones are refused naming the key.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "../support.h"
#include "base/rng.h"
#include "tensor/op.h"
#include "zoo.h"

namespace trustformers::test {
namespace {

constexpr std::string_view layer_keys[] = {"num_hidden_layers", "n_layer",        "n_layers",          "num_layers",
                                           "encoder_layers",    "decoder_layers", "num_decoder_layers"};
constexpr std::string_view width_keys[] = {"intermediate_size",
                                           "n_inner",
                                           "ffn_dim",
                                           "d_ff",
                                           "encoder_ffn_dim",
                                           "decoder_ffn_dim",
                                           "moe_intermediate_size",
                                           "intermediate_size_mlp",
                                           "ffn_hidden_size",
                                           "hidden_dim",
                                           "shared_expert_intermediate_size"};
/// What a class does with its inputs and outputs, not how its layers compute.
constexpr std::string_view usage_keys[] = {"is_decoder", "is_encoder_decoder", "use_cache", "add_cross_attention"};

bool contains(std::span<const std::string_view> keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// A list with a value for each layer, made to fit another number of them.
Json with_length(const Json& list, std::int64_t count) {
  Json::Array out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(list.as_array()[static_cast<std::size_t>(i) % list.size()]);
  return Json(std::move(out));
}

/// Another number of layers, other widths, a larger vocabulary, another norm eps, and some flags turned.
Json varied(const Json& config, std::uint64_t seed) {
  const Philox rng(seed, 0);
  std::uint64_t drawn = 0;
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(rng.uniform(drawn++) * static_cast<float>(n));
  };
  Json out = config;
  const bool keeps_layers = seed % 2 == 0;  // lists of lists (GPT-Neo's attention_types) are not made to fit others
  const std::int64_t layers = 1 + below(3), width = 8 + 2 * below(20), more_tokens = below(40);
  std::int64_t old_layers = 0;
  for (const auto& [key, value] : config.as_object()) {
    if (value.is_int() && contains(layer_keys, key)) {
      old_layers = value.as_int();
      if (!keeps_layers) out.set(key, Json(layers));
    }
    if (value.is_int() && contains(width_keys, key)) out.set(key, Json(width));
    if (value.is_int() && key.ends_with("vocab_size") && key != "type_vocab_size")
      out.set(key, Json(value.as_int() + more_tokens));
    if (value.is_number() && key.ends_with("_eps")) out.set(key, Json(below(2) == 0 ? 1e-5 : 1e-6));
    if (value.is_bool() && !contains(usage_keys, key) && below(3) == 0) out.set(key, Json(!value.as_bool()));
  }
  for (const auto& [key, value] : config.as_object())
    if (!keeps_layers && value.is_array() && static_cast<std::int64_t>(value.size()) == old_layers &&
        key != "architectures")
      out.set(key, with_length(value, layers));
  return out;
}

bool names_a_key(const Error& error, const Json& config) {
  return std::any_of(config.as_object().begin(), config.as_object().end(),
                     [&](const auto& item) { return mentions(error, item.first); });
}

TEST_CASE("models: random configs run, or are refused by the name of a key") {
  for (const Zoo& entry : zoo()) {
    int ran = 0;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      const Zoo other{entry.architecture, varied(entry.config, seed)};
      for (const ModelClass& c : entry.architecture->classes) {
        INFO(c.name, " with seed ", seed);
        try {
          const auto model = random_model(other, c.name, seed);
          const NoGrad no_grad;
          const ModelOutput out = model->forward(random_inputs(*model, c.task, 9, seed));
          for (const NamedOutput& output : outputs_of(out)) {
            INFO(output.name);
            const std::vector<float> values = output.value.to_vector<float>();
            CHECK(std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); }));
          }
          CHECK(!outputs_of(out).empty());
          ++ran;
        } catch (const Error& error) {
          INFO(std::string(error.what()));
          CHECK(names_a_key(error, other.config));
        }
      }
    }
    INFO(entry.architecture->model_type);
    CHECK(ran > 0);
  }
}

}  // namespace
}  // namespace trustformers::test
