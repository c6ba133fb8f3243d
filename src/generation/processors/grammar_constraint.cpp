#include "grammar_constraint.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "../../base/error.h"

namespace trustformers {
namespace {
/// Texts kept, at least; beams need a few more than there are rows.
constexpr std::size_t kept_texts = 32;
}  // namespace

GrammarConstraint::GrammarConstraint(std::shared_ptr<TokenMasks> masks, std::vector<std::int64_t> eos)
    : masks_(std::move(masks)), eos_(std::move(eos)) {
  check(!eos_.empty(), ErrorCode::invalid_argument, "[generation] a grammar needs an end token");
}

const GrammarMatcher& GrammarConstraint::matcher_of(const RowState& row) {
  const auto generated = row.generated();
  // The longest known beginning of this text; beams change places.
  std::size_t best = texts_.size(), length = 0;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const auto& ids = texts_[i].ids;
    if (ids.size() > generated.size() || (best < texts_.size() && ids.size() <= length)) continue;
    if (!std::equal(ids.begin(), ids.end(), generated.begin())) continue;
    best = i;
    length = ids.size();
  }
  Text text = best < texts_.size() ? texts_[best] : Text{{}, GrammarMatcher(masks_)};
  for (const std::int64_t id : generated.subspan(text.ids.size())) {
    const bool known = id >= 0 && static_cast<std::size_t>(id) < masks_->trie().vocabulary();
    check(known && text.matcher.advance(masks_->trie().bytes(id)), ErrorCode::invalid_argument,
          "[generation] the token ", id, " does not follow the grammar");
    text.ids.push_back(id);
  }
  if (best < texts_.size() && texts_.size() <= 1) {
    texts_[best] = std::move(text);  // one row: its text grows in place
  } else {
    if (texts_.size() >= std::max(kept_texts, 4 * (row.row + 1))) texts_.erase(texts_.begin());
    texts_.push_back(std::move(text));
    best = texts_.size() - 1;
  }
  return texts_[best].matcher;
}

void GrammarConstraint::find_tokens(const RowState& row) {
  const GrammarMatcher& matcher = matcher_of(row);
  matcher.next_tokens(bits_);
  may_end_ = matcher.complete();
}

void GrammarConstraint::process(const RowState& row, std::span<float> scores) {
  find_tokens(row);
  const bool any = may_end_ || std::any_of(bits_.begin(), bits_.end(), [](std::uint64_t word) { return word != 0; });
  check(any, ErrorCode::invalid_argument,
        "[generation] no token of the vocabulary goes on with the text by the grammar");
  const auto allowed = [&](std::size_t i) { return i / 64 < bits_.size() && (bits_[i / 64] >> (i % 64) & 1) != 0; };
  const auto ends = [&](std::size_t i) {
    return std::find(eos_.begin(), eos_.end(), static_cast<std::int64_t>(i)) != eos_.end();
  };
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (!allowed(i) && !(may_end_ && ends(i))) scores[i] = -std::numeric_limits<float>::infinity();
}

std::optional<std::int64_t> GrammarConstraint::forced(const RowState& row) {
  find_tokens(row);
  if (may_end_) return std::nullopt;
  std::optional<std::int64_t> only;
  for (std::size_t i = 0; i < bits_.size(); ++i) {
    if (bits_[i] == 0) continue;
    if (only || !std::has_single_bit(bits_[i])) return std::nullopt;
    only = static_cast<std::int64_t>(i * 64) + std::countr_zero(bits_[i]);
  }
  return only;
}

}  // namespace trustformers
