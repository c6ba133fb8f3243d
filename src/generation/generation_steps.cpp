#include "generation_steps.h"

#include "../tensor/op.h"

namespace trustformers {

GenerationSteps::GenerationSteps(const Model& model, const ModelInputs& inputs, GenerationConfig config,
                                 CancelToken cancel)
    : model_(model), inputs_(inputs), config_(std::move(config)), cancel_(std::move(cancel)) {
  config_.validate();
  if (!by_token()) return;
  const NoGrad quiet;
  Prompt prompt = make_prompt(model, inputs, config_);
  stats_.prompt_tokens = prompt.length;
  batch_.emplace(model, std::move(prompt), config_.use_cache ? &cache_ : nullptr);
  request_.emplace(
      DecodeRequest{config_, batch_->room(wanted_tokens(config_, stats_.prompt_tokens)), nobody_, &cancel_});
  batch_->reserve(batch_->length() + request_->limit);
  steps_.emplace(*batch_, *request_);
}

GenerationSteps::GenerationSteps(Session& session, std::span<const std::int64_t> prompt, GenerationConfig config,
                                 CancelToken cancel)
    : model_(session.model_),
      session_(&session),
      prompt_(prompt.begin(), prompt.end()),
      config_(std::move(config)),
      cancel_(std::move(cancel)) {
  stats_.reused_tokens = session.reuse(prompt, config_);
  stats_.prompt_tokens = static_cast<std::int64_t>(prompt.size());
  if (!by_token()) return;
  const NoGrad quiet;
  batch_.emplace(model_, one_prompt(prompt), config_.use_cache ? &session.cache_ : nullptr, stats_.reused_tokens);
  request_.emplace(
      DecodeRequest{config_, batch_->room(wanted_tokens(config_, stats_.prompt_tokens)), nobody_, &cancel_});
  batch_->reserve(batch_->length() + request_->limit);
  steps_.emplace(*batch_, *request_);
}

bool GenerationSteps::by_token() const {
  return config_.num_beams == 1 && config_.num_return_sequences == 1 && config_.guidance_scale == 1 &&
         !is_speculative(config_) && !config_.penalty_alpha;
}

void GenerationSteps::run_whole() {
  ran_ = true;
  if (session_) {
    all_ = prompt_;
    const std::vector<std::int64_t> tokens = session_->generate(prompt_, config_, {}, &cancel_);
    all_.insert(all_.end(), tokens.begin(), tokens.end());
    rows_ = 1;
    length_ = static_cast<std::int64_t>(all_.size());
    stats_ = session_->stats();
  } else {
    const GenerateOutput out = generate(model_, inputs_, config_, {}, &cancel_);
    all_ = out.sequences.to_vector<std::int64_t>();
    rows_ = out.sequences.size(0);
    length_ = out.sequences.size(1);
    stats_ = out.stats;
  }
  given_ = stats_.prompt_tokens;
}

std::span<const std::int64_t> GenerationSteps::next_column() {
  if (!ran_) run_whole();
  if (given_ >= length_) return {};
  column_.resize(static_cast<std::size_t>(rows_));
  for (std::int64_t row = 0; row < rows_; ++row)
    column_[static_cast<std::size_t>(row)] = all_[static_cast<std::size_t>(row * length_ + given_)];
  ++given_;
  return column_;
}

std::span<const std::int64_t> GenerationSteps::step() {
  if (stopped_) return {};
  try {
    const NoGrad quiet;
    const std::span<const std::int64_t> tokens = steps_ ? steps_->step() : next_column();
    if (steps_) {
      const std::int64_t prompt = stats_.prompt_tokens, reused = stats_.reused_tokens;
      stats_ = steps_->stats();
      stats_.prompt_tokens = prompt;
      stats_.reused_tokens = reused;
    }
    if (tokens.empty()) stop();
    return tokens;
  } catch (...) {
    // A pass that broke off may have written half of its keys and values.
    if (session_ && steps_) session_->truncate(std::min(session_->cache_.length(), stats_.reused_tokens));
    session_ = nullptr;
    stopped_ = true;
    throw;
  }
}

void GenerationSteps::stop() {
  if (session_ && batch_ && !stopped_) session_->remember(batch_->ids(0));
  stopped_ = true;
}

Tensor GenerationSteps::sequences() const {
  if (!steps_) {
    check(ran_, ErrorCode::invalid_argument, "[generate] no step was made");
    std::vector<std::int64_t> out;
    for (std::int64_t row = 0; row < rows_; ++row)
      out.insert(out.end(), all_.data() + row * length_, all_.data() + row * length_ + given_);
    return Tensor::from(out, {rows_, given_});
  }
  std::vector<std::int64_t> out;
  for (std::int64_t row = 0; row < batch_->batch(); ++row) {
    const auto& ids = batch_->ids(static_cast<std::size_t>(row));
    out.insert(out.end(), ids.begin(), ids.end());
  }
  return Tensor::from(out, {batch_->batch(), batch_->length()});
}

}  // namespace trustformers
