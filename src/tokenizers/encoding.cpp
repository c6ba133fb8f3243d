#include "encoding.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "../base/error.h"

namespace trustformers {
namespace {

/// Calls `visit` with each list of both encodings.
template <class Other, class Visit>
void each_list(Encoding& a, Other& b, Visit&& visit) {
  visit(a.ids, b.ids);
  visit(a.type_ids, b.type_ids);
  visit(a.tokens, b.tokens);
  visit(a.offsets, b.offsets);
  visit(a.word_ids, b.word_ids);
  visit(a.sequence_ids, b.sequence_ids);
  visit(a.special_tokens_mask, b.special_tokens_mask);
  visit(a.attention_mask, b.attention_mask);
}

void append_lists(Encoding& a, const Encoding& b, std::size_t begin, std::size_t end) {
  each_list(a, b, [&](auto& to, const auto& from) {
    to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(begin),
              from.begin() + static_cast<std::ptrdiff_t>(end));
  });
}

}  // namespace

void Encoding::push_back(TokenId id, std::string token, SourceRange offset, std::int32_t word, std::int32_t type,
                         bool special) {
  ids.push_back(id);
  type_ids.push_back(type);
  tokens.push_back(std::move(token));
  offsets.push_back(offset);
  word_ids.push_back(word);
  sequence_ids.push_back(special ? -1 : 0);
  special_tokens_mask.push_back(special ? 1 : 0);
  attention_mask.push_back(1);
}

Encoding Encoding::slice(std::size_t begin, std::size_t end) const {
  Encoding out;
  append_lists(out, *this, begin, end);
  return out;
}

void Encoding::append(const Encoding& other) {
  if (!overflowing.empty() || !other.overflowing.empty()) {
    std::vector<Encoding> windows;
    const auto join = [&](const Encoding& a, const Encoding& b) {
      windows.push_back(a.slice(0, a.size()));
      append_lists(windows.back(), b, 0, b.size());
    };
    for (const Encoding& window : overflowing) {
      join(window, other);
      for (const Encoding& other_window : other.overflowing) join(window, other_window);
    }
    for (const Encoding& other_window : other.overflowing) join(*this, other_window);
    overflowing = std::move(windows);
  }
  append_lists(*this, other, 0, other.size());
}

void Encoding::append(Encoding&& other) {
  if (!overflowing.empty() || !other.overflowing.empty()) return append(std::as_const(other));
  each_list(*this, other, [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  });
}

void Encoding::set_type_ids(std::int32_t type) { std::fill(type_ids.begin(), type_ids.end(), type); }
void Encoding::set_sequence_ids(std::int32_t sequence) {
  std::fill(sequence_ids.begin(), sequence_ids.end(), sequence);
  for (Encoding& window : overflowing) window.set_sequence_ids(sequence);
}

void truncate(Encoding& encoding, std::size_t max_length, std::size_t stride, Side direction) {
  const std::size_t size = encoding.size();
  if (max_length >= size) return;
  if (max_length == 0) {
    Encoding all = std::exchange(encoding, {});
    encoding.overflowing.push_back(std::move(all));
    return;
  }
  check(stride < max_length, ErrorCode::invalid_argument, "[tokenizer] the stride of truncation must be less than the ",
        max_length, " tokens that a text may keep, got ", stride);
  const std::size_t step = max_length - stride;
  std::vector<Encoding> windows;
  if (direction == Side::right) {
    for (std::size_t begin = 0;; begin += step) {
      const std::size_t end = std::min(begin + max_length, size);
      windows.push_back(encoding.slice(begin, end));
      if (end == size) break;
    }
  } else {
    for (std::size_t end = size;; end -= step) {
      const std::size_t begin = end > max_length ? end - max_length : 0;
      windows.push_back(encoding.slice(begin, end));
      if (begin == 0) break;
    }
  }
  encoding = std::move(windows.front());
  encoding.overflowing.assign(std::make_move_iterator(windows.begin() + 1), std::make_move_iterator(windows.end()));
}

void truncate(Encoding& first, Encoding* second, const Truncation& truncation) {
  const auto& [max_length, stride, strategy, direction] = truncation;
  if (max_length == 0) {
    truncate(first, 0, stride, direction);
    if (second) truncate(*second, 0, stride, direction);
    return;
  }
  const std::size_t total = first.size() + (second ? second->size() : 0);
  if (total <= max_length) return;
  const std::size_t excess = total - max_length;
  if (strategy == TruncationStrategy::longest_first) {
    if (!second) return truncate(first, max_length, stride, direction);
    std::size_t shorter = std::min(first.size(), second->size());
    std::size_t longer = shorter > max_length ? shorter : std::max(shorter, max_length - shorter);
    if (shorter + longer > max_length) {
      shorter = max_length / 2;
      longer = shorter + max_length % 2;
    }
    const bool swapped = first.size() > second->size();
    truncate(first, swapped ? longer : shorter, stride, direction);
    truncate(*second, swapped ? shorter : longer, stride, direction);
    return;
  }
  const bool cut_first = strategy == TruncationStrategy::only_first;
  check(cut_first || second, ErrorCode::invalid_argument, "[tokenizer] truncation only_second needs a second text");
  Encoding& target = cut_first ? first : *second;
  check(target.size() > excess, ErrorCode::invalid_argument, "[tokenizer] truncation must take ", excess,
        " tokens from the ", cut_first ? "first" : "second", " text, which has ", target.size());
  truncate(target, target.size() - excess, stride, direction);
}

void pad(Encoding& encoding, std::size_t length, const Padding& padding) {
  for (Encoding& window : encoding.overflowing) pad(window, length, padding);
  if (encoding.size() >= length) return;
  Encoding fill;
  for (std::size_t i = encoding.size(); i < length; ++i)
    fill.push_back(padding.pad_id, padding.pad_token, {}, -1, padding.pad_type_id, true);
  std::fill(fill.attention_mask.begin(), fill.attention_mask.end(), 0);
  if (padding.direction == Side::right) {
    append_lists(encoding, fill, 0, fill.size());
  } else {
    append_lists(fill, encoding, 0, encoding.size());
    fill.overflowing = std::move(encoding.overflowing);
    encoding = std::move(fill);
  }
}

void pad(std::vector<Encoding>& batch, const Padding& padding) {
  std::size_t length = padding.length;
  if (length == 0)
    for (const Encoding& encoding : batch) length = std::max(length, encoding.size());
  if (padding.multiple_of > 0) length = (length + padding.multiple_of - 1) / padding.multiple_of * padding.multiple_of;
  for (Encoding& encoding : batch) pad(encoding, length, padding);
}

}  // namespace trustformers
