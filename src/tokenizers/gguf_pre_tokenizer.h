// How byte-level vocabularies in GGUF files cut a text: tokenizer.ggml.pre names it.
#pragma once

#include <string_view>
#include <vector>

namespace trustformers {

struct GgufPreTokenizer {
  /// Applied one after the other, each to the pieces that those before it left.
  std::vector<std::string_view> patterns;
  bool ignore_merges = false;
  bool add_bos = false;  // where the file does not say
};

/// Errors: unsupported, naming `pre`.
GgufPreTokenizer gguf_pre_tokenizer(std::string_view pre);

}  // namespace trustformers
