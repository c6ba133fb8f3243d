// Whisper's grammar of timestamps (Radford et al. 2022): they come in pairs, never go back, and one is taken when
// together they are likelier than any text token.
#pragma once

#include <optional>

#include "../logits_processor.h"

namespace trustformers {

class WhisperTimestamps final : public LogitsProcessor {
 public:
  /// Timestamps are the tokens after `no_timestamps`; `begin` is the length of what comes before them; the first one is
  /// at most `max_initial` after the first possible.
  WhisperTimestamps(std::int64_t no_timestamps, std::int64_t eos, std::size_t begin,
                    std::optional<std::int64_t> max_initial);
  void process(const RowState& row, std::span<float> scores) override;

 private:
  std::size_t no_timestamps_, eos_, begin_;
  std::optional<std::int64_t> max_initial_;
};

}  // namespace trustformers
