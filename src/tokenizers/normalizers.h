// Normalisers of tokenizer.json: what changes the text before it is cut.
#pragma once

#include <memory>

#include "aligned_text.h"
#include "spec.h"

namespace trustformers {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(AlignedText& text) const = 0;
};

/// The normaliser that `spec` ("type" and its fields) describes. Errors: parse, unsupported; both name the key.
std::unique_ptr<Normalizer> make_normalizer(const Spec& spec);

}  // namespace trustformers
