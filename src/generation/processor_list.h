// The processors that a config asks for.
#pragma once

#include "config.h"

namespace trustformers {

/// In transformers' order: biases, penalties, bans, lengths, forced tokens, the user's own, then the sampler's filters,
/// watermark and renormalisation. `prompt_length` counts padding; `max_length` is where a forced end token comes.
LogitsProcessors make_logits_processors(const GenerationConfig& config, std::size_t prompt_length,
                                        std::size_t max_length);

inline void process_scores(const LogitsProcessors& processors, const RowState& row, std::span<float> scores) {
  for (const auto& processor : processors) processor->process(row, scores);
}

}  // namespace trustformers
