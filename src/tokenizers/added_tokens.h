// Tokens beside the model's own, found in the text before the model sees it.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "aligned_text.h"
#include "trie.h"
#include "vocabulary.h"

namespace trustformers {

struct AddedToken {
  std::string content;
  TokenId id = -1;
  bool single_word = false;  // only where no word character touches it
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // takes the white space after it
  bool normalized = true;    // looked for in the normalised text, in its own normalised form
  bool special = false;      // left out by decode(skip_special_tokens)
};

class AddedTokens {
 public:
  /// `normalize` gives the normalised form of a token's content.
  AddedTokens(std::vector<AddedToken> tokens, const std::function<std::string(std::string_view)>& normalize);
  AddedTokens() = default;

  struct Part {
    std::size_t begin;
    std::size_t end;
    TokenId id;  // -1: plain text
  };
  enum class Stage { source, normalized };
  /// Cuts `text` at the tokens looked for at this stage: leftmost first, the longest of those that start there. Special
  /// tokens count as plain text unless `special`.
  std::vector<Part> find(std::string_view text, Stage stage, bool special) const;

  std::span<const AddedToken> tokens() const { return tokens_; }
  TokenId id(std::string_view content) const;
  /// The text of a token: its content, normalised if it is looked for in the normalised text. nullptr: not an added
  /// token.
  const std::string* text(TokenId id) const;
  bool is_special(TokenId id) const;

 private:
  struct Matcher {
    Trie trie;  // values: index into tokens_
    std::array<bool, 256> starts{};
    explicit Matcher(std::span<const Trie::Key> keys);
    Matcher() = default;
  };

  std::vector<AddedToken> tokens_;
  Matcher source_;
  Matcher normalized_;
  std::unordered_map<std::string, TokenId> ids_;
  std::unordered_map<TokenId, std::size_t> by_id_;
  std::vector<std::string> texts_;
};

}  // namespace trustformers
