#include "expression.h"

#include <algorithm>

namespace trustformers {
namespace {

std::shared_ptr<Expression> make(Expression::Kind kind) {
  auto out = std::make_shared<Expression>();
  out->kind = kind;
  return out;
}

ExpressionPtr byte_range(unsigned first, unsigned last) {
  ByteSet set;
  for (unsigned b = first; b <= last; ++b) set.set(b);
  return any_of(set);
}

/// Ranges whose code points have UTF-8 of one length and where, from some byte on, all continuations are free.
void add_utf8(char32_t first, char32_t last, std::vector<ExpressionPtr>& out) {
  constexpr char32_t ends[] = {0x7F, 0x7FF, 0xFFFF, 0x10FFFF};
  std::size_t length = 1;
  for (const char32_t end : ends) {
    if (first > end) {
      ++length;
      continue;
    }
    if (last > end) {
      add_utf8(first, end, out);
      return add_utf8(end + 1, last, out);
    }
    break;
  }
  for (std::size_t tail = 1; tail < length; ++tail) {
    const char32_t mask = (char32_t{1} << (6 * tail)) - 1;
    if ((first & ~mask) == (last & ~mask)) continue;
    if ((first & mask) != 0) {
      add_utf8(first, first | mask, out);
      return add_utf8((first | mask) + 1, last, out);
    }
    if ((last & mask) != mask) {
      add_utf8(first, (last & ~mask) - 1, out);
      return add_utf8(last & ~mask, last, out);
    }
  }
  constexpr unsigned leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
  std::vector<ExpressionPtr> bytes;
  for (std::size_t i = 0; i < length; ++i) {
    const auto shift = 6 * (length - 1 - i);
    const char32_t bits = length == 1 ? 0x7F : 0x3F;
    const unsigned lead = i == 0 ? leads[length] : 0x80;
    bytes.push_back(byte_range(lead | static_cast<unsigned>((first >> shift) & bits),
                               lead | static_cast<unsigned>((last >> shift) & bits)));
  }
  out.push_back(sequence(std::move(bytes)));
}

}  // namespace

ExpressionPtr any_of(const ByteSet& bytes) {
  auto out = make(Expression::Kind::bytes);
  out->bytes = bytes;
  return out;
}

ExpressionPtr literal(std::string_view text) {
  std::vector<ExpressionPtr> parts;
  for (const char c : text) parts.push_back(any_of(ByteSet().set(static_cast<unsigned char>(c))));
  return sequence(std::move(parts));
}

ExpressionPtr sequence(std::vector<ExpressionPtr> parts) {
  if (parts.size() == 1) return parts[0];
  auto out = make(Expression::Kind::sequence);
  out->parts = std::move(parts);
  return out;
}

ExpressionPtr choice(std::vector<ExpressionPtr> parts) {
  if (parts.size() == 1) return parts[0];
  auto out = make(Expression::Kind::choice);
  out->parts = std::move(parts);
  return out;
}

ExpressionPtr repeat(ExpressionPtr part, std::int64_t least, std::int64_t most) {
  auto out = make(Expression::Kind::repeat);
  out->parts = {std::move(part)};
  out->least = least;
  out->most = most;
  return out;
}

ExpressionPtr optional(ExpressionPtr part) { return repeat(std::move(part), 0, 1); }

ExpressionPtr call(std::size_t rule) {
  auto out = make(Expression::Kind::call);
  out->rule = rule;
  return out;
}

ExpressionPtr language(std::shared_ptr<const Dfa> dfa) {
  auto out = make(Expression::Kind::language);
  out->language = std::move(dfa);
  return out;
}

ExpressionPtr code_points(const std::vector<CodePointRange>& ranges) {
  std::vector<ExpressionPtr> parts;
  for (const auto& [first, last] : ranges) {
    if (first < 0xD800) add_utf8(first, std::min<char32_t>(last, 0xD7FF), parts);
    if (last > 0xDFFF) add_utf8(std::max<char32_t>(first, 0xE000), last, parts);
  }
  return choice(std::move(parts));
}

std::vector<CodePointRange> other_code_points(std::vector<CodePointRange> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<CodePointRange> out;
  char32_t next = 0;
  for (const auto& [first, last] : ranges) {
    if (first > next) out.emplace_back(next, first - 1);
    next = std::max<char32_t>(next, last + 1);
  }
  if (next <= last_code_point) out.emplace_back(next, last_code_point);
  return out;
}

}  // namespace trustformers
