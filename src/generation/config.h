// What generate() is told: Hugging Face's generation_config.json in C++.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../base/json.h"

namespace trustformers {

struct GenerationConfig {
  /// New tokens at most. 0: what max_length leaves, else 20 as in transformers.
  std::int64_t max_new_tokens = 0;
  /// Prompt and new tokens together at most; max_new_tokens goes before it.
  std::int64_t max_length = 0;
  /// Draw from the distribution instead of taking the likeliest token.
  bool do_sample = false;
  double temperature = 1;
  /// Keep the k likeliest tokens; 0: all.
  std::int64_t top_k = 50;
  /// Keep the smallest set of likeliest tokens with at least this probability (Holtzman et al. 2019); 1: all.
  double top_p = 1;
  /// Scores of tokens seen before are divided by it when positive, multiplied when negative (Keskar et al. 2019).
  double repetition_penalty = 1;
  /// Any of them ends a sequence.
  std::vector<std::int64_t> eos_token_id;
  /// Fills rows of a batch that ended; the first eos when absent.
  std::optional<std::int64_t> pad_token_id;
  std::optional<std::int64_t> bos_token_id;
  /// What the decoder of an encoder-decoder starts with, one for all rows or one a row; the model's when empty.
  std::vector<std::int64_t> decoder_start_token_id;
  /// The token after a single first one (the target language of translators).
  std::optional<std::int64_t> forced_bos_token_id;
  /// The last token when the length runs out.
  std::vector<std::int64_t> forced_eos_token_id;
  /// Texts that end a sequence; for text generation, where a tokenizer is at hand.
  std::vector<std::string> stop_strings;
  /// The same seed gives the same tokens, whatever the threads or the batch.
  std::uint64_t seed = 0;
  bool use_cache = true;

  /// Sets the members that `settings` names, in transformers' words. A setting that would change the result and is not
  /// supported is an error naming it (unsupported); so is a word that transformers does not know (invalid_argument).
  void update(const Json& settings, std::string_view where = "generation_config.json");
  /// generation_config.json of a folder over the defaults that the model's config gives; either may be absent.
  static GenerationConfig from_pretrained(const std::filesystem::path& folder, const Json& model_config);
  /// Throws invalid_argument for values outside their ranges.
  void validate() const;
};

}  // namespace trustformers
