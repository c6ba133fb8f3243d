// Numbers as text: decimals between bounds, multiples, integers. All without exponents.
#pragma once

#include "../../base/json.h"
#include "automaton.h"

namespace trustformers {

enum class Bound { at_least, above, at_most, below };

/// Decimals with at most 15 digits before the point and 12 behind it; no minus before zero.
const Dfa& every_decimal();
/// Those without a fraction, or with one that is not zero.
const Dfa& integers();
const Dfa& non_integers();
/// Decimals on one side of the bound.
Dfa decimals(Bound side, const Json& bound);
/// Decimals that are multiples of the (positive) number. Throws unsupported for steps of many digits.
Dfa multiples_of(const Json& step);
/// The spellings of one number.
Dfa number_value(const Json& value);

}  // namespace trustformers
