// What Replace and Split look for: a text or a regular expression.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "regex.h"
#include "spec.h"

namespace trustformers {

class Pattern {
 public:
  virtual ~Pattern() = default;
  /// Covers `text` with matches and the gaps between them, in order.
  virtual void split(std::string_view text, std::vector<Match>& out) const = 0;
};

/// `{"String": …}` or `{"Regex": …}`; the widespread patterns of pre-tokenizers run without a regex engine.
std::unique_ptr<Pattern> make_pattern(const Spec& spec);
std::unique_ptr<Pattern> make_regex_pattern(std::string_view pattern, std::string_view where);

}  // namespace trustformers
