// Decoders of tokenizer.json: from tokens back to text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "spec.h"

namespace trustformers {

class TokenDecoder {
 public:
  virtual ~TokenDecoder() = default;
  /// Rewrites the tokens of a text; what they are in the end, joined, is the text.
  virtual void apply(std::vector<std::string>& tokens) const = 0;
  /// By how much a text can grow at most, as a factor.
  virtual std::size_t growth() const { return 1; }
};

/// The decoder that `spec` ("type" and its fields) describes. Errors: parse, unsupported; both name the key.
std::unique_ptr<TokenDecoder> make_decoder(const Spec& spec);

}  // namespace trustformers
