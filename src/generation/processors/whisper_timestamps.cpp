#include "whisper_timestamps.h"

#include <algorithm>
#include <limits>

#include "../../base/error.h"
#include "score_math.h"

namespace trustformers {

WhisperTimestamps::WhisperTimestamps(std::int64_t no_timestamps, std::int64_t eos, std::size_t begin,
                                     std::optional<std::int64_t> max_initial)
    : no_timestamps_(static_cast<std::size_t>(no_timestamps)),
      eos_(static_cast<std::size_t>(eos)),
      begin_(begin),
      max_initial_(max_initial) {
  check(no_timestamps >= 0 && eos >= 0 && max_initial.value_or(0) >= 0, ErrorCode::invalid_argument,
        "[generation] Whisper's timestamp tokens must not be negative, got ", no_timestamps, " and ", eos);
}

void WhisperTimestamps::process(const RowState& row, std::span<float> scores) {
  const std::size_t first = no_timestamps_ + 1;
  check(first < scores.size() && eos_ < scores.size(), ErrorCode::out_of_range, "[generation] Whisper's timestamps at ",
        first, " lie outside the vocabulary of ", scores.size());
  const auto remove = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < std::min(to, scores.size()); ++i)
      scores[i] = -std::numeric_limits<float>::infinity();
  };
  remove(no_timestamps_, first);
  const auto text = row.ids.subspan(std::min(begin_, row.ids.size()));
  const auto is_stamp = [&](std::int64_t id) { return id >= static_cast<std::int64_t>(first); };
  const bool last = !text.empty() && is_stamp(text.back());
  const bool before = text.size() < 2 || is_stamp(text[text.size() - 2]);
  if (last && before) remove(first, scores.size());
  if (last && !before) remove(0, eos_);
  const auto stamp = std::find_if(text.rbegin(), text.rend(), is_stamp);
  if (stamp != text.rend())
    remove(first,
           static_cast<std::size_t>(*stamp) + (last && !before ? 0 : 1));  // the closing one may equal its opener
  if (row.ids.size() == begin_) {
    remove(0, first);
    if (max_initial_) remove(first + static_cast<std::size_t>(*max_initial_) + 1, scores.size());
  }
  const SoftmaxSums sums = softmax_sums(scores);
  double stamps = 0;
  for (const float s : scores.subspan(first)) stamps += sums.probability(s);
  const float text_best = *std::max_element(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(first));
  if (stamps > sums.probability(text_best)) remove(0, first);
}

}  // namespace trustformers
