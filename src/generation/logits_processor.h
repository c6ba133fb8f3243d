// What changes the scores of the next token before one is chosen.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace trustformers {

/// Where one row stands when its next token is chosen.
struct RowState {
  /// The prompt, padding included, and what came after it.
  std::span<const std::int64_t> ids;
  /// The first so many of `ids` are padding.
  std::size_t padding = 0;
  /// The first so many of `ids`, padding included, were given; the rest was generated.
  std::size_t prompt_length = 0;
  /// What the row answers to, without padding: the encoder's tokens, or the prompt where there is no encoder.
  std::span<const std::int64_t> source;
  /// Which prompt of the batch the row continues, and which hypothesis of all (the same without beams).
  std::size_t prompt = 0;
  std::size_t row = 0;
  /// Of the request that the row belongs to.
  std::uint64_t seed = 0;

  /// The tokens without padding.
  std::span<const std::int64_t> tokens() const { return ids.subspan(padding); }
  std::span<const std::int64_t> generated() const { return ids.subspan(prompt_length); }
  /// How many tokens were generated: the address of random numbers.
  std::uint64_t step() const { return ids.size() - prompt_length; }
};

/// One change of scores. A token that may not come gets -inf. Objects keep scratch space (so that a warm one allocates
/// nothing) and what follows from their settings; what depends on the text is read from the row, so that rows may be
/// reordered between calls. Not for use by several threads at once.
class LogitsProcessor {
 public:
  virtual ~LogitsProcessor() = default;
  /// Changes `scores` [V] of `row` in place.
  virtual void process(const RowState& row, std::span<float> scores) = 0;
  /// The only token that may come, if there is but one: it needs no scores.
  virtual std::optional<std::int64_t> forced(const RowState&) { return std::nullopt; }
};

/// Whether a text is over although no end token came; asked after each of its tokens.
using StopRule = std::function<bool(const RowState& row)>;
/// Proposes at most `count` tokens to follow a text; any will do, right ones save passes of the model.
using DraftSource = std::function<std::vector<std::int64_t>(const RowState& row, std::int64_t count)>;

using LogitsProcessors = std::vector<std::shared_ptr<LogitsProcessor>>;

}  // namespace trustformers
