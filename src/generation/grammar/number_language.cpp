#include "number_language.h"

#include <algorithm>
#include <string>

#include "../../base/error.h"

namespace trustformers {
namespace {

constexpr std::int64_t whole_digits = 15, fraction_digits = 12;

ExpressionPtr digits(char first, char last) {
  ByteSet set;
  for (auto c = static_cast<unsigned char>(first); c <= static_cast<unsigned char>(last); ++c) set.set(c);
  return any_of(set);
}
ExpressionPtr decimal_digit() { return digits('0', '9'); }
ExpressionPtr any_digits() { return repeat(decimal_digit(), 0); }
ExpressionPtr any_fraction() { return optional(sequence({literal("."), repeat(decimal_digit(), 1)})); }
ExpressionPtr zero_fraction() { return optional(sequence({literal("."), repeat(literal("0"), 1)})); }
ExpressionPtr nonzero_digits() { return sequence({any_digits(), digits('1', '9'), any_digits()}); }
ExpressionPtr nothing() { return choice({}); }

/// A number without its sign: "12" and "5" for 12.5; no zeros at the fraction's end.
struct Decimal {
  bool negative = false;
  std::string whole, fraction;
  bool is_zero() const { return whole == "0" && fraction.empty(); }
};

Decimal decimal_of(const Json& number) {
  std::string text = number.dump();
  Decimal out;
  if (text[0] == '-') {
    out.negative = true;
    text.erase(0, 1);
  }
  std::int64_t exponent = 0;
  if (const auto e = text.find_first_of("eE"); e != std::string::npos) {
    exponent = std::stoll(text.substr(e + 1));
    text.erase(e);
  }
  check(text.find_first_not_of("0123456789.") == std::string::npos && exponent > -400 && exponent < 400,
        ErrorCode::unsupported, "[schema] the number ", number.dump(), " is no bound");
  const auto point = std::min(text.find('.'), text.size());
  std::string all = text.substr(0, point) + (point < text.size() ? text.substr(point + 1) : "");
  auto place = static_cast<std::int64_t>(point) + exponent;
  if (place < 0) {
    all.insert(0, static_cast<std::size_t>(-place), '0');
    place = 0;
  }
  if (place > static_cast<std::int64_t>(all.size())) all.append(static_cast<std::size_t>(place) - all.size(), '0');
  out.whole = all.substr(0, static_cast<std::size_t>(place));
  out.fraction = all.substr(static_cast<std::size_t>(place));
  out.whole.erase(0, std::min(out.whole.find_first_not_of('0'), out.whole.size()));
  if (out.whole.empty()) out.whole = "0";
  while (!out.fraction.empty() && out.fraction.back() == '0') out.fraction.pop_back();
  if (out.is_zero()) out.negative = false;
  return out;
}

/// Whole parts of the same length that leave `whole` at some digit, upwards or downwards; any fraction follows.
ExpressionPtr whole_beside(const std::string& whole, bool upwards) {
  std::vector<ExpressionPtr> out;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const char least = i == 0 && whole.size() > 1 ? '1' : '0';
    const char from = upwards ? static_cast<char>(whole[i] + 1) : least;
    const char to = upwards ? '9' : static_cast<char>(whole[i] - 1);
    if (from > to) continue;
    const auto rest = static_cast<std::int64_t>(whole.size() - i) - 1;
    out.push_back(
        sequence({literal(whole.substr(0, i)), digits(from, to), repeat(decimal_digit(), rest, rest), any_fraction()}));
  }
  return choice(std::move(out));
}

/// Decimals without a sign that are at least the bound, or above it.
ExpressionPtr from(const Decimal& bound, bool itself) {
  const auto length = static_cast<std::int64_t>(bound.whole.size());
  std::vector<ExpressionPtr> out{sequence({digits('1', '9'), repeat(decimal_digit(), length), any_fraction()}),
                                 whole_beside(bound.whole, true)};
  const std::string& f = bound.fraction;
  std::vector<ExpressionPtr> same;  // fractions behind an equal whole part
  for (std::size_t i = 0; i < f.size(); ++i)
    if (f[i] < '9')
      same.push_back(sequence({literal("." + f.substr(0, i)), digits(static_cast<char>(f[i] + 1), '9'), any_digits()}));
  if (f.empty())
    same.push_back(itself ? any_fraction() : sequence({literal("."), nonzero_digits()}));
  else
    same.push_back(sequence({literal("." + f), itself ? any_digits() : nonzero_digits()}));
  out.push_back(sequence({literal(bound.whole), choice(std::move(same))}));
  return choice(std::move(out));
}

/// Decimals without a sign that are at most the bound, or below it.
ExpressionPtr up_to(const Decimal& bound, bool itself) {
  const auto length = static_cast<std::int64_t>(bound.whole.size());
  std::vector<ExpressionPtr> out{whole_beside(bound.whole, false)};
  if (length > 1) {
    out.push_back(sequence({digits('1', '9'), repeat(decimal_digit(), 0, length - 2), any_fraction()}));
    out.push_back(sequence({literal("0"), any_fraction()}));
  }
  const std::string& f = bound.fraction;
  std::vector<ExpressionPtr> same;
  if (!f.empty()) same.push_back(literal(""));
  for (std::size_t i = 0; i < f.size(); ++i) {
    if (f[i] > '0')
      same.push_back(sequence({literal("." + f.substr(0, i)), digits('0', static_cast<char>(f[i] - 1)), any_digits()}));
    if (i > 0) same.push_back(literal("." + f.substr(0, i)));
  }
  if (itself) same.push_back(f.empty() ? zero_fraction() : sequence({literal("." + f), repeat(literal("0"), 0)}));
  out.push_back(sequence({literal(bound.whole), choice(std::move(same))}));
  return choice(std::move(out));
}

ExpressionPtr negative(ExpressionPtr magnitude) { return sequence({literal("-"), std::move(magnitude)}); }
ExpressionPtr any_magnitude() { return sequence({any_digits(), any_fraction()}); }

}  // namespace

const Dfa& every_decimal() {
  static const auto* const dfa = [] {
    const ExpressionPtr whole =
        choice({literal("0"), sequence({digits('1', '9'), repeat(decimal_digit(), 0, whole_digits - 1)})});
    const ExpressionPtr all =
        sequence({optional(literal("-")), whole,
                  optional(sequence({literal("."), repeat(decimal_digit(), 1, fraction_digits)}))});
    return new Dfa(difference(Dfa(all), Dfa(sequence({literal("-0"), zero_fraction()}))));
  }();
  return *dfa;
}

const Dfa& integers() {
  static const auto* const dfa =
      new Dfa(intersection(every_decimal(), Dfa(sequence({optional(literal("-")), any_digits()}))));
  return *dfa;
}

const Dfa& non_integers() {
  static const auto* const dfa = new Dfa(intersection(
      every_decimal(), Dfa(sequence({optional(literal("-")), any_digits(), literal("."), nonzero_digits()}))));
  return *dfa;
}

Dfa decimals(Bound side, const Json& bound) {
  const Decimal b = decimal_of(bound);
  const bool itself = side == Bound::at_least || side == Bound::at_most;
  const bool upwards = side == Bound::at_least || side == Bound::above;
  // A negative bound turns the order of what follows the minus round.
  ExpressionPtr out;
  if (upwards)
    out = b.negative ? choice({any_magnitude(), negative(up_to(b, itself))}) : from(b, itself);
  else if (b.negative)
    out = negative(from(b, itself));
  else
    out = choice({negative(any_magnitude()), b.is_zero() && !itself ? nothing() : up_to(b, itself)});
  return intersection(every_decimal(), Dfa(out));
}

Dfa multiples_of(const Json& step) {
  const Decimal d = decimal_of(step);
  const std::string text = d.whole + d.fraction;
  check(!d.negative && !d.is_zero(), ErrorCode::invalid_argument, "[schema] multipleOf must be positive, got ",
        step.dump());
  constexpr std::int64_t largest = 5000;
  check(text.size() <= 12 && std::stoll(text) <= largest, ErrorCode::unsupported,
        "[schema] \"multipleOf\" = ", step.dump(), " is not supported: its digits may make at most ", largest);
  const std::int64_t modulus = std::stoll(text);
  const auto places = static_cast<std::int64_t>(d.fraction.size());
  // State 0 is the start (a minus may come), then (fraction digits so far, remainder), then those behind the last place
  // that counts, where only zeros may come. A place of -1 is the whole part.
  const auto number = [&](std::int64_t place, std::int64_t remainder) {
    return static_cast<std::int32_t>(1 + (place + 1) * modulus + remainder);
  };
  std::vector<Dfa::State> states(static_cast<std::size_t>(number(places + 1, 0)));
  for (auto& state : states) state.next.fill(Dfa::none);
  std::int64_t scale = 1;  // of what is left to multiply by
  for (std::int64_t place = places; place >= -1; --place) {
    for (std::int64_t r = 0; r < modulus; ++r) {
      Dfa::State& state = states[static_cast<std::size_t>(number(place, r))];
      state.accepting = r * scale % modulus == 0;
      for (std::size_t c = 0; c < 10; ++c) {
        const bool counts = place < places;
        if (!counts && c != 0) continue;
        const std::int64_t next = counts ? (r * 10 + static_cast<std::int64_t>(c)) % modulus : r;
        state.next['0' + c] = number(place < 0 ? -1 : std::min(place + 1, places), next);
      }
      if (place < 0) state.next['.'] = number(0, r);
    }
    if (place > 0) scale = scale * 10 % modulus;
  }
  states[0] = states[static_cast<std::size_t>(number(-1, 0))];
  states[0].accepting = false;
  states[0].next['.'] = Dfa::none;
  states[0].next['-'] = number(-1, 0);
  return intersection(every_decimal(), Dfa(std::move(states)));
}

Dfa number_value(const Json& value) {
  return intersection(decimals(Bound::at_least, value), decimals(Bound::at_most, value));
}

}  // namespace trustformers
