#include <algorithm>

#include "tokenizer.h"

namespace trustformers {
namespace {

/// How many bytes of `text` are out already when `shown` is: all of it, but where bytes in a row turned out not to be
/// UTF-8 the characters that had come of them are U+FFFD in `text`.
std::size_t common_characters(std::string_view shown, std::string_view text) {
  auto at = static_cast<std::size_t>(std::mismatch(shown.begin(), shown.end(), text.begin(), text.end()).first -
                                     shown.begin());
  while (at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

bool ends_unfinished(std::string_view text) { return text.ends_with("\xEF\xBF\xBD"); }

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t begin = 0;
  for (std::size_t at; (at = text.find(from, begin)) != std::string::npos; begin = at + from.size())
    out.append(text.substr(begin, at - begin)).append(to);
  return out.append(text.substr(begin));
}

/// Where the last word begins that can be cleaned up without the text before it: what is replaced begins with a blank,
/// and only a quote between blanks joins the words around it.
std::size_t last_border(std::string_view text) {
  const auto joins = [&](std::size_t at) { return text[at] == ' ' || text[at] == '\''; };
  for (std::size_t at = text.size(); at-- > 1;)
    if (text[at] == ' ' && at + 1 < text.size() && !joins(at - 1) && !joins(at + 1)) return at;
  return 0;
}

}  // namespace

std::string clean_up_spaces(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> changes[] = {
      {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
      {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : changes) text = replaced(text, from, to);
  return text;
}

// Decoding depends on neighbours (blanks between words, bytes of one character), so new ids are decoded behind those
// that came out last, and what these alone decode to is taken off the front.
std::optional<std::string> DecodeStream::push_uncleaned(TokenId id) {
  if (skip_special_tokens_ && tokenizer_.is_special(id)) return std::nullopt;
  window_.push_back(id);
  std::string text = tokenizer_.decode(window_, skip_special_tokens_, false);
  const std::size_t shown = common_characters(prefix_, text);
  if (shown == text.size() || ends_unfinished(text)) return std::nullopt;
  std::string fresh = text.substr(shown);
  std::vector<TokenId> last(window_.begin() + static_cast<std::ptrdiff_t>(prefix_ids_), window_.end());
  std::string alone = tokenizer_.decode(last, skip_special_tokens_, false);
  if (alone.empty()) {  // blanks that a text may not begin with keep the neighbours that make them count
    prefix_ = std::move(text);
  } else {
    window_ = std::move(last);
    prefix_ = std::move(alone);
  }
  prefix_ids_ = window_.size();
  return fresh;
}

std::optional<std::string> DecodeStream::push(TokenId id) {
  std::optional<std::string> fresh = push_uncleaned(id);
  if (!fresh || !tokenizer_.cleans_up_spaces()) return fresh;
  uncleaned_ += *fresh;
  const std::size_t border = last_border(uncleaned_);
  if (border == 0) return std::nullopt;
  std::string ready = clean_up_spaces(uncleaned_.substr(0, border));
  uncleaned_.erase(0, border);
  return ready;
}

std::string DecodeStream::finish() {
  const std::string text = tokenizer_.decode(window_, skip_special_tokens_, false);
  std::string rest = text.substr(common_characters(prefix_, text));
  window_.clear();
  prefix_.clear();
  prefix_ids_ = 0;
  if (!tokenizer_.cleans_up_spaces()) return rest;
  return clean_up_spaces(std::exchange(uncleaned_, {}) + rest);
}

}  // namespace trustformers
