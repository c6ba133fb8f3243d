#include "aligned_text.h"

#include <algorithm>

#include "../base/error.h"
#include "../base/utf8.h"

namespace trustformers {

AlignedText AlignedText::from_source(std::string_view source) {
  check(source.size() < (std::size_t{1} << 31), ErrorCode::out_of_range,
        "[tokenizer] a text of less than 2 GiB expected, got ", source.size(), " bytes");
  AlignedText out;
  out.text_ = source;
  out.ranges_.resize(source.size());
  std::uint32_t index = 0;
  for (std::size_t i = 0; i < source.size(); ++i) {
    index += (static_cast<unsigned char>(source[i]) & 0xC0) != 0x80 ? 1 : 0;
    out.ranges_[i] = {index - 1, index};
  }
  return out;
}

AlignedText AlignedText::slice(std::size_t begin, std::size_t end) const {
  AlignedText out;
  out.append(*this, begin, end);
  return out;
}

SourceRange AlignedText::source(std::size_t begin, std::size_t end) const {
  if (begin < end) return {ranges_[begin].begin, ranges_[end - 1].end};
  if (begin < ranges_.size()) return {ranges_[begin].begin, ranges_[begin].begin};
  return ranges_.empty() ? SourceRange{} : SourceRange{ranges_.back().end, ranges_.back().end};
}

void AlignedText::check_growth(std::size_t bytes) const {
  const SourceRange all = source(0, size());
  const std::size_t most = std::size_t{all.end - all.begin} * 256 + (1 << 20);
  check(bytes <= most, ErrorCode::out_of_range, "[tokenizer] normalisation makes more than ", most, " bytes of ",
        all.end - all.begin, " characters");
}

void AlignedText::reserve(std::size_t bytes) {
  text_.reserve(bytes);
  ranges_.reserve(bytes);
}

void AlignedText::append(char32_t value, SourceRange range) {
  if (value < 0x80) {
    text_.push_back(static_cast<char>(value));
    ranges_.push_back(range);
    return;
  }
  append_utf8(text_, value);
  ranges_.resize(text_.size(), range);
}

void AlignedText::append(std::string_view text, SourceRange range) {
  text_ += text;
  ranges_.resize(text_.size(), range);
}

void AlignedText::append(const AlignedText& other, std::size_t begin, std::size_t end) {
  text_.append(other.text_, begin, end - begin);
  ranges_.insert(ranges_.end(), other.ranges_.begin() + static_cast<std::ptrdiff_t>(begin),
                 other.ranges_.begin() + static_cast<std::ptrdiff_t>(end));
}

void AlignedText::append_bytes(const AlignedText& other, std::size_t begin, std::size_t end, const ByteTexts& texts) {
  const std::size_t start = text_.size();
  text_.resize(start + 2 * (end - begin));
  ranges_.resize(text_.size());
  std::size_t to = start;
  for (std::size_t i = begin; i < end; ++i) {
    const ByteText& text = texts[static_cast<unsigned char>(other.text_[i])];
    for (std::size_t k = 0; k < text.size; ++k, ++to) {
      text_[to] = text.bytes[k];
      ranges_[to] = other.ranges_[i];
    }
  }
  text_.resize(to);
  ranges_.resize(to);
}

void AlignedText::transform(std::span<const unicode::Change> changes, std::size_t dropped) {
  AlignedText out;
  out.reserve(text_.size());
  std::size_t at = 0;  // the next code point of the old text
  const auto step = [&] {
    if (at < text_.size()) at += unicode::decode(text_, at).size;
  };
  for (std::size_t i = 0; i < dropped; ++i) step();
  for (const auto& [value, change] : changes) {
    SourceRange range;
    if (change > 0) {
      if (at > 0) range = ranges_[at - 1];
    } else if (!ranges_.empty()) {
      range = ranges_[std::min(at, ranges_.size() - 1)];
    }
    out.append(value, range);
    for (std::int32_t i = change; i <= 0; ++i) step();
  }
  *this = std::move(out);
}

void AlignedText::prepend(std::string_view prefix) {
  if (text_.empty()) return;
  text_.insert(0, prefix);
  ranges_.insert(ranges_.begin(), prefix.size(), ranges_.front());
}

}  // namespace trustformers
