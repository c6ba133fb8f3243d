// Reading a text by a grammar, byte by byte, with the tokens that may come next.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "token_masks.h"

namespace trustformers {

/// Where a text stands. Copies are independent; the masks are shared.
class GrammarMatcher {
 public:
  explicit GrammarMatcher(std::shared_ptr<TokenMasks> masks);

  /// Reads bytes. False when no text of the grammar goes on so; nothing is read then.
  bool advance(std::string_view bytes);
  /// True when the text is complete (more may follow all the same).
  bool complete() const { return complete_; }
  /// One bit a token: those after which the text can still be completed. [(V + 63) / 64] words.
  void next_tokens(std::vector<std::uint64_t>& bits) const;
  const TokenMasks& masks() const { return *masks_; }

 private:
  std::int32_t caller(GrammarFrame frame);
  void close(std::vector<GrammarFrame>& readings, bool& complete);

  std::shared_ptr<TokenMasks> masks_;
  std::vector<GrammarFrame> readings_;  // before anything that needs no byte
  std::vector<GrammarFrame> callers_;
  std::unordered_map<std::uint64_t, std::int32_t> caller_index_;
  bool complete_ = false;
};

}  // namespace trustformers
