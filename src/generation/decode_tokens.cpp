#include <algorithm>
#include <optional>

#include "sampler.h"
#include "strategies.h"

namespace trustformers {

bool DecodeRequest::ends(std::int64_t token) const {
  return std::find(config.eos_token_id.begin(), config.eos_token_id.end(), token) != config.eos_token_id.end();
}

std::int64_t DecodeRequest::padding() const {
  return config.pad_token_id ? *config.pad_token_id : config.eos_token_id.empty() ? 0 : config.eos_token_id[0];
}

GenerateStats decode_tokens(DecodingBatch& batch, const DecodeRequest& request) {
  const auto prompt_length = static_cast<std::size_t>(batch.prompt_length());
  TokenChooser chooser(request.config, prompt_length, prompt_length + static_cast<std::size_t>(request.limit));
  const auto rows = static_cast<std::size_t>(batch.batch());
  std::vector<std::uint8_t> ended(rows, 0);
  std::vector<std::int64_t> next(rows, request.padding());
  GenerateStats stats;
  for (bool open = true; open && stats.new_tokens < request.limit && request.may_go_on();) {
    // A token without an alternative is read together with the next one that has some.
    const std::optional<std::int64_t> only =
        rows == 1 ? chooser.forced(batch.state(0, request.config.seed)) : std::nullopt;
    const std::span<float> scores = only ? std::span<float>() : batch.scores();
    const auto width = static_cast<std::size_t>(batch.vocabulary());
    open = false;
    for (std::size_t row = 0; row < rows; ++row) {
      next[row] = request.padding();
      if (ended[row]) continue;
      next[row] = only
                      ? *only
                      : chooser.choose(batch.state(row, request.config.seed + row), scores.subspan(row * width, width));
      ended[row] = request.ends(next[row]);
      open = open || !ended[row];
    }
    batch.append(next);
    if (++stats.new_tokens == 1) stats.prefill_seconds = request.seconds();
    if (request.on_tokens && !request.on_tokens(next)) break;
  }
  stats.decode_seconds = request.seconds() - stats.prefill_seconds;
  return stats;
}

}  // namespace trustformers
