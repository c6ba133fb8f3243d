#include "beam_constraints.h"

#include <algorithm>
#include <limits>

#include "../base/error.h"

namespace trustformers {
namespace {

bool holds(std::span<const std::int64_t> text, const Phrase& phrase) {
  return std::search(text.begin(), text.end(), phrase.begin(), phrase.end()) != text.end();
}

/// The longest beginning of the phrase that ends the text.
std::size_t progress(std::span<const std::int64_t> text, const Phrase& phrase) {
  for (std::size_t n = std::min(text.size(), phrase.size() - 1); n > 0; --n)
    if (std::equal(text.end() - static_cast<std::ptrdiff_t>(n), text.end(), phrase.begin())) return n;
  return 0;
}

}  // namespace

WordConstraints::WordConstraints(std::vector<std::vector<Phrase>> words) : words_(std::move(words)) {
  for (const auto& phrases : words_) {
    check(!phrases.empty(), ErrorCode::invalid_argument, "[generation] force_words_ids has an entry without phrases");
    std::size_t shortest = std::numeric_limits<std::size_t>::max();
    for (const Phrase& phrase : phrases) {
      check(!phrase.empty(), ErrorCode::invalid_argument, "[generation] force_words_ids has an empty phrase");
      shortest = std::min(shortest, phrase.size());
    }
    shortest_.push_back(static_cast<std::int64_t>(shortest));
    total_ += shortest_.back();
  }
}

std::int64_t WordConstraints::missing(std::span<const std::int64_t> generated) const {
  std::int64_t sum = 0, gain = 0;  // only one phrase can be gone on with; the others start anew
  for (std::size_t i = 0; i < words_.size(); ++i) {
    const auto& phrases = words_[i];
    if (std::any_of(phrases.begin(), phrases.end(), [&](const Phrase& p) { return holds(generated, p); })) continue;
    sum += shortest_[i];
    for (const Phrase& phrase : phrases) {
      const auto rest = static_cast<std::int64_t>(phrase.size() - progress(generated, phrase));
      gain = std::max(gain, shortest_[i] - rest);
    }
  }
  return sum - gain;
}

std::vector<std::int64_t> WordConstraints::next_tokens(std::span<const std::int64_t> generated) const {
  std::vector<std::int64_t> out;
  for (const auto& phrases : words_) {
    if (std::any_of(phrases.begin(), phrases.end(), [&](const Phrase& p) { return holds(generated, p); })) continue;
    for (const Phrase& phrase : phrases) {
      out.push_back(phrase[progress(generated, phrase)]);
      out.push_back(phrase[0]);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace trustformers
