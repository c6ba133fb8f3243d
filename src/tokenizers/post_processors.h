// Post-processors of tokenizer.json: the special tokens around one text or two, and trimmed offsets.
#pragma once

#include <memory>
#include <vector>

#include "encoding.h"
#include "spec.h"

namespace trustformers {

class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  /// Number of special tokens put around one text or two.
  virtual std::size_t added(bool pair) const = 0;
  /// `parts` holds the encodings of one text or two on entry, the parts to be joined on return.
  virtual void apply(std::vector<Encoding>& parts, bool add_special_tokens) const = 0;
};

/// The post-processor that `spec` ("type" and its fields) describes. Errors: parse, unsupported; both name the key.
std::unique_ptr<PostProcessor> make_post_processor(const Spec& spec);

}  // namespace trustformers
