// What encoding a text gives, and how encodings are cut, joined and padded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aligned_text.h"
#include "vocabulary.h"

namespace trustformers {

/// The tokens of a text; all lists have one entry a token.
struct Encoding {
  std::vector<TokenId> ids;
  std::vector<std::int32_t> type_ids;  // 0, and 1 for a second text, as the post-processor says
  std::vector<std::string> tokens;
  std::vector<SourceRange>
      offsets;  // code points of the text that was given (or bytes); {0, 0} for what the tokenizer added
  std::vector<std::int32_t> word_ids;      // which pre-token of its text, -1 for none
  std::vector<std::int32_t> sequence_ids;  // 0 first text, 1 second text, -1 neither
  std::vector<std::int32_t> special_tokens_mask;
  std::vector<std::int32_t> attention_mask;
  /// What truncation cut off, in windows as long as this one.
  std::vector<Encoding> overflowing;

  std::size_t size() const { return ids.size(); }
  void push_back(TokenId id, std::string token, SourceRange offset, std::int32_t word, std::int32_t type, bool special);
  /// Tokens [begin, end), without what overflows.
  Encoding slice(std::size_t begin, std::size_t end) const;
  /// Joins `other` to the end; windows that overflow are combined with each other.
  void append(const Encoding& other);
  /// The same, taking what is there.
  void append(Encoding&& other);
  void set_type_ids(std::int32_t type);
  void set_sequence_ids(std::int32_t sequence);
};

enum class Side { left, right };

/// Which text gives tokens up when there are too many.
enum class TruncationStrategy { longest_first, only_first, only_second };

struct Truncation {
  std::size_t max_length = 512;  // special tokens included
  std::size_t stride = 0;        // tokens that a window repeats of the one before it
  TruncationStrategy strategy = TruncationStrategy::longest_first;
  Side direction = Side::right;  // the side that is cut
};

/// Keeps `max_length` tokens; the rest goes to `overflowing`. Errors: invalid_argument, when stride >= max_length > 0.
void truncate(Encoding& encoding, std::size_t max_length, std::size_t stride, Side direction);
/// The same for a text and perhaps a second one, together at most `truncation.max_length` tokens.
/// Errors: invalid_argument, when the chosen text cannot give up as many tokens.
void truncate(Encoding& first, Encoding* second, const Truncation& truncation);

struct Padding {
  std::size_t length = 0;       // 0: as long as the longest of the batch
  std::size_t multiple_of = 0;  // round the length up to a multiple; 0: no
  Side direction = Side::right;
  TokenId pad_id = 0;
  std::int32_t pad_type_id = 0;
  std::string pad_token = "[PAD]";
};

/// Pads to `length` tokens, windows that overflow too; longer encodings stay as they are.
void pad(Encoding& encoding, std::size_t length, const Padding& padding);
/// Pads all encodings of a batch to one length.
void pad(std::vector<Encoding>& batch, const Padding& padding);

}  // namespace trustformers
