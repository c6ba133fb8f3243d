// What grammars are written in: expressions over bytes, which may call rules by number.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace trustformers {

using ByteSet = std::bitset<256>;
class Dfa;

struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

/// A tree, shared where it repeats.
struct Expression {
  enum class Kind { bytes, sequence, choice, repeat, call, language };
  static constexpr std::int64_t unbounded = -1;

  Kind kind = Kind::sequence;
  ByteSet bytes;                             // of bytes: one of them
  std::vector<ExpressionPtr> parts;          // of sequence and choice; the one that repeats
  std::int64_t least = 0, most = unbounded;  // of repeat
  std::size_t rule = 0;                      // of call
  std::shared_ptr<const Dfa> language;       // of language
};

ExpressionPtr any_of(const ByteSet& bytes);
ExpressionPtr literal(std::string_view text);
/// An empty list is the empty text.
ExpressionPtr sequence(std::vector<ExpressionPtr> parts);
/// An empty list matches nothing.
ExpressionPtr choice(std::vector<ExpressionPtr> parts);
ExpressionPtr repeat(ExpressionPtr part, std::int64_t least, std::int64_t most = Expression::unbounded);
ExpressionPtr optional(ExpressionPtr part);
ExpressionPtr call(std::size_t rule);
ExpressionPtr language(std::shared_ptr<const Dfa> dfa);

/// Code points from first to last.
using CodePointRange = std::pair<char32_t, char32_t>;
inline constexpr char32_t last_code_point = 0x10FFFF;
/// The UTF-8 of one code point of the ranges; surrogates have none.
ExpressionPtr code_points(const std::vector<CodePointRange>& ranges);
/// Sorted ranges of all code points that are in none of these.
std::vector<CodePointRange> other_code_points(std::vector<CodePointRange> ranges);

}  // namespace trustformers
