// Pre-tokenizers of tokenizer.json: where the text is cut before the model sees it.
#pragma once

#include <memory>

#include "pre_tokenized.h"
#include "regex.h"
#include "spec.h"

namespace trustformers {

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(PreTokenizedText& text) const = 0;
};

/// The pre-tokenizer that `spec` ("type" and its fields) describes. Errors: parse, unsupported; both name the key.
std::unique_ptr<PreTokenizer> make_pre_tokenizer(const Spec& spec);

/// What becomes of a match: removed, a piece of its own, joined with its neighbour before or after it, or with the
/// matches beside it.
enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };
/// Merges `parts`, which cover a text, as `behavior` asks and keeps the result; `invert` swaps matches and gaps.
void keep_parts(std::vector<Match>& parts, SplitBehavior behavior, bool invert, PreTokenizedText::Keep keep);

/// Where Metaspace writes its mark in front of a text.
enum class PrependScheme { first, always, never };
PrependScheme prepend_scheme(const Spec& spec);
/// The one code point of the member `key`.
char32_t one_character(const Spec& spec, std::string_view key, char32_t otherwise);

/// Cuts where the script changes; blanks go with what precedes them, Kana with Han.
std::unique_ptr<PreTokenizer> make_script_splitter();

}  // namespace trustformers
