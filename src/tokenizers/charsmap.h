// The precompiled character map of sentencepiece: a double-array trie (Aoe 1989) from byte strings to replacements.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trustformers {

class Charsmap {
 public:
  /// `blob` as in the field precompiled_charsmap: size of the trie in bytes (u32), the trie, the replacements with a
  /// zero byte after each. Errors: parse.
  explicit Charsmap(std::string_view blob, std::string_view where);

  struct Hit {
    std::size_t bytes;  // of the text that the key covers
    std::string_view replacement;
  };
  /// The shortest or the longest key that `text` starts with.
  std::optional<Hit> shortest(std::string_view text) const { return find(text, false); }
  std::optional<Hit> longest(std::string_view text) const { return find(text, true); }

 private:
  std::optional<Hit> find(std::string_view text, bool longest) const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

/// Base64 (RFC 4648) with padding.
std::string encode_base64(std::string_view bytes);
/// Errors: parse.
std::string decode_base64(std::string_view text, std::string_view where);

}  // namespace trustformers
