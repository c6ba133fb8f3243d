#include "token_bytes.h"

#include <algorithm>

#include "../base/utf8.h"
#include "byte_alphabet.h"

namespace trustformers {
namespace {

/// The bytes that GPT-2's characters stand for; nothing where others are among them.
std::optional<std::string> bytes_of_characters(std::string_view token) {
  std::string out;
  for (const char32_t c : decode_utf8(token)) {
    const std::optional<unsigned char> byte = character_byte(c);
    if (!byte) return std::nullopt;
    out += static_cast<char>(*byte);
  }
  return out;
}

class TokenTexts {
 public:
  TokenTexts(const Tokenizer& tokenizer, TokenId count) : tokenizer_(tokenizer) {
    const std::string blank = encode_utf8(std::u32string(1, byte_character(' ')));
    if (const auto id = tokenizer.token_to_id(blank)) by_characters_ = decode({*id}) == " ";
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (std::size_t byte = 0; byte < 256 && !by_names_; ++byte) {
      const std::string name = std::string("<0x") + digits[byte / 16] + digits[byte % 16] + '>';
      if (const auto id = tokenizer.token_to_id(name)) by_names_ = decode({*id}) != name;
    }
    // A neighbour on the left, of letters alone: what stands behind it shows the blanks that words bring.
    for (TokenId id = 0; id < count && anchor_ < 0; ++id) {
      const auto token = tokenizer.id_to_token(id);
      const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
      if (!token || token->empty() || tokenizer.is_special(id) || !std::all_of(token->begin(), token->end(), is_letter))
        continue;
      anchor_text_ = decode({id});
      if (anchor_text_ == *token) anchor_ = id;
    }
  }

  std::string of(TokenId id) const {
    const std::optional<std::string> token = tokenizer_.id_to_token(id);
    if (!token || tokenizer_.is_special(id)) return {};
    if (by_names_)
      if (const int byte = named_byte(*token); byte >= 0) return std::string(1, static_cast<char>(byte));
    if (by_characters_)
      if (auto bytes = bytes_of_characters(*token)) return std::move(*bytes);
    if (anchor_ < 0) return decode({id});
    std::string text = decode({anchor_, id});
    return text.starts_with(anchor_text_) ? text.substr(anchor_text_.size()) : decode({id});
  }

 private:
  std::string decode(std::initializer_list<TokenId> ids) const {
    return tokenizer_.decode(std::span<const TokenId>(ids.begin(), ids.size()));
  }
  const Tokenizer& tokenizer_;
  bool by_characters_ = false, by_names_ = false;
  TokenId anchor_ = -1;
  std::string anchor_text_;
};

}  // namespace

std::vector<std::string> token_bytes(const Tokenizer& tokenizer) {
  // Ids may have holes: the largest is where as many tokens as there are have been seen.
  std::vector<std::optional<std::string>> seen;
  const std::size_t total = tokenizer.vocab_size();
  constexpr std::size_t most_holes = 1 << 20;
  for (std::size_t found = 0; found < total && seen.size() < total + most_holes;) {
    seen.push_back(tokenizer.id_to_token(static_cast<TokenId>(seen.size())));
    found += seen.back().has_value() ? 1 : 0;
  }
  while (!seen.empty() && !seen.back()) seen.pop_back();
  const TokenTexts texts(tokenizer, static_cast<TokenId>(seen.size()));
  std::vector<std::string> out;
  out.reserve(seen.size());
  for (std::size_t id = 0; id < seen.size(); ++id) out.push_back(texts.of(static_cast<TokenId>(id)));
  return out;
}

}  // namespace trustformers
