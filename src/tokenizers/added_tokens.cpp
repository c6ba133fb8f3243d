#include "added_tokens.h"

#include <algorithm>

namespace trustformers {
namespace {

std::size_t trim_right(std::string_view text, std::size_t begin, std::size_t end) {
  while (end > begin) {
    const auto c = unicode::decode_before(text, end);
    if (!unicode::is_whitespace(c.value)) break;
    end -= c.size;
  }
  return end;
}

std::size_t skip_spaces(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const auto c = unicode::decode(text, at);
    if (!unicode::is_whitespace(c.value)) break;
    at += c.size;
  }
  return at;
}

}  // namespace

AddedTokens::Matcher::Matcher(std::span<const Trie::Key> keys) : trie(keys) {
  for (const auto& [key, index] : keys)
    if (!key.empty()) starts[static_cast<unsigned char>(key.front())] = true;
}

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, const std::function<std::string(std::string_view)>& normalize)
    : tokens_(std::move(tokens)) {
  for (const AddedToken& token : tokens_) texts_.push_back(token.normalized ? normalize(token.content) : token.content);
  std::vector<Trie::Key> source, normalized;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const AddedToken& token = tokens_[i];
    if (token.content.empty()) continue;
    ids_[token.content] = token.id;
    by_id_[token.id] = i;
    (token.normalized ? normalized : source).emplace_back(texts_[i], static_cast<std::int32_t>(i));
  }
  source_ = Matcher(source);
  normalized_ = Matcher(normalized);
}

std::vector<AddedTokens::Part> AddedTokens::find(std::string_view text, Stage stage, bool special) const {
  const Matcher& matcher = stage == Stage::source ? source_ : normalized_;
  std::vector<Part> parts;
  std::size_t covered = 0;
  if (!matcher.trie.empty()) {
    for (std::size_t at = 0; at < text.size();) {
      if (!matcher.starts[static_cast<unsigned char>(text[at])]) {
        ++at;
        continue;
      }
      std::size_t length = 0;
      std::int32_t index = -1;
      matcher.trie.prefixes(text.substr(at), [&](std::size_t bytes, std::int32_t value) {
        length = bytes;
        index = value;
      });
      if (index < 0) {
        ++at;
        continue;
      }
      const AddedToken& token = tokens_[static_cast<std::size_t>(index)];
      std::size_t begin = at;
      std::size_t end = at + length;
      at = end;  // a match that is turned down still hides what lies inside it
      if (token.special && !special) continue;
      if (token.single_word) {
        if (begin > 0 && unicode::is_word(unicode::decode_before(text, begin).value)) continue;
        if (end < text.size() && unicode::is_word(unicode::decode(text, end).value)) continue;
      }
      if (token.lstrip) begin = trim_right(text, covered, begin);
      begin = std::max(begin, covered);
      if (token.rstrip) end = skip_spaces(text, end);
      if (end <= begin) continue;  // white space that the token before it has taken
      if (covered < begin) parts.push_back({covered, begin, -1});
      parts.push_back({begin, end, token.id});
      covered = end;
    }
  }
  if (covered < text.size()) parts.push_back({covered, text.size(), -1});
  return parts;
}

TokenId AddedTokens::id(std::string_view content) const {
  const auto found = ids_.find(std::string(content));
  return found == ids_.end() ? -1 : found->second;
}

const std::string* AddedTokens::text(TokenId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &texts_[found->second];
}

bool AddedTokens::is_special(TokenId id) const {
  const auto found = by_id_.find(id);
  return found != by_id_.end() && tokens_[found->second].special;
}

}  // namespace trustformers
