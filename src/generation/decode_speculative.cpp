#include <algorithm>
#include <memory>
#include <optional>

#include "../base/rng.h"
#include "processor_list.h"
#include "sampler.h"
#include "speculative.h"
#include "strategies.h"

namespace trustformers {
namespace {

/// Streams of random numbers: whether a drafted token is kept, and what the draft draws.
constexpr std::uint64_t keep_stream = 2, draft_stream = 3;

/// Proposals, and the laws that drew them where they were drawn.
struct Draft {
  std::vector<std::int64_t> tokens;
  std::vector<std::vector<double>> laws;
};

/// A smaller model that reads the same text.
class DraftModel {
 public:
  DraftModel(const Model& model, const DecodingBatch& text, const DecodeRequest& request)
      : request_(request), processors_(processors_of(text, request)) {
    Prompt prompt{1, text.prompt_length(), {}, {}, {}, {}};
    const auto& ids = text.ids(0);
    const RowState state = text.state(0, 0);
    prompt.ids.assign(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(text.prompt_length()));
    if (state.padding > 0) {
      prompt.mask.assign(prompt.ids.size(), 1);
      std::fill_n(prompt.mask.begin(), state.padding, std::uint8_t{0});
    }
    prompt.sources.emplace_back(state.source.begin(), state.source.end());
    batch_.emplace(model, std::move(prompt), &cache_);
    batch_->reserve(text.prompt_length() + request.limit);
  }

  void propose(const DecodingBatch& text, std::int64_t count, Draft& draft) {
    follow(text);
    const GenerationConfig& config = request_.config;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::span<float> scores = batch_->scores();
      check(batch_->vocabulary() == text.vocabulary() || text.vocabulary() == 0, ErrorCode::unsupported,
            "[generate] the assistant has ", batch_->vocabulary(), " tokens, the model ", text.vocabulary());
      const RowState state = batch_->state(0, config.seed);
      process_scores(processors_, state, scores);
      std::int64_t token = argmax_token(scores);
      if (config.do_sample) {
        law_of(scores, draft.laws.emplace_back());
        token = draw(draft.laws.back(), Philox(config.seed, draft_stream).uniform_double(state.step()));
      }
      draft.tokens.push_back(token);
      batch_->append(std::span(&token, 1));
      if (request_.ends(token)) break;
    }
  }

 private:
  static LogitsProcessors processors_of(const DecodingBatch& text, const DecodeRequest& request) {
    const auto length = static_cast<std::size_t>(text.prompt_length());
    return make_logits_processors(request.config, length, length + static_cast<std::size_t>(request.limit));
  }
  /// Forgets proposals that were not kept and takes over what was chosen instead.
  void follow(const DecodingBatch& text) {
    const auto& ids = text.ids(0);
    const auto& mine = batch_->ids(0);
    const auto same = std::mismatch(mine.begin(), mine.end(), ids.begin(), ids.end()).first - mine.begin();
    batch_->truncate(same);
    for (std::size_t i = static_cast<std::size_t>(same); i < ids.size(); ++i) batch_->append(std::span(&ids[i], 1));
  }

  const DecodeRequest& request_;
  LogitsProcessors processors_;
  KVCache cache_;
  std::optional<DecodingBatch> batch_;
};

/// What the caller's source proposes; a token that the model does not have ends it.
std::vector<std::int64_t> proposals(const GenerationConfig& config, const RowState& text, std::int64_t count,
                                    std::int64_t vocabulary) {
  std::vector<std::int64_t> out = config.draft(text, count);
  const auto wrong = [&](std::int64_t token) { return token < 0 || token >= vocabulary; };
  out.erase(std::find_if(out.begin(), out.end(), wrong), out.end());
  if (static_cast<std::int64_t>(out.size()) > count) out.resize(static_cast<std::size_t>(count));
  return out;
}

/// The next token by the drafted one: itself, or what stands in for it.
std::int64_t check_drafted(const RowState& state, std::span<const float> scores, std::int64_t token,
                           std::span<const double> draft_law) {
  std::vector<double> law, rest;
  law_of(scores, law);
  if (Philox(state.seed, keep_stream).uniform_double(state.step()) < acceptance(law, draft_law, token)) return token;
  residual_law(law, draft_law, rest);
  return draw(rest, Philox(state.seed).uniform_double(state.step()));
}

}  // namespace

GenerateStats decode_speculative(DecodingBatch& batch, const Model& model, const DecodeRequest& request) {
  const GenerationConfig& config = request.config;
  check(batch.batch() == 1, ErrorCode::unsupported, "[generate] speculative decoding takes one prompt, got ",
        batch.batch());
  check(!config.assistant || (!model.is_encoder_decoder() && !config.assistant->is_encoder_decoder()),
        ErrorCode::unsupported, "[generate] an assistant drafts for decoders only");
  const auto prompt_length = static_cast<std::size_t>(batch.prompt_length());
  TokenChooser chooser(config, prompt_length, prompt_length + static_cast<std::size_t>(request.limit));
  std::optional<DraftModel> assistant;
  if (config.assistant) assistant.emplace(*config.assistant, batch, request);
  GenerateStats stats;
  for (bool open = true; open && stats.new_tokens < request.limit && request.may_go_on();) {
    const std::int64_t length = batch.length(), left = request.limit - stats.new_tokens;
    Draft draft;
    if (assistant)
      assistant->propose(batch, std::min(config.num_assistant_tokens, left - 1), draft);
    else if (left > 1 && config.draft)
      draft.tokens = proposals(config, batch.state(0, config.seed), std::min(config.num_assistant_tokens, left - 1),
                               model.common().vocab_size);
    else if (left > 1)
      draft.tokens = look_up_continuation(batch.state(0, 0).tokens(), config.max_matching_ngram_size,
                                          std::min(config.prompt_lookup_num_tokens, left - 1));
    for (const std::int64_t token : draft.tokens) batch.append(std::span(&token, 1));
    const auto count = static_cast<std::int64_t>(draft.tokens.size());
    const std::span<float> scores = batch.scores(count + 1);
    const auto width = static_cast<std::size_t>(batch.vocabulary());
    for (std::int64_t i = 0; i <= count && open; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const std::span<float> one = scores.subspan(at * width, width);
      RowState state = batch.state(0, config.seed);
      state.ids = state.ids.first(static_cast<std::size_t>(length + i));
      std::int64_t token = 0;
      if (i < count && !draft.laws.empty()) {
        if (!config.remove_invalid_values) check_scores(one, state.step());
        process_scores(chooser.processors(), state, one);
        token = check_drafted(state, one, draft.tokens[at], draft.laws[at]);
      } else {
        // A draft that is not random is kept where the model chooses the same: the very tokens of plain decoding.
        token = chooser.choose(state, one);
      }
      const bool kept = i < count && token == draft.tokens[at];
      if (!kept) {
        batch.truncate(length + i);
        batch.append(std::span(&token, 1));
      }
      if (++stats.new_tokens == 1) stats.prefill_seconds = request.seconds();
      state.ids = batch.state(0, config.seed).ids.first(static_cast<std::size_t>(length + i + 1));
      open = !request.ends(token) && !request.stops(state) &&
             (!request.on_tokens || request.on_tokens(std::span(&token, 1)));
      if (!open && kept) batch.truncate(length + i + 1);
      if (!kept) break;
    }
  }
  stats.decode_seconds = request.seconds() - stats.prefill_seconds;
  return stats;
}

}  // namespace trustformers
