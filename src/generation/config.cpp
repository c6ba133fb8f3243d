#include "config.h"

#include <algorithm>
#include <limits>
#include <system_error>

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
  static const auto* const list = new std::vector<Neutral>{{"constraints", nullptr},
                                                           {"assistant_model", nullptr},
                                                           {"dola_layers", nullptr},
                                                           {"token_healing", false},
                                                           {"assistant_ensemble_weight", nullptr}};
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

/// Reads settings one by one and remembers which there are. A null gives a member its default back.
class SettingsReader {
 public:
  SettingsReader(const Json& settings, std::string_view where) : settings_(settings), where_(where) {}

  template <class T>
  void operator()(std::string_view key, T& value) {
    with(key, value, [&](const Json& json, const std::string& path) { read(json, path, value); });
  }
  /// `parse(json, path)` for values of an unusual form.
  template <class T, class Parse>
  void with(std::string_view key, T& value, Parse parse) {
    known_.push_back(key);
    const Json* found = settings_.find(key);
    if (!found) return;
    if (found->is_null())
      value = T();
    else
      parse(*found, std::string(where_) + ": \"" + std::string(key) + "\"");
  }
  /// As operator(), but null keeps the value.
  template <class T>
  void keeping(std::string_view key, T& value) {
    known_.push_back(key);
    if (const Json* found = settings_.find(key); found && !found->is_null())
      read(*found, std::string(where_) + ": \"" + std::string(key) + "\"", value);
  }

  /// Names a setting that nobody read and that is not harmless.
  void finish() const {
    for (const auto& [key, value] : settings_.as_object(where_)) {
      const std::string_view name = key;
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      if (std::find(std::begin(irrelevant), std::end(irrelevant), name) != std::end(irrelevant)) continue;
      const auto& list = unsupported_settings();
      const auto at = std::find_if(list.begin(), list.end(), [&](const Neutral& n) { return n.key == name; });
      check(at != list.end(), ErrorCode::invalid_argument, "[generation] ", where_, ": there is no setting \"", key,
            "\"");
      check(value.is_null() || equal_value(value, at->value), ErrorCode::unsupported, "[generation] ", where_, ": \"",
            key, "\" = ", value.dump(), " is not supported");
    }
  }

 private:
  static void read(const Json& json, const std::string& path, bool& value) { value = json.as_bool(path); }
  static void read(const Json& json, const std::string& path, std::int64_t& value) { value = json.as_int(path); }
  static void read(const Json& json, const std::string& path, std::uint64_t& value) {
    value = static_cast<std::uint64_t>(json.as_int(path));
  }
  static void read(const Json& json, const std::string& path, double& value) { value = json.as_double(path); }
  static void read(const Json& json, const std::string& path, std::string& value) { value = json.as_string(path); }
  template <class T>
  static void read(const Json& json, const std::string& path, std::optional<T>& value) {
    read(json, path, value.emplace());
  }
  /// A list, or one value that stands for a list of one (eos_token_id).
  template <class T>
  static void read(const Json& json, const std::string& path, std::vector<T>& value) {
    value.clear();
    if (!json.is_array()) return read(json, path, value.emplace_back());
    for (const Json& item : json.as_array()) read(item, path, value.emplace_back());
  }

  const Json& settings_;
  std::string_view where_;
  std::vector<std::string_view> known_;
};

Phrase phrase_of(const Json& json, const std::string& path) {
  Phrase out;
  for (const Json& id : json.as_array(path)) out.push_back(id.as_int(path));
  return out;
}

std::vector<Phrase> phrases_of(const Json& json, const std::string& path) {
  std::vector<Phrase> out;
  for (const Json& phrase : json.as_array(path)) out.push_back(phrase_of(phrase, path));
  return out;
}

PhraseBias bias_of(const Json& json, const std::string& path) {
  const Json::Array& pair = json.as_array(path);
  check(pair.size() == 2, ErrorCode::parse, path, " must hold pairs of tokens and a bias");
  // JSON has no infinity of its own.
  const double bias = pair[1].is_string() && pair[1].as_string() == "-inf" ? -std::numeric_limits<double>::infinity()
                                                                           : pair[1].as_double(path);
  return {phrase_of(pair[0], path), static_cast<float>(bias)};
}

/// [[1, 2], ...]: phrases that must come. [[[1], [2, 3]], ...]: one of each list must.
std::vector<Phrase> alternatives_of(const Json& json, const std::string& path) {
  const Json::Array& list = json.as_array(path);
  if (!list.empty() && list[0].is_array()) return phrases_of(json, path);
  return {phrase_of(json, path)};
}

EarlyStopping early_stopping_of(const Json& json, const std::string& path) {
  if (json.is_bool()) return json.as_bool() ? EarlyStopping::first : EarlyStopping::heuristic;
  check(json.is_string() && json.as_string() == "never", ErrorCode::parse, path,
        " must be true, false or \"never\", got ", json.dump());
  return EarlyStopping::never;
}

/// {greenlist_ratio, bias, ...} or, with the key ngram_len, SynthID's settings.
void read_watermark(const Json& json, const std::string& path, decltype(GenerationConfig::watermarking)& out) {
  SettingsReader v(json, path);
  const auto size = [&](std::string_view key, std::size_t& value) {
    auto number = static_cast<std::int64_t>(value);
    v(key, number);
    check(number >= 0, ErrorCode::parse, path, ": \"", key, "\" must not be negative, got ", number);
    value = static_cast<std::size_t>(number);
  };
  if (json.find("ngram_len")) {
    SynthIdSettings s;
    size("ngram_len", s.ngram_len);
    v("keys", s.keys);
    size("context_history_size", s.context_history_size);
    size("sampling_table_size", s.sampling_table_size);
    v("sampling_table_seed", s.sampling_table_seed);
    v("skip_first_ngram_calls", s.skip_first_ngram_calls);
    bool debug_mode = false;
    v("debug_mode", debug_mode);
    check(!debug_mode, ErrorCode::unsupported, path, ": \"debug_mode\" is not supported");
    out = std::move(s);
  } else {
    WatermarkSettings s;
    v("greenlist_ratio", s.greenlist_ratio);
    v("bias", s.bias);
    v("hashing_key", s.hashing_key);
    std::string scheme = "lefthash";
    v("seeding_scheme", scheme);
    check(scheme == "lefthash" || scheme == "selfhash", ErrorCode::parse, path,
          ": seeding_scheme must be lefthash or selfhash, got ", scheme);
    s.self_hash = scheme == "selfhash";
    size("context_width", s.context_width);
    out = s;
  }
  v.finish();
}

}  // namespace

void GenerationConfig::update(const Json& settings, std::string_view where) {
  SettingsReader v(settings, where);
  v("max_new_tokens", max_new_tokens);
  v("max_length", max_length);
  v("min_length", min_length);
  v("min_new_tokens", min_new_tokens);
  v("max_time", max_time);
  v.with("exponential_decay_length_penalty", exponential_decay_length_penalty, [&](const Json& json, const auto& path) {
    const Json::Array& pair = json.as_array(path);
    check(pair.size() == 2, ErrorCode::parse, path, " must be [start, factor], got ", json.dump());
    exponential_decay_length_penalty = {pair[0].as_int(path), pair[1].as_double(path)};
  });
  v("do_sample", do_sample);
  v.keeping("temperature", temperature);
  v("top_k", top_k);  // null: none
  v.keeping("top_p", top_p);
  v("min_p", min_p);
  v("top_h", top_h);
  v.keeping("typical_p", typical_p);
  v("epsilon_cutoff", epsilon_cutoff);
  v("eta_cutoff", eta_cutoff);
  v("xtc_probability", xtc_probability);
  v.keeping("xtc_threshold", xtc_threshold);
  v("seed", seed);
  v.keeping("repetition_penalty", repetition_penalty);
  v.keeping("encoder_repetition_penalty", encoder_repetition_penalty);
  v("presence_penalty", presence_penalty);
  v("frequency_penalty", frequency_penalty);
  v("dry_multiplier", dry.multiplier);
  v.keeping("dry_base", dry.base);
  v.keeping("dry_allowed_length", dry.allowed_length);
  v("dry_penalty_last_n", dry.last_tokens);
  v("dry_sequence_breaker_ids", dry.breakers);
  v("no_repeat_ngram_size", no_repeat_ngram_size);
  v("encoder_no_repeat_ngram_size", encoder_no_repeat_ngram_size);
  v.with("bad_words_ids", bad_words_ids,
         [&](const Json& json, const auto& path) { bad_words_ids = phrases_of(json, path); });
  v.with("sequence_bias", sequence_bias, [&](const Json& json, const auto& path) {
    sequence_bias.clear();
    for (const Json& item : json.as_array(path)) sequence_bias.push_back(bias_of(item, path));
  });
  v("suppress_tokens", suppress_tokens);
  v("begin_suppress_tokens", begin_suppress_tokens);
  v("forced_bos_token_id", forced_bos_token_id);
  v("forced_eos_token_id", forced_eos_token_id);
  v.with("force_words_ids", force_words_ids, [&](const Json& json, const auto& path) {
    force_words_ids.clear();
    for (const Json& item : json.as_array(path)) force_words_ids.push_back(alternatives_of(item, path));
  });
  v.keeping("num_beams", num_beams);
  v.keeping("num_beam_groups", num_beam_groups);
  v("diversity_penalty", diversity_penalty);
  v.keeping("length_penalty", length_penalty);
  v.with("early_stopping", early_stopping,
         [&](const Json& json, const auto& path) { early_stopping = early_stopping_of(json, path); });
  v.keeping("num_return_sequences", num_return_sequences);
  v("penalty_alpha", penalty_alpha);
  v.keeping("guidance_scale", guidance_scale);
  v.with("negative_prompt_ids", negative_prompt_ids,
         [&](const Json& json, const auto& path) { negative_prompt_ids = phrases_of(json, path); });
  v("prompt_lookup_num_tokens", prompt_lookup_num_tokens);
  v.keeping("max_matching_ngram_size", max_matching_ngram_size);
  v.keeping("num_assistant_tokens", num_assistant_tokens);
  v("remove_invalid_values", remove_invalid_values);
  v("renormalize_logits", renormalize_logits);
  v.with("watermarking_config", watermarking,
         [&](const Json& json, const auto& path) { read_watermark(json, path, watermarking); });
  v("eos_token_id", eos_token_id);  // null: a text has no end token
  v.keeping("pad_token_id", pad_token_id);
  v.keeping("bos_token_id", bos_token_id);
  v("decoder_start_token_id", decoder_start_token_id);
  v("stop_strings", stop_strings);
  v.keeping("use_cache", use_cache);
  v.finish();
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
  std::error_code none;  // also where there is no file system
  if (!folder.empty() && std::filesystem::is_regular_file(file, none))
    config.update(Json::parse(read_text_file(file, std::uint64_t{1} << 24), file.string()), file.string());
  return config;
}

void GenerationConfig::validate() const {
  const auto require = [](bool fine, const auto&... text) {
    check(fine, ErrorCode::invalid_argument, "[generation] ", text...);
  };
  require(max_new_tokens >= 0 && max_length >= 0, "max_new_tokens and max_length must not be negative, got ",
          max_new_tokens, " and ", max_length);
  require(min_length >= 0 && min_new_tokens >= 0, "min_length and min_new_tokens must not be negative, got ",
          min_length, " and ", min_new_tokens);
  require(temperature > 0 || !do_sample, "temperature must be positive, got ", temperature,
          "; for the likeliest token set do_sample to false");
  require(top_k >= 0, "top_k must not be negative, got ", top_k);
  require(top_p > 0 && top_p <= 1, "top_p must lie in (0, 1], got ", top_p);
  require(repetition_penalty > 0, "repetition_penalty must be positive, got ", repetition_penalty);
  require(encoder_repetition_penalty > 0, "encoder_repetition_penalty must be positive, got ",
          encoder_repetition_penalty);
  require(num_beams >= 1 && num_return_sequences >= 1, "num_beams and num_return_sequences must be positive, got ",
          num_beams, " and ", num_return_sequences);
  require(num_beam_groups >= 1 && num_beams % num_beam_groups == 0, "num_beams, ", num_beams,
          ", must be a multiple of num_beam_groups, ", num_beam_groups);
  require(num_beams == 1 || num_return_sequences <= num_beams, "num_return_sequences, ", num_return_sequences,
          ", must not be above num_beams, ", num_beams);
  require(num_beams > 1 || num_return_sequences == 1 || do_sample, "greedy decoding gives one sequence, ",
          num_return_sequences, " were asked for");
  require(force_words_ids.empty() || (num_beams > 1 && !do_sample && num_beam_groups == 1),
          "force_words_ids needs num_beams above 1, without do_sample and without num_beam_groups");
  require(num_beam_groups == 1 || !do_sample, "num_beam_groups excludes do_sample");
  require(!penalty_alpha || (*penalty_alpha >= 0 && *penalty_alpha <= 1 && num_beams == 1 && !do_sample && top_k > 0),
          "penalty_alpha must lie in [0, 1] and needs top_k, without beams and do_sample");
  require(prompt_lookup_num_tokens >= 0 && max_matching_ngram_size >= 1 && num_assistant_tokens >= 1,
          "prompt_lookup_num_tokens must not be negative, max_matching_ngram_size and num_assistant_tokens must be "
          "positive");
}

}  // namespace trustformers
