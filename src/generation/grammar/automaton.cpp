#include "automaton.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "../../base/error.h"

namespace trustformers {
namespace {

void check_size(std::size_t states) {
  check(states <= max_automaton_states, ErrorCode::unsupported,
        "[grammar] the automaton of a rule would have more than ", max_automaton_states, " states");
}

/// Thompson's construction.
class Nfa {
 public:
  struct Edge {
    ByteSet bytes;
    std::size_t rule = 0;
    bool is_call = false;
    std::int32_t target = 0;
  };
  struct State {
    std::vector<Edge> edges;
    std::vector<std::int32_t> free;  // moves without a byte
  };

  Nfa(const ExpressionPtr& expression, const std::vector<bool>& productive) : productive_(productive) {
    const std::int32_t start = add();
    end_ = build(*expression, start);
  }
  const State& state(std::int32_t i) const { return states_[static_cast<std::size_t>(i)]; }
  std::int32_t end() const { return end_; }

  /// Adds what is reachable without a byte; sorted.
  void close(std::vector<std::int32_t>& set) const {
    std::vector<std::uint8_t>& seen = seen_;
    seen.resize(states_.size(), 0);
    for (const std::int32_t s : set) seen[static_cast<std::size_t>(s)] = 1;
    for (std::size_t i = 0; i < set.size(); ++i)
      for (const std::int32_t to : state(set[i]).free)
        if (!seen[static_cast<std::size_t>(to)]) {
          seen[static_cast<std::size_t>(to)] = 1;
          set.push_back(to);
        }
    for (const std::int32_t s : set) seen[static_cast<std::size_t>(s)] = 0;
    std::sort(set.begin(), set.end());
  }

 private:
  std::int32_t add() {
    check_size(states_.size() / 8);  // determinising drops most of them
    states_.emplace_back();
    return static_cast<std::int32_t>(states_.size()) - 1;
  }
  void link(std::int32_t from, std::int32_t to) { states_[static_cast<std::size_t>(from)].free.push_back(to); }

  /// Adds the expression behind `from`; returns where it ends.
  std::int32_t build(const Expression& e, std::int32_t from) {
    check_size(++parts_ / 8);  // repetitions of nothing add no states, but take their time
    switch (e.kind) {
      case Expression::Kind::bytes: {
        const std::int32_t to = add();
        states_[static_cast<std::size_t>(from)].edges.push_back({e.bytes, 0, false, to});
        return to;
      }
      case Expression::Kind::call: {
        const std::int32_t to = add();
        if (productive_.at(e.rule)) states_[static_cast<std::size_t>(from)].edges.push_back({{}, e.rule, true, to});
        return to;
      }
      case Expression::Kind::sequence: {
        for (const ExpressionPtr& part : e.parts) from = build(*part, from);
        return from;
      }
      case Expression::Kind::choice: {
        const std::int32_t to = add();
        for (const ExpressionPtr& part : e.parts) {
          const std::int32_t start = add();
          link(from, start);
          link(build(*part, start), to);
        }
        return to;
      }
      case Expression::Kind::repeat: return build_repeat(e, from);
      case Expression::Kind::language: return build_language(*e.language, from);
    }
    return from;
  }

  std::int32_t build_repeat(const Expression& e, std::int32_t from) {
    const Expression& part = *e.parts[0];
    for (std::int64_t i = 0; i < e.least; ++i) from = build(part, from);
    if (e.most == Expression::unbounded) {
      const std::int32_t loop = add(), to = add();
      link(from, loop);
      link(build(part, loop), loop);
      link(loop, to);
      return to;
    }
    const std::int32_t to = add();
    for (std::int64_t i = e.least; i < e.most; ++i) {
      link(from, to);
      from = build(part, from);
    }
    link(from, to);
    return to;
  }

  std::int32_t build_language(const Dfa& dfa, std::int32_t from) {
    const std::int32_t to = add();
    std::vector<std::int32_t> place;
    for (std::size_t i = 0; i < dfa.states().size(); ++i) place.push_back(add());
    if (!place.empty()) link(from, place[0]);
    for (std::size_t i = 0; i < dfa.states().size(); ++i) {
      std::map<std::int32_t, ByteSet> targets;
      for (std::size_t b = 0; b < 256; ++b)
        if (const std::int32_t next = dfa.states()[i].next[b]; next != Dfa::none) targets[next].set(b);
      for (const auto& [next, bytes] : targets)
        states_[static_cast<std::size_t>(place[i])].edges.push_back(
            {bytes, 0, false, place[static_cast<std::size_t>(next)]});
      if (dfa.states()[i].accepting) link(place[i], to);
    }
    return to;
  }

  const std::vector<bool>& productive_;
  std::vector<State> states_;
  std::size_t parts_ = 0;
  std::int32_t end_ = 0;
  mutable std::vector<std::uint8_t> seen_;
};

/// Keeps the states that `keep` names, the start first; targets that go become none.
std::vector<std::int32_t> renumber(const std::vector<bool>& keep) {
  std::vector<std::int32_t> place(keep.size(), Dfa::none);
  std::int32_t next = 0;
  for (std::size_t i = 0; i < keep.size(); ++i)
    if (keep[i]) place[i] = next++;
  return place;
}

/// States from which an accepting one can be reached. `targets(i, visit)` lists where i leads.
template <class Accepting, class Targets>
std::vector<bool> useful_states(std::size_t count, Accepting accepting, Targets targets) {
  std::vector<std::vector<std::size_t>> sources(count);
  std::vector<bool> useful(count, false);
  std::vector<std::size_t> work;
  for (std::size_t i = 0; i < count; ++i) {
    targets(i, [&](std::int32_t to) { sources[static_cast<std::size_t>(to)].push_back(i); });
    if (accepting(i)) {
      useful[i] = true;
      work.push_back(i);
    }
  }
  while (!work.empty()) {
    const std::size_t at = work.back();
    work.pop_back();
    for (const std::size_t from : sources[at])
      if (!useful[from]) {
        useful[from] = true;
        work.push_back(from);
      }
  }
  return useful;
}

/// Subset construction. The sets may be many and large at once: what would take much time or memory is refused.
RuleAutomaton determinize(const Nfa& nfa) {
  RuleAutomaton out;
  std::map<std::vector<std::int32_t>, std::int32_t> known;
  std::vector<const std::vector<std::int32_t>*> sets;
  const auto state_of = [&](std::vector<std::int32_t> set) {
    nfa.close(set);
    const auto [at, fresh] = known.emplace(std::move(set), static_cast<std::int32_t>(sets.size()));
    if (fresh) {
      check_size(sets.size());
      sets.push_back(&at->first);
    }
    return at->second;
  };
  constexpr std::size_t most_work = std::size_t{1} << 28;
  std::size_t work = 0;
  state_of({0});
  for (std::size_t i = 0; i < sets.size(); ++i) {
    RuleAutomaton::State state;
    state.next.fill(RuleAutomaton::none);
    std::map<std::size_t, std::vector<std::int32_t>> calls;
    std::vector<const Nfa::Edge*> edges;
    for (const std::int32_t s : *sets[i]) {
      state.accepting = state.accepting || s == nfa.end();
      for (const Nfa::Edge& edge : nfa.state(s).edges) {
        if (edge.is_call)
          calls[edge.rule].push_back(edge.target);
        else
          edges.push_back(&edge);
      }
    }
    work += 16 * sets[i]->size() + 256 * edges.size();
    check(work <= most_work, ErrorCode::unsupported, "[grammar] the automaton of a rule takes too much work to build");
    // Bytes that lead to the same targets are treated together.
    std::map<std::vector<std::int32_t>, std::int32_t> by_targets;
    std::vector<std::int32_t> targets;
    for (std::size_t b = 0; b < 256; ++b) {
      targets.clear();
      for (const Nfa::Edge* edge : edges)
        if (edge->bytes[b]) targets.push_back(edge->target);
      if (targets.empty()) continue;
      std::sort(targets.begin(), targets.end());
      targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
      const auto found = by_targets.find(targets);
      state.next[b] =
          found != by_targets.end() ? found->second : by_targets.emplace(targets, state_of(targets)).first->second;
    }
    for (auto& [rule, set] : calls) state.calls.push_back({rule, state_of(set)});
    out.states.push_back(std::move(state));
  }
  return out;
}

/// Bytes that no state tells apart stand for one another: the first of each kind, in order.
std::vector<std::size_t> kinds_of_bytes(const std::vector<RuleAutomaton::State>& states) {
  std::vector<std::size_t> out;
  for (std::size_t b = 0; b < 256; ++b) {
    const auto same = [&](std::size_t other) {
      return std::all_of(states.begin(), states.end(), [&](const auto& s) { return s.next[b] == s.next[other]; });
    };
    if (std::none_of(out.rbegin(), out.rend(), same)) out.push_back(b);
  }
  return out;
}

/// Makes one of states that accept the same (Moore's refinement). Automata that would take long are left alone: there
/// are as many rounds as texts are long that tell states apart.
void merge_equal_states(std::vector<RuleAutomaton::State>& states) {
  constexpr std::size_t largest = 3000;
  if (states.size() < 2 || states.size() > largest) return;
  const std::vector<std::size_t> kinds = kinds_of_bytes(states);
  std::vector<std::int32_t> block(states.size());
  for (std::size_t i = 0; i < states.size(); ++i) block[i] = states[i].accepting ? 1 : 0;
  constexpr std::size_t most_work = std::size_t{1} << 25, per_state = 32;
  std::size_t work = 0;
  for (std::size_t count = 0;;) {
    work += states.size() * (kinds.size() + per_state);
    if (work > most_work) return;
    std::vector<std::int32_t> key;  // of all states, one behind the other
    std::vector<std::size_t> begins;
    for (std::size_t i = 0; i < states.size(); ++i) {
      begins.push_back(key.size());
      key.push_back(block[i]);
      const auto place = [&](std::int32_t to) {
        return to == RuleAutomaton::none ? to : block[static_cast<std::size_t>(to)];
      };
      for (const std::size_t b : kinds) key.push_back(place(states[i].next[b]));
      for (const auto& c : states[i].calls) {
        key.push_back(static_cast<std::int32_t>(c.rule));
        key.push_back(place(c.target));
      }
    }
    begins.push_back(key.size());
    std::unordered_map<std::string_view, std::int32_t> keys;
    for (std::size_t i = 0; i < states.size(); ++i) {
      const std::string_view mine(reinterpret_cast<const char*>(key.data() + begins[i]),
                                  (begins[i + 1] - begins[i]) * sizeof(std::int32_t));
      block[i] = keys.emplace(mine, static_cast<std::int32_t>(keys.size())).first->second;
    }
    if (keys.size() == count) break;
    count = keys.size();
  }
  // Blocks have the order of their first states, so the start stays first.
  std::vector<RuleAutomaton::State> out;
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (static_cast<std::size_t>(block[i]) < out.size()) continue;
    RuleAutomaton::State state = states[i];
    for (std::int32_t& to : state.next)
      if (to != RuleAutomaton::none) to = block[static_cast<std::size_t>(to)];
    for (auto& c : state.calls) c.target = block[static_cast<std::size_t>(c.target)];
    out.push_back(std::move(state));
  }
  states = std::move(out);
}

}  // namespace

RuleAutomaton make_automaton(const ExpressionPtr& expression, const std::vector<bool>& productive) {
  RuleAutomaton all = determinize(Nfa(expression, productive));
  const std::vector<bool> useful = useful_states(
      all.states.size(), [&](std::size_t i) { return all.states[i].accepting; },
      [&](std::size_t i, auto visit) {
        std::int32_t before = RuleAutomaton::none;
        for (const std::int32_t to : all.states[i].next) {
          if (to != RuleAutomaton::none && to != before) visit(to);
          before = to;
        }
        for (const auto& c : all.states[i].calls) visit(c.target);
      });
  RuleAutomaton out;
  if (!useful[0]) return out;
  const std::vector<std::int32_t> place = renumber(useful);
  for (std::size_t i = 0; i < all.states.size(); ++i) {
    if (!useful[i]) continue;
    RuleAutomaton::State& state = all.states[i];
    for (std::int32_t& to : state.next)
      if (to != RuleAutomaton::none) to = place[static_cast<std::size_t>(to)];
    std::erase_if(state.calls, [&](const auto& c) { return !useful[static_cast<std::size_t>(c.target)]; });
    for (auto& c : state.calls) c.target = place[static_cast<std::size_t>(c.target)];
    out.states.push_back(std::move(state));
  }
  merge_equal_states(out.states);
  return out;
}

Dfa::Dfa(const ExpressionPtr& expression) {
  for (const RuleAutomaton::State& state : make_automaton(expression, {}).states)
    states_.push_back({state.next, state.accepting});
}

Dfa::Dfa(std::vector<State> states) {
  if (states.empty()) return;
  const std::vector<bool> useful = useful_states(
      states.size(), [&](std::size_t i) { return states[i].accepting; },
      [&](std::size_t i, auto visit) {
        std::int32_t before = none;
        for (const std::int32_t to : states[i].next) {
          if (to != none && to != before) visit(to);
          before = to;
        }
      });
  if (!useful[0]) return;
  const std::vector<std::int32_t> place = renumber(useful);
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (!useful[i]) continue;
    for (std::int32_t& to : states[i].next)
      if (to != none) to = place[static_cast<std::size_t>(to)];
    states_.push_back(states[i]);
  }
}

bool Dfa::accepts(std::string_view text) const {
  if (states_.empty()) return false;
  std::int32_t at = 0;
  for (const char c : text) {
    at = states_[static_cast<std::size_t>(at)].next[static_cast<unsigned char>(c)];
    if (at == none) return false;
  }
  return states_[static_cast<std::size_t>(at)].accepting;
}

namespace {

/// Runs both at once; `b` may be lost (none) when `b_may_fail`. A pair accepts where `accepts(a, b)` says so.
template <class Accepts>
Dfa product(const Dfa& a, const Dfa& b, bool b_may_fail, Accepts accepts) {
  if (a.empty() || (b.empty() && !b_may_fail)) return Dfa();
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> known;
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs;
  const auto state_of = [&](std::int32_t x, std::int32_t y) {
    const auto [at, fresh] = known.emplace(std::pair(x, y), static_cast<std::int32_t>(pairs.size()));
    if (fresh) {
      check_size(pairs.size());
      pairs.emplace_back(x, y);
    }
    return at->second;
  };
  state_of(0, b.empty() ? Dfa::none : 0);
  std::vector<Dfa::State> states;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto [x, y] = pairs[i];
    const Dfa::State& sx = a.states()[static_cast<std::size_t>(x)];
    const Dfa::State* sy = y == Dfa::none ? nullptr : &b.states()[static_cast<std::size_t>(y)];
    Dfa::State state;
    state.next.fill(Dfa::none);
    state.accepting = accepts(sx.accepting, sy && sy->accepting);
    for (std::size_t c = 0; c < 256; ++c) {
      const std::int32_t to = sx.next[c], other = sy ? sy->next[c] : Dfa::none;
      if (to != Dfa::none && (b_may_fail || other != Dfa::none)) state.next[c] = state_of(to, other);
    }
    states.push_back(state);
  }
  return Dfa(std::move(states));
}

}  // namespace

Dfa intersection(const Dfa& a, const Dfa& b) {
  return product(a, b, false, [](bool x, bool y) { return x && y; });
}

Dfa difference(const Dfa& a, const Dfa& b) {
  return product(a, b, true, [](bool x, bool y) { return x && !y; });
}

}  // namespace trustformers
