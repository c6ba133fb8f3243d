#include "tokenizer.h"

namespace trustformers {
namespace {

bool ends_unfinished(std::string_view text) { return text.ends_with("\xEF\xBF\xBD"); }

}  // namespace

// Decoding depends on neighbours (blanks between words, bytes of one character), so new ids are decoded behind those
// that came out last, and what these alone decode to is taken off the front.
std::optional<std::string> DecodeStream::push(TokenId id) {
  if (prefix_.empty() && !window_.empty()) {
    std::string text = tokenizer_.decode(window_, skip_special_tokens_);
    if (!ends_unfinished(text)) {
      prefix_ = std::move(text);
      prefix_ids_ = window_.size();
    }
  }
  window_.push_back(id);
  const std::string text = tokenizer_.decode(window_, skip_special_tokens_);
  if (text.size() <= prefix_.size() || ends_unfinished(text) || !text.starts_with(prefix_)) return std::nullopt;
  std::string fresh = text.substr(prefix_.size());
  const std::size_t shown = window_.size() - prefix_ids_;
  window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(prefix_ids_));
  prefix_ = tokenizer_.decode(window_, skip_special_tokens_);
  prefix_ids_ = shown;
  return fresh;
}

std::string DecodeStream::finish() {
  const std::string text = tokenizer_.decode(window_, skip_special_tokens_);
  std::string rest = text.starts_with(prefix_) ? text.substr(prefix_.size()) : std::string();
  window_.clear();
  prefix_.clear();
  prefix_ids_ = 0;
  return rest;
}

}  // namespace trustformers
