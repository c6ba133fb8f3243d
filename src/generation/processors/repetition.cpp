#include "repetition.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "../../base/error.h"
#include "score_math.h"

namespace trustformers {
namespace {

/// Calls `change(score)` once for each different token of `ids` that the scores know. `marks` is zero before and after.
template <class Change>
void for_each_token(std::span<const std::int64_t> ids, std::span<float> scores, std::vector<std::uint8_t>& marks,
                    Change change) {
  marks.resize(scores.size());
  for (const std::int64_t id : ids) {
    const auto at = static_cast<std::size_t>(id);
    if (id < 0 || at >= scores.size() || marks[at]) continue;
    marks[at] = 1;
    change(scores[at]);
  }
  for (const std::int64_t id : ids)
    if (id >= 0 && static_cast<std::size_t>(id) < scores.size()) marks[static_cast<std::size_t>(id)] = 0;
}

void penalize(std::span<const std::int64_t> ids, std::span<float> scores, float penalty,
              std::vector<std::uint8_t>& marks) {
  for_each_token(ids, scores, marks, [&](float& s) { s = s < 0 ? s * penalty : s / penalty; });
}

/// Bans the tokens that follow, in `text`, the last size - 1 tokens of `said`.
void ban_ngrams(std::span<const std::int64_t> text, std::span<const std::int64_t> said, std::size_t size,
                std::span<float> scores) {
  if (said.size() + 1 < size || text.size() < size) return;
  const auto prefix = said.last(size - 1);
  for (std::size_t i = 0; i + size <= text.size(); ++i) {
    if (!std::equal(prefix.begin(), prefix.end(), text.begin() + static_cast<std::ptrdiff_t>(i))) continue;
    const std::int64_t next = text[i + size - 1];
    if (next >= 0 && static_cast<std::size_t>(next) < scores.size())
      scores[static_cast<std::size_t>(next)] = minus_infinity;
  }
}

std::size_t checked_size(std::int64_t size, const char* name) {
  check(size > 0, ErrorCode::invalid_argument, "[generation] ", name, " must be positive, got ", size);
  return static_cast<std::size_t>(size);
}

float checked_penalty(double penalty, const char* name) {
  check(penalty > 0, ErrorCode::invalid_argument, "[generation] ", name, " must be positive, got ", penalty);
  return static_cast<float>(penalty);
}

}  // namespace

RepetitionPenalty::RepetitionPenalty(double penalty, std::size_t ignored)
    : penalty_(checked_penalty(penalty, "repetition_penalty")), ignored_(ignored) {}

void RepetitionPenalty::process(const RowState& row, std::span<float> scores) {
  const std::size_t first = std::min(std::max(ignored_, row.padding), row.ids.size());
  penalize(row.ids.subspan(first), scores, penalty_, marks_);
}

SourceRepetitionPenalty::SourceRepetitionPenalty(double penalty)
    : penalty_(1 / checked_penalty(penalty, "encoder_repetition_penalty")) {}

void SourceRepetitionPenalty::process(const RowState& row, std::span<float> scores) {
  penalize(row.source, scores, penalty_, marks_);
}

void FrequencyPenalty::process(const RowState& row, std::span<float> scores) {
  counts_.resize(scores.size());
  const auto each = [&](auto body) {
    for (const std::int64_t id : row.generated())
      if (id >= 0 && static_cast<std::size_t>(id) < scores.size()) body(static_cast<std::size_t>(id));
  };
  each([&](std::size_t id) { ++counts_[id]; });
  each([&](std::size_t id) {
    if (counts_[id] > 0) scores[id] -= static_cast<float>(presence_ + frequency_ * counts_[id]);
    counts_[id] = 0;
  });
}

Dry::Dry(DrySettings settings) : settings_(std::move(settings)) {
  check(settings_.multiplier >= 0 && settings_.base >= 1 && settings_.allowed_length >= 1 && settings_.last_tokens >= 0,
        ErrorCode::invalid_argument,
        "[generation] DRY needs multiplier >= 0, base >= 1, allowed_length >= 1 and penalty_last_n >= 0, got ",
        settings_.multiplier, ", ", settings_.base, ", ", settings_.allowed_length, ", ", settings_.last_tokens);
}

void Dry::process(const RowState& row, std::span<float> scores) {
  std::span<const std::int64_t> text = row.tokens();
  if (settings_.last_tokens > 0 && text.size() > static_cast<std::size_t>(settings_.last_tokens))
    text = text.last(static_cast<std::size_t>(settings_.last_tokens));
  const auto breaks = [&](std::int64_t id) {
    return std::find(settings_.breakers.begin(), settings_.breakers.end(), id) != settings_.breakers.end();
  };
  const auto at = [&](std::ptrdiff_t i) { return text[static_cast<std::size_t>(i)]; };
  const auto count = static_cast<std::ptrdiff_t>(text.size());
  if (count < 2 || breaks(text.back())) return;
  // matches_[i]: how many tokens that end at i are the last ones of the text too (the Z function, from the end).
  matches_.assign(text.size(), 0);
  longest_.resize(scores.size());
  std::ptrdiff_t left = count, right = count;  // text[left, right] is a suffix found before
  for (std::ptrdiff_t i = count - 2; i >= 0; --i) {
    std::ptrdiff_t length = 0;
    if (left <= i && i < right)
      length = std::min<std::ptrdiff_t>(matches_[static_cast<std::size_t>(count - 1 - (right - 1 - i))], i - left + 1);
    while (length <= i && at(i - length) == at(count - 1 - length) && !breaks(at(i - length))) ++length;
    matches_[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(length);
    if (i - length + 1 < left) {
      left = i - length + 1;
      right = i + 1;
    }
  }
  const auto follower = [&](std::ptrdiff_t i) { return at(i + 1); };
  const auto known = [&](std::int64_t id) { return id >= 0 && static_cast<std::size_t>(id) < scores.size(); };
  for (std::ptrdiff_t i = 0; i + 1 < count; ++i)
    if (known(follower(i))) {
      std::int32_t& longest = longest_[static_cast<std::size_t>(follower(i))];
      longest = std::max(longest, matches_[static_cast<std::size_t>(i)]);
    }
  for (std::ptrdiff_t i = 0; i + 1 < count; ++i) {
    if (!known(follower(i))) continue;
    const auto next = static_cast<std::size_t>(follower(i));
    const std::int64_t length = std::exchange(longest_[next], 0);
    if (length >= settings_.allowed_length && !breaks(follower(i)))
      scores[next] -= static_cast<float>(
          settings_.multiplier * std::pow(settings_.base, static_cast<double>(length - settings_.allowed_length)));
  }
}

NoRepeatNgram::NoRepeatNgram(std::int64_t size) : size_(checked_size(size, "no_repeat_ngram_size")) {}

void NoRepeatNgram::process(const RowState& row, std::span<float> scores) {
  ban_ngrams(row.tokens(), row.tokens(), size_, scores);
}

NoSourceNgram::NoSourceNgram(std::int64_t size) : size_(checked_size(size, "encoder_no_repeat_ngram_size")) {}

void NoSourceNgram::process(const RowState& row, std::span<float> scores) {
  ban_ngrams(row.source, row.tokens(), size_, scores);
}

}  // namespace trustformers
