// Grammars: rules over bytes that may call each other. Regular expressions, choices, GBNF and JSON Schema all become
// one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "automaton.h"

namespace trustformers {

/// What may be said. Immutable; threads may share it.
class Grammar {
 public:
  /// Rule 0 is the start. `names` (for messages) may be empty. Errors: invalid_argument when nothing matches, parse for
  /// a rule that calls itself before it reads anything, unsupported when an automaton grows too large.
  explicit Grammar(const std::vector<ExpressionPtr>& rules, const std::vector<std::string>& names = {});

  /// Texts that match the pattern as a whole.
  static Grammar regex(std::string_view pattern);
  /// One of the texts. Throws invalid_argument for an empty list.
  static Grammar choices(std::span<const std::string> texts);
  /// GBNF as llama.cpp reads it: the rule "root" is the start. Errors: parse with the line.
  static Grammar gbnf(std::string_view text);
  /// Any JSON value (RFC 8259), with modest white space.
  static Grammar json();
  /// JSON that is valid against a JSON Schema (a text of draft-07 or 2020-12). A keyword that cannot be enforced is
  /// unsupported and named; see docs/structured-output.md.
  static Grammar json_schema(std::string_view schema);

  /// All rules' automata in one numbering.
  struct Call {
    std::int32_t entry;  // the called rule's start
    std::int32_t target;
  };
  struct State {
    std::array<std::int32_t, 256> next;
    std::vector<Call> calls;
    bool accepting = false;
    /// Nothing but the end of the rule follows.
    bool ends = false;
    /// So many characters of any kind may come that JSON need not escape: the inside of a text. endless: it leads back.
    std::int32_t free_characters = 0;
  };
  static constexpr std::int32_t endless = 1 << 30;
  static constexpr std::int32_t none = -1;
  const State& state(std::int32_t i) const { return states_[static_cast<std::size_t>(i)]; }
  std::size_t state_count() const { return states_.size(); }
  std::int32_t start() const { return 0; }

 private:
  bool leads(std::int32_t from, std::int32_t to, int more) const;
  std::int32_t behind_any_character(const State& s) const;
  void find_free_texts();

  std::vector<State> states_;
};

}  // namespace trustformers
