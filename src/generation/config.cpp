#include "config.h"

#include <algorithm>

#include "../base/file.h"
#include "../nn/config.h"

namespace trustformers {
namespace {

/// Settings of transformers that this build lacks, with the value at which they do nothing.
struct Neutral {
  std::string_view key;
  Json value;
};
const std::vector<Neutral>& unsupported_settings() {
  static const auto* const list = new std::vector<Neutral>{{"num_beams", 1},
                                                           {"num_beam_groups", 1},
                                                           {"diversity_penalty", 0.0},
                                                           {"num_return_sequences", 1},
                                                           {"min_length", 0},
                                                           {"min_new_tokens", nullptr},
                                                           {"min_p", nullptr},
                                                           {"typical_p", 1.0},
                                                           {"epsilon_cutoff", 0.0},
                                                           {"eta_cutoff", 0.0},
                                                           {"top_h", nullptr},
                                                           {"encoder_repetition_penalty", 1.0},
                                                           {"no_repeat_ngram_size", 0},
                                                           {"encoder_no_repeat_ngram_size", 0},
                                                           {"bad_words_ids", nullptr},
                                                           {"force_words_ids", nullptr},
                                                           {"constraints", nullptr},
                                                           {"sequence_bias", nullptr},
                                                           {"suppress_tokens", nullptr},
                                                           {"begin_suppress_tokens", nullptr},
                                                           {"exponential_decay_length_penalty", nullptr},
                                                           {"guidance_scale", nullptr},
                                                           {"negative_prompt_ids", nullptr},
                                                           {"watermarking_config", nullptr},
                                                           {"remove_invalid_values", false},
                                                           {"renormalize_logits", false},
                                                           {"prompt_lookup_num_tokens", nullptr},
                                                           {"max_matching_ngram_size", nullptr},
                                                           {"assistant_model", nullptr},
                                                           {"penalty_alpha", nullptr},
                                                           {"dola_layers", nullptr},
                                                           {"token_healing", false},
                                                           {"max_time", nullptr}};
  return *list;
}

/// Settings that say nothing about which tokens come out here.
constexpr std::string_view irrelevant[] = {"transformers_version",
                                           "_from_model_config",
                                           "output_attentions",
                                           "output_hidden_states",
                                           "output_scores",
                                           "output_logits",
                                           "return_dict_in_generate",
                                           "cache_implementation",
                                           "cache_config",
                                           "return_legacy_cache",
                                           "low_memory",
                                           "length_penalty",
                                           "early_stopping",
                                           "num_assistant_tokens",
                                           "num_assistant_tokens_schedule",
                                           "assistant_confidence_threshold",
                                           "assistant_early_exit",
                                           "assistant_lookbehind",
                                           "target_lookbehind",
                                           "is_assistant",
                                           "compile_config",
                                           "disable_compile",
                                           "prefill_chunk_size",
                                           "use_model_defaults",
                                           "generation_kwargs",
                                           "_commit_hash",
                                           "name_or_path"};

bool equal_value(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return a.as_double() == b.as_double();
  return a == b;
}

}  // namespace

void GenerationConfig::update(const Json& settings, std::string_view where) {
  for (const auto& [key, value] : settings.as_object(where)) {
    const std::string_view name = key;
    static constexpr std::string_view known[] = {
        "max_new_tokens",         "max_length",          "do_sample",           "temperature",  "top_k",        "top_p",
        "repetition_penalty",     "eos_token_id",        "pad_token_id",        "bos_token_id", "stop_strings", "seed",
        "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id", "use_cache"};
    if (std::find(std::begin(known), std::end(known), name) != std::end(known)) continue;
    if (std::find(std::begin(irrelevant), std::end(irrelevant), name) != std::end(irrelevant)) continue;
    const auto& list = unsupported_settings();
    const auto at = std::find_if(list.begin(), list.end(), [&](const Neutral& n) { return n.key == name; });
    check(at != list.end(), ErrorCode::invalid_argument, "[generation] ", where, ": there is no setting \"", key, "\"");
    check(value.is_null() || equal_value(value, at->value), ErrorCode::unsupported, "[generation] ", where, ": \"", key,
          "\" = ", value.dump(), " is not supported");
  }
  ConfigReader v(settings, where);
  v("max_new_tokens", max_new_tokens);
  v("max_length", max_length);
  v("do_sample", do_sample);
  v("temperature", temperature);
  v("top_k", top_k);
  v("top_p", top_p);
  v("repetition_penalty", repetition_penalty);
  // null means "no end token", which differs from the key being absent
  if (const Json* eos = settings.find("eos_token_id"); eos && eos->is_null()) eos_token_id.clear();
  v("eos_token_id", eos_token_id);
  v("pad_token_id", pad_token_id);
  v("bos_token_id", bos_token_id);
  v("decoder_start_token_id", decoder_start_token_id);
  v("forced_bos_token_id", forced_bos_token_id);
  v("forced_eos_token_id", forced_eos_token_id);
  v("stop_strings", stop_strings);
  std::int64_t seed_value = static_cast<std::int64_t>(seed);
  v("seed", seed_value);
  seed = static_cast<std::uint64_t>(seed_value);
  v("use_cache", use_cache);
  validate();
}

GenerationConfig GenerationConfig::from_pretrained(const std::filesystem::path& folder, const Json& model_config) {
  GenerationConfig config;
  ConfigReader v(model_config, "config.json");
  v("eos_token_id", config.eos_token_id);
  v("pad_token_id", config.pad_token_id);
  v("bos_token_id", config.bos_token_id);
  v("decoder_start_token_id", config.decoder_start_token_id);
  v("forced_bos_token_id", config.forced_bos_token_id);
  v("forced_eos_token_id", config.forced_eos_token_id);
  const std::filesystem::path file = folder / "generation_config.json";
  if (std::filesystem::is_directory(folder) && std::filesystem::exists(file))
    config.update(Json::parse(read_text_file(file, std::uint64_t{1} << 24), file.string()), file.string());
  return config;
}

void GenerationConfig::validate() const {
  check(max_new_tokens >= 0 && max_length >= 0, ErrorCode::invalid_argument,
        "[generation] max_new_tokens and max_length must not be negative, got ", max_new_tokens, " and ", max_length);
  check(temperature > 0 || !do_sample, ErrorCode::invalid_argument, "[generation] temperature must be positive, got ",
        temperature, "; for the likeliest token set do_sample to false");
  check(top_k >= 0, ErrorCode::invalid_argument, "[generation] top_k must not be negative, got ", top_k);
  check(top_p > 0 && top_p <= 1, ErrorCode::invalid_argument, "[generation] top_p must lie in (0, 1], got ", top_p);
  check(repetition_penalty > 0, ErrorCode::invalid_argument, "[generation] repetition_penalty must be positive, got ",
        repetition_penalty);
}

}  // namespace trustformers
