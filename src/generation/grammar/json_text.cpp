#include "json_text.h"

#include "grammar.h"

namespace trustformers {
namespace {

ByteSet bytes_between(unsigned char first, unsigned char last) {
  ByteSet set;
  for (unsigned b = first; b <= last; ++b) set.set(b);
  return set;
}
ByteSet bytes_of(std::string_view list) {
  ByteSet set;
  for (const char c : list) set.set(static_cast<unsigned char>(c));
  return set;
}
const ByteSet& hex_digits() {
  static const ByteSet set = bytes_between('0', '9') | bytes_between('a', 'f') | bytes_between('A', 'F');
  return set;
}
ExpressionPtr digit() { return any_of(bytes_between('0', '9')); }

/// \uXXXX: a character that is no surrogate, or a pair of them.
ExpressionPtr unicode_escape() {
  const ExpressionPtr hex = any_of(hex_digits());
  const ExpressionPtr d = any_of(bytes_of("dD"));
  const ByteSet not_d = hex_digits() & ~bytes_of("dD");
  const ExpressionPtr plain =
      choice({sequence({any_of(not_d), hex, hex, hex}), sequence({d, any_of(bytes_between('0', '7')), hex, hex})});
  const ExpressionPtr pair =
      sequence({d, any_of(bytes_of("89abAB")), hex, hex, literal("\\u"), d, any_of(bytes_of("cdefCDEF")), hex, hex});
  return sequence({literal("u"), choice({plain, pair})});
}

/// What the escaped character behind a backslash means.
constexpr std::pair<char, char> short_escapes[] = {{'"', '"'},  {'\\', '\\'}, {'b', '\b'}, {'f', '\f'},
                                                   {'n', '\n'}, {'r', '\r'},  {'t', '\t'}};

}  // namespace

JsonRules::JsonRules(std::vector<ExpressionPtr>& rules) {
  const auto add = [&](ExpressionPtr rule) {
    rules.push_back(std::move(rule));
    return call(rules.size() - 1);
  };
  space_ = add(optional(
      choice({literal(" "), sequence({repeat(literal("\n"), 1, 2), repeat(any_of(bytes_of(" \t")), 0, 20)})})));
  const ExpressionPtr plain = code_points(other_code_points({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}}));
  const ExpressionPtr escape = sequence({literal("\\"), choice({any_of(bytes_of("\"\\/bfnrt")), unicode_escape()})});
  string_ = add(sequence({literal("\""), repeat(choice({plain, escape}), 0), literal("\"")}));
  const std::size_t value = rules.size();
  rules.emplace_back();
  value_ = call(value);
  const auto list_of = [&](std::string_view open, const ExpressionPtr& item, std::string_view close) {
    const ExpressionPtr more = repeat(sequence({literal(","), space_, item, space_}), 0);
    return sequence({literal(open), space_, optional(sequence({item, space_, more})), literal(close)});
  };
  rules[value] =
      choice({literal("null"), literal("true"), literal("false"), json_number(), string_, list_of("[", value_, "]"),
              list_of("{", sequence({string_, space_, literal(":"), space_, value_}), "}")});
}

ExpressionPtr json_number() {
  const ExpressionPtr whole =
      choice({literal("0"), sequence({any_of(bytes_between('1', '9')), repeat(digit(), 0, 15)})});
  return sequence(
      {optional(literal("-")), whole, optional(sequence({literal("."), repeat(digit(), 1, 16)})),
       optional(sequence({any_of(bytes_of("eE")), optional(any_of(bytes_of("+-"))), repeat(digit(), 1, 2)}))});
}

ExpressionPtr json_string(const Dfa& text) {
  std::vector<Dfa::State> states = text.states();
  const std::size_t count = states.size();
  const auto add = [&] {
    Dfa::State fresh;
    fresh.next.fill(Dfa::none);
    states.push_back(fresh);
    return static_cast<std::int32_t>(states.size()) - 1;
  };
  const auto set = [&](std::int32_t from, char byte, std::int32_t to) {
    states[static_cast<std::size_t>(from)].next[static_cast<unsigned char>(byte)] = to;
  };
  for (std::size_t s = 0; s < count; ++s) {
    const Dfa::Table meant = text.states()[s].next;
    const auto after = [&](int character) { return meant[static_cast<std::size_t>(character)]; };
    for (int c = 0; c < 0x20; ++c) states[s].next[static_cast<std::size_t>(c)] = Dfa::none;
    states[s].next['"'] = states[s].next['\\'] = Dfa::none;
    bool any = false, control = false;
    for (int c = 0; c < 0x20; ++c) control = control || after(c) != Dfa::none;
    any = control || after('"') != Dfa::none || after('\\') != Dfa::none;
    if (!any) continue;
    const std::int32_t escape = add();
    states[s].next['\\'] = escape;
    for (const auto& [letter, character] : short_escapes)
      set(escape, letter, after(static_cast<unsigned char>(character)));
    if (!control) continue;
    const std::int32_t u = add(), zero = add(), zeros = add();
    set(escape, 'u', u);
    set(u, '0', zero);
    set(zero, '0', zeros);
    for (int high = 0; high < 2; ++high) {
      const std::int32_t last = add();
      set(zeros, static_cast<char>('0' + high), last);
      for (int low = 0; low < 16; ++low) {
        const std::int32_t to = after(high * 16 + low);
        set(last, "0123456789abcdef"[low], to);
        set(last, "0123456789ABCDEF"[low], to);
      }
    }
  }
  return sequence({literal("\""), language(std::make_shared<Dfa>(Dfa(std::move(states)))), literal("\"")});
}

Grammar Grammar::json() {
  std::vector<ExpressionPtr> rules(1);
  const JsonRules shared(rules);
  rules[0] = shared.value();
  return Grammar(rules);
}

}  // namespace trustformers
