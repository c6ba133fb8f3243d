// What must hold of every grammar that is accepted, tried along one text.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generation/grammar/matcher.h"

namespace trustformers::fuzz {

/// Each byte is a token, and some longer ones are.
inline std::shared_ptr<const TokenTrie> small_vocabulary() {
  static const auto trie = [] {
    std::vector<std::string> tokens;
    for (int b = 0; b < 256; ++b) tokens.emplace_back(1, static_cast<char>(b));
    for (const char* token : {"ab", "abc", "\": ", "\",", "{\"", "}}", "[[", "]}", "12", "0.", "true", "null", " \"a",
                              "\xC3\xA9", "\xE4\xBA", "\xE4\xBA\xAC", "\\u00", "\\n", "  "})
      tokens.emplace_back(token);
    return std::make_shared<const TokenTrie>(tokens);
  }();
  return trie;
}

/// Writes up to `steps` tokens that the grammar allows, `seed` choosing: there must be some unless the text is
/// complete, and each must be read. Gives the text where it stopped complete, else nothing.
inline std::string walk(Grammar grammar, std::uint32_t seed, int steps) {
  const auto masks =
      std::make_shared<TokenMasks>(std::make_shared<const Grammar>(std::move(grammar)), small_vocabulary());
  GrammarMatcher matcher(masks);
  std::vector<std::uint64_t> bits;
  std::string text;
  for (int step = 0; step < steps; ++step) {
    matcher.next_tokens(bits);
    std::vector<std::int64_t> allowed;
    for (std::size_t i = 0; i < bits.size() * 64; ++i)
      if (bits[i / 64] >> (i % 64) & 1) allowed.push_back(static_cast<std::int64_t>(i));
    if (allowed.empty()) {
      if (!matcher.complete()) std::abort();
      return text;
    }
    seed = seed * 1664525 + 1013904223;
    const std::string& token = masks->trie().bytes(allowed[(seed >> 8) % allowed.size()]);
    if (!matcher.advance(token)) std::abort();
    text += token;
    if (matcher.complete() && seed % 3 == 0) return text;
  }
  return {};
}

}  // namespace trustformers::fuzz
