#include "text_stream.h"

#include <algorithm>

namespace trustformers {
namespace {

GenerationConfig without_stop_strings(GenerationConfig config) {
  config.stop_strings.clear();
  check(config.num_beams == 1 && config.num_return_sequences == 1, ErrorCode::unsupported,
        "[stream] beams and several sequences are known at their end only, and so cannot be streamed");
  return config;
}

}  // namespace

StopStrings::StopStrings(std::vector<std::string> strings, std::string_view prompt) : strings_(std::move(strings)) {
  std::erase(strings_, std::string());
  for (const std::string& s : strings_) longest_ = std::max(longest_, s.size());
  if (longest_ > 0) tail_ = prompt.substr(prompt.size() - std::min(prompt.size(), longest_ - 1));
}

bool StopStrings::ends_in(std::string_view piece) {
  if (strings_.empty()) return false;
  const std::size_t before = tail_.size();
  tail_ += piece;
  bool found = false;
  for (const std::string& s : strings_) {
    // the first place from where it would reach into the piece
    const std::size_t from = before + 1 > s.size() ? before + 1 - s.size() : 0;
    found = found || tail_.find(s, from) != std::string::npos;
  }
  tail_.erase(0, tail_.size() - std::min(tail_.size(), longest_ - 1));
  return found;
}

TextStream::TextStream(Setup setup)
    : model_(std::move(setup.model)),
      session_(std::move(setup.session)),
      record_(std::move(setup.record)),
      start_(std::move(setup.start)),
      decoder_(setup.tokenizer.tokenizer(), setup.skip_special_tokens),
      stop_strings_(setup.config.stop_strings, setup.prompt) {
  GenerationConfig config = without_stop_strings(setup.config);
  if (session_)
    steps_ = std::make_unique<GenerationSteps>(*session_, setup.inputs.input_ids.to_vector<std::int64_t>(),
                                               std::move(config), std::move(setup.cancel));
  else
    steps_ =
        std::make_unique<GenerationSteps>(model_.model(), setup.inputs, std::move(config), std::move(setup.cancel));
  for (const std::int64_t token : start_)
    if (const auto piece = decoder_.push(static_cast<TokenId>(token))) text_ += *piece;
}

std::optional<std::string> TextStream::hand_out(std::string piece) {
  text_ += piece;
  return piece;
}

std::optional<std::string> TextStream::step() {
  // What the start tokens gave, if anything, comes first.
  if (tokens_.empty() && !text_.empty() && !finished_) return hand_out(std::exchange(text_, {}));
  if (finished_) return std::nullopt;
  const std::span<const std::int64_t> step = stopped_ ? std::span<const std::int64_t>() : steps_->step();
  if (step.empty()) {
    finished_ = true;
    steps_->stop();
    std::string rest = decoder_.finish();
    if (rest.empty()) return std::nullopt;
    return hand_out(std::move(rest));
  }
  tokens_.push_back(step[0]);
  std::string piece = decoder_.push(static_cast<TokenId>(step[0])).value_or("");
  if (!piece.empty()) stopped_ = stop_strings_.ends_in(piece);
  return hand_out(std::move(piece));
}

std::optional<std::string> TextStream::next() {
  std::optional<std::string> piece = step();
  while (piece && piece->empty()) piece = step();
  return piece;
}

void TextStream::stop() { stopped_ = true; }

Json TextStream::result() const {
  check(record_ != nullptr, ErrorCode::unsupported, "[stream] a text of no pipeline has no result");
  std::vector<std::int64_t> sequence = start_;
  if (model_.model().is_encoder_decoder())
    sequence = steps_->sequences().to_vector<std::int64_t>();
  else
    sequence.insert(sequence.end(), tokens_.begin(), tokens_.end());
  return Json::Array{record_(sequence)};
}

}  // namespace trustformers
