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

std::int64_t wanted_tokens(const GenerationConfig& config, std::int64_t prompt_length) {
  if (config.max_new_tokens > 0) return config.max_new_tokens;
  return config.max_length > 0 ? config.max_length - prompt_length : 20;
}

Prompt one_prompt(std::span<const std::int64_t> ids) {
  return {1, static_cast<std::int64_t>(ids.size()), {ids.begin(), ids.end()}, {}, {}, {{ids.begin(), ids.end()}}};
}

TokenSteps::TokenSteps(DecodingBatch& batch, const DecodeRequest& request)
    : batch_(batch),
      request_(request),
      chooser_(request.config, static_cast<std::size_t>(batch.prompt_length()),
               static_cast<std::size_t>(batch.prompt_length() + request.limit)),
      ended_(static_cast<std::size_t>(batch.batch()), 0),
      next_(static_cast<std::size_t>(batch.batch()), request.padding()) {}

std::span<const std::int64_t> TokenSteps::step() {
  if (!open_ || stats_.new_tokens >= request_.limit || !request_.may_go_on()) return {};
  const double start = request_.seconds();
  // A token without an alternative is read together with the next one that has some.
  const std::optional<std::int64_t> only =
      next_.size() == 1 ? chooser_.forced(batch_.state(0, request_.config.seed)) : std::nullopt;
  const std::span<float> scores = only ? std::span<float>() : batch_.scores();
  const auto width = static_cast<std::size_t>(batch_.vocabulary());
  open_ = false;
  for (std::size_t row = 0; row < next_.size(); ++row) {
    next_[row] = request_.padding();
    if (ended_[row]) continue;
    next_[row] =
        only ? *only
             : chooser_.choose(batch_.state(row, request_.config.seed + row), scores.subspan(row * width, width));
    ended_[row] = request_.ends(next_[row]);
  }
  batch_.append(next_);
  for (std::size_t row = 0; row < next_.size(); ++row) {
    ended_[row] = ended_[row] || request_.stops(batch_.state(row, request_.config.seed + row));
    open_ = open_ || !ended_[row];
  }
  // Time between steps is the caller's.
  (++stats_.new_tokens == 1 ? stats_.prefill_seconds : stats_.decode_seconds) += request_.seconds() - start;
  return next_;
}

GenerateStats decode_tokens(DecodingBatch& batch, const DecodeRequest& request) {
  TokenSteps steps(batch, request);
  for (auto tokens = steps.step(); !tokens.empty(); tokens = steps.step())
    if (request.on_tokens && !request.on_tokens(tokens)) break;
  return steps.stats();
}

}  // namespace trustformers
