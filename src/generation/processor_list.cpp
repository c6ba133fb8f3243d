#include "processor_list.h"

#include "processors/length.h"
#include "processors/numeric.h"
#include "processors/truncation.h"

namespace trustformers {
namespace {

template <class Processor, class... Arguments>
void add(LogitsProcessors& list, Arguments&&... arguments) {
  list.push_back(std::make_shared<Processor>(std::forward<Arguments>(arguments)...));
}

void add_penalties(LogitsProcessors& list, const GenerationConfig& c) {
  if (!c.sequence_bias.empty()) add<SequenceBias>(list, c.sequence_bias);
  if (c.encoder_repetition_penalty != 1) add<SourceRepetitionPenalty>(list, c.encoder_repetition_penalty);
  if (c.repetition_penalty != 1) add<RepetitionPenalty>(list, c.repetition_penalty);
  if (c.presence_penalty != 0 || c.frequency_penalty != 0)
    add<FrequencyPenalty>(list, c.presence_penalty, c.frequency_penalty);
  if (c.dry.multiplier != 0) add<Dry>(list, c.dry);
  if (c.no_repeat_ngram_size > 0) add<NoRepeatNgram>(list, c.no_repeat_ngram_size);
  if (c.encoder_no_repeat_ngram_size > 0) add<NoSourceNgram>(list, c.encoder_no_repeat_ngram_size);
  if (!c.bad_words_ids.empty()) add<SequenceBias>(list, bad_words(c.bad_words_ids, c.eos_token_id));
}

void add_rules(LogitsProcessors& list, const GenerationConfig& c, std::size_t prompt_length, std::size_t max_length) {
  if (c.min_length > 0) add<MinLength>(list, static_cast<std::size_t>(c.min_length), c.eos_token_id);
  if (c.min_new_tokens > 0)
    add<MinLength>(list, prompt_length + static_cast<std::size_t>(c.min_new_tokens), c.eos_token_id);
  if (c.prefix_allowed_tokens) add<PrefixConstraint>(list, c.prefix_allowed_tokens);
  if (c.forced_bos_token_id) add<ForceTokens>(list, std::vector{*c.forced_bos_token_id}, std::size_t{1});
  if (!c.forced_eos_token_id.empty() && max_length > 0) add<ForceTokens>(list, c.forced_eos_token_id, max_length - 1);
  if (c.remove_invalid_values) add<RemoveInvalid>(list);
  if (c.exponential_decay_length_penalty)
    add<LengthDecay>(list, prompt_length + static_cast<std::size_t>(c.exponential_decay_length_penalty->first),
                     c.exponential_decay_length_penalty->second, c.eos_token_id);
  if (!c.suppress_tokens.empty()) add<SuppressTokens>(list, c.suppress_tokens);
  if (!c.begin_suppress_tokens.empty())
    // A forced first token is not the first choice.
    add<SuppressTokens>(list, c.begin_suppress_tokens,
                        prompt_length + (prompt_length <= 1 && c.forced_bos_token_id ? 1 : 0));
}

void add_filters(LogitsProcessors& list, const GenerationConfig& c) {
  // Beams need a token besides the end tokens to go on with.
  const KeepRule keep{c.num_beams > 1 ? static_cast<std::int64_t>(c.eos_token_id.size()) + 1 : 1};
  if (c.temperature != 1) add<Temperature>(list, c.temperature);
  if (c.top_h) add<TopH>(list, *c.top_h);
  if (c.top_k > 0) add<TopK>(list, c.top_k, keep);
  if (c.top_p < 1) add<TopP>(list, c.top_p, keep);
  if (c.min_p) add<MinP>(list, *c.min_p, keep);
  if (c.typical_p < 1) add<TypicalP>(list, c.typical_p, keep);
  if (c.epsilon_cutoff > 0) add<EpsilonCutoff>(list, c.epsilon_cutoff, keep);
  if (c.eta_cutoff > 0) add<EtaCutoff>(list, c.eta_cutoff, keep);
  if (c.xtc_probability > 0) add<Xtc>(list, c.xtc_probability, c.xtc_threshold);
}

}  // namespace

LogitsProcessors make_logits_processors(const GenerationConfig& config, std::size_t prompt_length,
                                        std::size_t max_length) {
  LogitsProcessors list;
  add_penalties(list, config);
  add_rules(list, config, prompt_length, max_length);
  list.insert(list.end(), config.logits_processors.begin(), config.logits_processors.end());
  if (config.do_sample) add_filters(list, config);
  if (const auto* green = std::get_if<WatermarkSettings>(&config.watermarking)) add<Watermark>(list, *green);
  if (const auto* synth = std::get_if<SynthIdSettings>(&config.watermarking)) add<SynthIdWatermark>(list, *synth);
  if (config.renormalize_logits) add<Renormalize>(list);
  return list;
}

}  // namespace trustformers
