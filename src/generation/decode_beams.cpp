#include <algorithm>
#include <limits>

#include "beam_search.h"
#include "processor_list.h"
#include "processors/score_math.h"
#include "sampler.h"
#include "strategies.h"

namespace trustformers {
namespace {

/// Several beams for each prompt: the rows [prompt · num_beams, (prompt + 1) · num_beams) of the batch, in groups.
class Beams {
 public:
  Beams(DecodingBatch& batch, const DecodeRequest& request)
      : batch_(batch),
        request_(request),
        config_(request.config),
        words_(config_.force_words_ids),
        prompts_(batch.batch()),
        group_beams_(config_.num_beams / config_.num_beam_groups) {
    const auto length = static_cast<std::size_t>(batch.prompt_length());
    processors_ = make_logits_processors(config_, length, length + static_cast<std::size_t>(request.limit));
    for (std::int64_t i = 0; i < prompts_ * config_.num_beam_groups; ++i)
      searches_.emplace_back(config_, group_beams_, request.limit, words_);
  }

  GenerateOutput run() {
    GenerateStats stats;
    std::span<float> scores = batch_.scores();
    const auto width = static_cast<std::size_t>(batch_.vocabulary());
    // The prompts were read once; their beams part from here.
    std::vector<float> first;
    for (std::int64_t row = 0; row < prompts_ * config_.num_beams; ++row) {
      parents_.push_back(row / config_.num_beams);
      const auto one = scores.subspan(static_cast<std::size_t>(parents_.back()) * width, width);
      first.insert(first.end(), one.begin(), one.end());
    }
    batch_.select_rows(parents_);
    batch_.reserve(batch_.length() + request_.limit);
    scores = first;
    while (stats.new_tokens < request_.limit && request_.may_go_on()) {
      const bool open = step(scores, width);
      if (++stats.new_tokens == 1) stats.prefill_seconds = request_.seconds();
      if (!open) break;
      batch_.select_rows(parents_);
      batch_.append(tokens_);
      scores = batch_.scores();
    }
    stats.decode_seconds = request_.seconds() - stats.prefill_seconds;
    return output(stats);
  }

 private:
  /// One step of all searches; fills parents_ and tokens_. False when all are done.
  bool step(std::span<float> scores, std::size_t width) {
    const auto rows = static_cast<std::size_t>(batch_.batch());
    parents_.resize(rows);
    tokens_.resize(rows);
    texts_.clear();
    for (std::size_t row = 0; row < rows; ++row) {
      const auto one = scores.subspan(row * width, width);
      const RowState state = batch_.state(row, config_.seed + batch_.prompt_of(row));
      if (!config_.remove_invalid_values) check_scores(one, state.step());
      log_softmax_in_place(one);
      process_scores(processors_, state, one);
      texts_.emplace_back(state.ids);
    }
    bool open = false;
    for (std::int64_t prompt = 0; prompt < prompts_; ++prompt) {
      std::vector<std::int64_t> taken;  // by the groups before
      for (std::int64_t group = 0; group < config_.num_beam_groups; ++group) {
        BeamSearch& search = searches_[static_cast<std::size_t>(prompt * config_.num_beam_groups + group)];
        const std::int64_t base = prompt * config_.num_beams + group * group_beams_;
        advance(search, static_cast<std::size_t>(base), scores, width, taken, static_cast<std::uint64_t>(group));
        open = open || !search.done();
      }
    }
    return open;
  }

  void advance(BeamSearch& search, std::size_t base, std::span<float> scores, std::size_t width,
               std::vector<std::int64_t>& taken, std::uint64_t group) {
    const auto count = static_cast<std::size_t>(group_beams_);
    if (search.done()) {  // its rows go on for the others' sake
      for (std::size_t b = base; b < base + count; ++b) {
        parents_[b] = static_cast<std::int64_t>(b);
        tokens_[b] = request_.padding();
      }
      return;
    }
    const auto mine = scores.subspan(base * width, count * width);
    for (std::size_t b = 0; b < count; ++b)
      for (const std::int64_t token : taken)
        mine[b * width + static_cast<std::size_t>(token)] -= static_cast<float>(config_.diversity_penalty);
    const std::uint64_t seed = config_.seed + batch_.prompt_of(base);
    const auto stops = [&](const BeamCandidate& candidate) {
      if (config_.stopping.empty()) return false;
      const std::size_t row = base + static_cast<std::size_t>(candidate.beam);
      longer_.assign(texts_[row].begin(), texts_[row].end());
      longer_.push_back(candidate.token);
      RowState state = batch_.state(row, seed);
      state.ids = longer_;
      return request_.stops(state);
    };
    const auto& chosen = search.step(mine, std::span(texts_).subspan(base, count), batch_.prompt_length(), seed,
                                     beam_stream + group, stops);
    for (std::size_t b = 0; b < count; ++b) {
      parents_[base + b] = static_cast<std::int64_t>(base) + chosen[b].beam;
      tokens_[base + b] = chosen[b].token;
      taken.push_back(chosen[b].token);
    }
  }

  /// The finished beams of a prompt's groups, best first; running ones where time ran out before any finished.
  std::vector<FinishedBeam> best_of(std::int64_t prompt) const {
    std::vector<FinishedBeam> all;
    for (std::int64_t group = 0; group < config_.num_beam_groups; ++group) {
      const auto& found = searches_[static_cast<std::size_t>(prompt * config_.num_beam_groups + group)].finished();
      all.insert(all.end(), found.begin(), found.end());
    }
    sort_falling(all, [](const FinishedBeam& beam) { return beam.score; });
    const auto wanted = static_cast<std::size_t>(config_.num_return_sequences);
    for (std::int64_t b = 0; b < config_.num_beams && all.size() < wanted; ++b)
      all.push_back({-std::numeric_limits<float>::infinity(),
                     batch_.ids(static_cast<std::size_t>(prompt * config_.num_beams + b))});
    all.resize(wanted);
    return all;
  }

  GenerateOutput output(const GenerateStats& stats) const {
    std::vector<FinishedBeam> rows;
    for (std::int64_t prompt = 0; prompt < prompts_; ++prompt)
      for (FinishedBeam& beam : best_of(prompt)) rows.push_back(std::move(beam));
    std::size_t length = 0;
    for (const FinishedBeam& beam : rows) length = std::max(length, beam.ids.size());
    // As transformers has it, beams are filled with the end token where the padding's id is 0.
    const std::int64_t padding = request_.padding();
    const std::int64_t filler = padding == 0 && !config_.eos_token_id.empty() ? config_.eos_token_id[0] : padding;
    std::vector<std::int64_t> ids;
    std::vector<float> scores;
    for (const FinishedBeam& beam : rows) {
      ids.insert(ids.end(), beam.ids.begin(), beam.ids.end());
      ids.insert(ids.end(), length - beam.ids.size(), filler);
      scores.push_back(beam.score);
    }
    const auto count = static_cast<std::int64_t>(rows.size());
    hand_out(ids, rows.size(), length);
    return {Tensor::from(ids, {count, static_cast<std::int64_t>(length)}), Tensor::from(scores, {count}), stats};
  }

  /// The new tokens [rows, length] to the caller, a column at a time.
  void hand_out(const std::vector<std::int64_t>& ids, std::size_t rows, std::size_t length) const {
    if (!request_.on_tokens) return;
    std::vector<std::int64_t> column(rows);
    for (auto at = static_cast<std::size_t>(batch_.prompt_length()); at < length; ++at) {
      for (std::size_t row = 0; row < rows; ++row) column[row] = ids[row * length + at];
      if (!request_.on_tokens(column)) return;
    }
  }

  /// Streams of random numbers from here on belong to groups of beams.
  static constexpr std::uint64_t beam_stream = 16;

  DecodingBatch& batch_;
  const DecodeRequest& request_;
  const GenerationConfig& config_;
  WordConstraints words_;
  std::int64_t prompts_, group_beams_;
  LogitsProcessors processors_;
  std::vector<BeamSearch> searches_;
  std::vector<std::int64_t> parents_, tokens_, longer_;
  std::vector<std::span<const std::int64_t>> texts_;
};

}  // namespace

GenerateOutput decode_beams(DecodingBatch& batch, const DecodeRequest& request) { return Beams(batch, request).run(); }

}  // namespace trustformers
