// What generate() is told: Hugging Face's generation_config.json in C++, and what only a program can hand over.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "../base/json.h"
#include "logits_processor.h"
#include "processors/repetition.h"
#include "processors/watermark.h"
#include "processors/words.h"

namespace trustformers {

class Model;

/// When beam search is done: `heuristic` when no running beam can beat the worst finished one at its present length,
/// `first` as soon as there are num_beams finished ones, `never` when none could at any length. JSON: false, true,
/// "never".
enum class EarlyStopping { heuristic, first, never };

struct GenerationConfig {
  // How long.
  /// New tokens at most. 0: what max_length leaves, else 20 as in transformers.
  std::int64_t max_new_tokens = 0;
  /// Prompt and new tokens together at most; max_new_tokens goes before it.
  std::int64_t max_length = 0;
  std::int64_t min_length = 0;
  std::int64_t min_new_tokens = 0;
  /// Seconds after which no new step starts; 0: no limit.
  double max_time = 0;
  /// {start, factor}: from `start` new tokens on, end tokens gain |score| · (factor^n - 1).
  std::optional<std::pair<std::int64_t, double>> exponential_decay_length_penalty;

  // Sampling.
  /// Draw from the distribution instead of taking the likeliest token.
  bool do_sample = false;
  double temperature = 1;
  /// Keep the k likeliest tokens; 0: all.
  std::int64_t top_k = 50;
  /// Keep the smallest set of likeliest tokens with at least this probability (Holtzman et al. 2019); 1: all.
  double top_p = 1;
  std::optional<double> min_p;
  std::optional<double> top_h;
  double typical_p = 1;
  double epsilon_cutoff = 0;
  double eta_cutoff = 0;
  /// Not of transformers: "exclude top choices".
  double xtc_probability = 0;
  double xtc_threshold = 0.1;
  /// The same seed gives the same tokens, whatever the threads or the batch: row r of a batch draws as a request of its
  /// own with seed + r.
  std::uint64_t seed = 0;

  // Repetition.
  /// Scores of tokens seen before are divided by it when positive, multiplied when negative (Keskar et al. 2019).
  double repetition_penalty = 1;
  double encoder_repetition_penalty = 1;
  /// Not of transformers: taken from tokens that were generated, once and per occurrence (OpenAI's API).
  double presence_penalty = 0;
  double frequency_penalty = 0;
  /// Not of transformers; JSON: dry_multiplier, dry_base, dry_allowed_length, dry_penalty_last_n,
  /// dry_sequence_breaker_ids.
  DrySettings dry;
  std::int64_t no_repeat_ngram_size = 0;
  std::int64_t encoder_no_repeat_ngram_size = 0;

  // Words.
  std::vector<Phrase> bad_words_ids;
  std::vector<PhraseBias> sequence_bias;
  std::vector<std::int64_t> suppress_tokens;
  std::vector<std::int64_t> begin_suppress_tokens;
  /// The token after a single first one (the target language of translators).
  std::optional<std::int64_t> forced_bos_token_id;
  /// The last token when the length runs out.
  std::vector<std::int64_t> forced_eos_token_id;
  /// Each entry must come: one of its phrases. Needs beams.
  std::vector<std::vector<Phrase>> force_words_ids;

  // Beams.
  std::int64_t num_beams = 1;
  std::int64_t num_beam_groups = 1;
  double diversity_penalty = 0;
  double length_penalty = 1;
  EarlyStopping early_stopping = EarlyStopping::heuristic;
  std::int64_t num_return_sequences = 1;

  // Other ways of choosing.
  /// Contrastive search (Su et al. 2022): the weight of the degeneration penalty, with top_k candidates.
  std::optional<double> penalty_alpha;
  /// Classifier-free guidance; 1: none. Without a negative prompt the unconditional text starts at the prompt's last
  /// token.
  double guidance_scale = 1;
  std::vector<Phrase> negative_prompt_ids;
  /// Speculative decoding from the text itself: so many tokens that followed an earlier occurrence of its end.
  std::int64_t prompt_lookup_num_tokens = 0;
  std::int64_t max_matching_ngram_size = 2;
  /// Tokens a draft model proposes at once.
  std::int64_t num_assistant_tokens = 20;

  // Numbers.
  bool remove_invalid_values = false;
  bool renormalize_logits = false;
  std::variant<std::monostate, WatermarkSettings, SynthIdSettings> watermarking;

  // Tokens with a meaning.
  /// Any of them ends a sequence.
  std::vector<std::int64_t> eos_token_id;
  /// Fills rows of a batch that ended; the first eos when absent.
  std::optional<std::int64_t> pad_token_id;
  std::optional<std::int64_t> bos_token_id;
  /// What the decoder of an encoder-decoder starts with, one for all rows or one a row; the model's when empty.
  std::vector<std::int64_t> decoder_start_token_id;
  /// Texts that end a sequence; for text generation, where a tokenizer is at hand.
  std::vector<std::string> stop_strings;
  bool use_cache = true;

  // What no file can say.
  /// The user's own processors, run after the named ones and before the sampler's filters.
  LogitsProcessors logits_processors;
  AllowedTokens prefix_allowed_tokens;
  /// A draft model of the same vocabulary whose proposals the model checks (Leviathan et al. 2022): the same law, fewer
  /// passes. One prompt at a time.
  const Model* assistant = nullptr;
  /// Proposals of other make, num_assistant_tokens at once, that the model checks: the very tokens of plain decoding
  /// with the same seed, fewer passes. One prompt at a time.
  DraftSource draft;
  /// A sequence, or a beam, ends where one of them holds.
  std::vector<StopRule> stopping;

  /// Sets the members that `settings` names, in transformers' words. A setting that would change the result and is not
  /// supported is an error naming it (unsupported); so is a word that transformers does not know (invalid_argument).
  void update(const Json& settings, std::string_view where = "generation_config.json");
  /// generation_config.json of a folder over the defaults that the model's config gives; either may be absent.
  static GenerationConfig from_pretrained(const std::filesystem::path& folder, const Json& model_config);
  /// Throws invalid_argument for values outside their ranges, and for settings that exclude each other.
  void validate() const;
};

}  // namespace trustformers
