#include "beam_search.h"

#include <algorithm>
#include <cmath>

#include "../base/error.h"
#include "../base/rng.h"
#include "processors/score_math.h"

namespace trustformers {
namespace {

/// The score of beams that stand for nothing, as in transformers.
constexpr float nobody = -1e9F;

}  // namespace

BeamSearch::BeamSearch(const GenerationConfig& config, std::int64_t beams, std::int64_t limit,
                       const WordConstraints& words)
    : config_(config), words_(words), beams_(beams), limit_(limit), scores_(static_cast<std::size_t>(beams), nobody) {
  scores_[0] = 0;  // all beams start equal, so only one may be continued
  check(words.empty() || words.total() <= limit, ErrorCode::invalid_argument,
        "[generate] the words of force_words_ids have ", words.total(), " tokens, only ", limit, " may come");
}

const std::vector<BeamCandidate>& BeamSearch::step(std::span<float> log_probs,
                                                   std::span<const std::span<const std::int64_t>> texts,
                                                   std::int64_t prompt_length, std::uint64_t seed, std::uint64_t stream,
                                                   Stops stops) {
  const auto vocabulary = static_cast<std::int64_t>(log_probs.size()) / beams_;
  const std::int64_t generated = static_cast<std::int64_t>(texts[0].size()) - prompt_length;
  for (std::int64_t b = 0; b < beams_; ++b)
    for (float& s : log_probs.subspan(static_cast<std::size_t>(b * vocabulary), static_cast<std::size_t>(vocabulary)))
      s += scores_[static_cast<std::size_t>(b)];
  list_candidates(log_probs, vocabulary, seed, stream, static_cast<std::uint64_t>(generated));
  const bool last = generated + 1 >= limit_;
  for (Ranked& c : candidates_)
    c.ends =
        last ||
        std::find(config_.eos_token_id.begin(), config_.eos_token_id.end(), c.token) != config_.eos_token_id.end() ||
        stops(c);
  if (!words_.empty()) add_word_candidates(log_probs, vocabulary, texts, prompt_length, stops);
  finish(texts, generated + 1);
  choose_running();
  done_ = exhausted_ || !may_improve(generated + 1);
  running_.resize(static_cast<std::size_t>(beams_), running_.empty()
                                                        ? BeamCandidate{nobody, 0, 0}
                                                        : BeamCandidate{nobody, running_[0].beam, running_[0].token});
  for (std::size_t b = 0; b < running_.size(); ++b) scores_[b] = running_[b].score;
  return running_;
}

void BeamSearch::list_candidates(std::span<const float> totals, std::int64_t vocabulary, std::uint64_t seed,
                                 std::uint64_t stream, std::uint64_t step) {
  // Enough that num_beams go on even if every end token is among the best.
  const std::int64_t wanted =
      std::max<std::int64_t>(2, 1 + static_cast<std::int64_t>(config_.eos_token_id.size())) * beams_;
  order_.clear();
  for (std::size_t i = 0; i < totals.size(); ++i)
    if (totals[i] != minus_infinity) order_.push_back(static_cast<std::int64_t>(i));
  const auto count = std::min(static_cast<std::ptrdiff_t>(wanted), static_cast<std::ptrdiff_t>(order_.size()));
  const auto value = [&](std::int64_t i) { return totals[static_cast<std::size_t>(i)]; };
  if (config_.do_sample) {
    // The largest of score + Gumbel noise are draws without replacement (Vieira 2014).
    const Philox random(seed, stream);
    std::vector<double> keys(totals.size());
    for (const std::int64_t i : order_) {
      const double u = 1 - random.uniform_double(step * totals.size() + static_cast<std::uint64_t>(i));
      keys[static_cast<std::size_t>(i)] = value(i) - std::log(-std::log(u));
    }
    std::partial_sort(order_.begin(), order_.begin() + count, order_.end(), [&](std::int64_t a, std::int64_t b) {
      return keys[static_cast<std::size_t>(a)] > keys[static_cast<std::size_t>(b)];
    });
  } else {
    std::partial_sort(order_.begin(), order_.begin() + count, order_.end(), [&](std::int64_t a, std::int64_t b) {
      return value(a) != value(b) ? value(a) > value(b) : a < b;
    });
  }
  candidates_.clear();
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const std::int64_t at = order_[static_cast<std::size_t>(i)];
    candidates_.push_back({{value(at), at / vocabulary, at % vocabulary}, false, 0});
  }
}

void BeamSearch::add_word_candidates(std::span<const float> totals, std::int64_t vocabulary,
                                     std::span<const std::span<const std::int64_t>> texts, std::int64_t prompt_length,
                                     Stops stops) {
  const bool last = !candidates_.empty() && static_cast<std::int64_t>(texts[0].size()) - prompt_length + 1 >= limit_;
  const std::int64_t left = limit_ - (static_cast<std::int64_t>(texts[0].size()) - prompt_length) - 1;
  std::vector<std::int64_t> longer;
  const auto after = [&](const BeamCandidate& c) {
    const auto text = texts[static_cast<std::size_t>(c.beam)].subspan(static_cast<std::size_t>(prompt_length));
    longer.assign(text.begin(), text.end());
    longer.push_back(c.token);
    return words_.missing(longer);
  };
  for (std::int64_t b = 0; b < beams_; ++b)
    for (const std::int64_t token :
         words_.next_tokens(texts[static_cast<std::size_t>(b)].subspan(static_cast<std::size_t>(prompt_length)))) {
      check(token >= 0 && token < vocabulary, ErrorCode::out_of_range, "[generate] force_words_ids holds the token ",
            token, ", the vocabulary has ", vocabulary);
      const float total = totals[static_cast<std::size_t>(b * vocabulary + token)];
      const bool known = std::any_of(candidates_.begin(), candidates_.end(),
                                     [&](const Ranked& c) { return c.beam == b && c.token == token; });
      if (!known && total != minus_infinity && total > nobody / 2) {
        const BeamCandidate candidate{total, b, token};
        candidates_.push_back({candidate, last || stops(candidate), 0});
      }
    }
  for (Ranked& c : candidates_) c.missing = after(c);
  // A text may neither end without its words nor run out of room for them.
  std::erase_if(candidates_, [&](const Ranked& c) { return c.missing > (c.ends ? 0 : left); });
  sort_falling(candidates_, [](const Ranked& c) { return c.score; });
}

void BeamSearch::finish(std::span<const std::span<const std::int64_t>> texts, std::int64_t generated) {
  const auto divisor = static_cast<float>(std::pow(static_cast<double>(generated), config_.length_penalty));
  if (config_.early_stopping == EarlyStopping::first && static_cast<std::int64_t>(finished_.size()) >= beams_) return;
  // Those behind the first num_beams are there only so that enough go on.
  const std::size_t counted = std::min(candidates_.size(), static_cast<std::size_t>(beams_));
  for (std::size_t i = 0; i < counted; ++i) {
    const Ranked& c = candidates_[i];
    if (!c.ends || c.score <= nobody / 2) continue;
    const auto text = texts[static_cast<std::size_t>(c.beam)];
    FinishedBeam beam{c.score / divisor, {text.begin(), text.end()}};
    beam.ids.push_back(c.token);
    const auto at = std::find_if(finished_.begin(), finished_.end(),
                                 [&](const FinishedBeam& other) { return other.score < beam.score; });
    finished_.insert(at, std::move(beam));
  }
  if (static_cast<std::int64_t>(finished_.size()) > beams_) finished_.resize(static_cast<std::size_t>(beams_));
}

void BeamSearch::choose_running() {
  running_.clear();
  std::vector<const Ranked*> open;
  for (const Ranked& c : candidates_)
    if (!c.ends) open.push_back(&c);
  exhausted_ = open.empty();
  if (exhausted_)  // what groups of beams behind this one should avoid
    for (const Ranked& c : candidates_) open.push_back(&c);
  sort_falling(open, [](const Ranked* c) { return c->score; });
  if (!words_.empty()) {
    // Round robin over how much of the words is there, most first: progress and likelihood both go on.
    std::vector<std::vector<const Ranked*>> banks(static_cast<std::size_t>(words_.total() + 1));
    for (const Ranked* c : open) banks[static_cast<std::size_t>(c->missing)].push_back(c);
    open.clear();
    for (std::size_t place = 0, found = 1; found > 0; ++place) {
      found = 0;
      for (const auto& bank : banks)
        if (place < bank.size()) {
          open.push_back(bank[place]);
          ++found;
        }
    }
  }
  if (static_cast<std::int64_t>(open.size()) > beams_) open.resize(static_cast<std::size_t>(beams_));
  for (const Ranked* c : open) running_.push_back(*c);
}

bool BeamSearch::may_improve(std::int64_t generated) const {
  if (generated >= limit_) return false;
  if (static_cast<std::int64_t>(finished_.size()) < beams_) return true;
  if (config_.early_stopping == EarlyStopping::first) return false;
  const bool any_length = config_.early_stopping == EarlyStopping::never && config_.length_penalty > 0;
  const double length = static_cast<double>(any_length ? limit_ : generated);
  float best = running_[0].score;
  for (const BeamCandidate& c : running_) best = std::max(best, c.score);
  return best / static_cast<float>(std::pow(length, config_.length_penalty)) > finished_.back().score;
}

}  // namespace trustformers
