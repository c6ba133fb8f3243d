// Finite automata over bytes: made of expressions, determinised, combined.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "expression.h"

namespace trustformers {

/// Automata grow no larger; what would is ErrorCode::unsupported.
inline constexpr std::size_t max_automaton_states = 20'000;

/// Deterministic in its bytes; a state may also call rules. Every state is on a way to an accepting one, given that the
/// called rules can be finished.
struct RuleAutomaton {
  static constexpr std::int32_t none = -1;
  struct Call {
    std::size_t rule;
    std::int32_t target;  // where to go on afterwards
  };
  struct State {
    std::array<std::int32_t, 256> next;
    std::vector<Call> calls;
    bool accepting = false;
  };
  std::vector<State> states;  // 0 is the start; empty when nothing is accepted
};

/// `productive[r]`: rule r accepts something; calls of other rules are left out.
RuleAutomaton make_automaton(const ExpressionPtr& expression, const std::vector<bool>& productive);

/// A regular language. Never has a state from which nothing is accepted.
class Dfa {
 public:
  using Table = std::array<std::int32_t, 256>;
  static constexpr std::int32_t none = -1;
  struct State {
    Table next;
    bool accepting = false;
  };

  /// Accepts nothing.
  Dfa() = default;
  /// An expression without calls.
  explicit Dfa(const ExpressionPtr& expression);
  explicit Dfa(std::vector<State> states);

  bool empty() const { return states_.empty(); }
  const std::vector<State>& states() const { return states_; }
  bool accepts(std::string_view text) const;

 private:
  std::vector<State> states_;
};

using DfaPtr = std::shared_ptr<const Dfa>;

Dfa intersection(const Dfa& a, const Dfa& b);
/// What a accepts and b does not.
Dfa difference(const Dfa& a, const Dfa& b);

}  // namespace trustformers
