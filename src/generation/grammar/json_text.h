// JSON's own grammar, as expressions: strings of a language, any value.
#pragma once

#include <vector>

#include "automaton.h"

namespace trustformers {

/// Rules that JSON grammars share, appended to a list of rules.
class JsonRules {
 public:
  explicit JsonRules(std::vector<ExpressionPtr>& rules);
  /// Nothing, one blank, or up to two new lines with an indentation: models that are free to write blanks write many.
  const ExpressionPtr& space() const { return space_; }
  /// Any value; any string in quotes.
  const ExpressionPtr& value() const { return value_; }
  const ExpressionPtr& string() const { return string_; }

 private:
  ExpressionPtr space_, string_, value_;
};

/// A quoted JSON string whose decoded text is in the language. Characters stand for themselves; quotes, backslashes and
/// control characters are escaped.
ExpressionPtr json_string(const Dfa& text);
/// A number of usual size: at most 16 digits before and behind the point and two of an exponent.
ExpressionPtr json_number();

}  // namespace trustformers
