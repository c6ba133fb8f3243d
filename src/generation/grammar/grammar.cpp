#include "grammar.h"

#include <algorithm>

#include "../../base/error.h"
#include "regex.h"

namespace trustformers {
namespace {

std::string name_of(const std::vector<std::string>& names, std::size_t rule) {
  return rule < names.size() ? names[rule] : str("rule ", rule);
}

void check_total(std::size_t states) {
  check(states <= 4 * max_automaton_states, ErrorCode::unsupported, "[grammar] its automata have more than ",
        4 * max_automaton_states, " states");
}

/// Rules that can come to an end: a state is good when it accepts, or leads on to a good one by a byte or by a rule
/// that is known to be finishable. A rule is looked at again when one that it calls is found to be.
std::vector<bool> finishable_rules(const std::vector<RuleAutomaton>& rules) {
  std::vector<bool> finishable(rules.size(), false), waits(rules.size(), true);
  std::vector<std::vector<bool>> good(rules.size());
  std::vector<std::vector<std::size_t>> callers(rules.size());
  std::vector<std::size_t> work;
  for (std::size_t r = rules.size(); r-- > 0;) {
    work.push_back(r);
    good[r].assign(rules[r].states.size(), false);
    for (const RuleAutomaton::State& state : rules[r].states)
      for (const auto& c : state.calls)
        if (callers[c.rule].empty() || callers[c.rule].back() != r) callers[c.rule].push_back(r);
  }
  const auto leads_on = [&](std::size_t r, const RuleAutomaton::State& state) {
    if (state.accepting) return true;
    const auto is_good = [&](std::int32_t to) {
      return to != RuleAutomaton::none && good[r][static_cast<std::size_t>(to)];
    };
    return std::any_of(state.next.begin(), state.next.end(), is_good) ||
           std::any_of(state.calls.begin(), state.calls.end(),
                       [&](const auto& c) { return finishable[c.rule] && is_good(c.target); });
  };
  while (!work.empty()) {
    const std::size_t r = work.back();
    work.pop_back();
    waits[r] = false;
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t s = rules[r].states.size(); s-- > 0;)
        if (!good[r][s] && leads_on(r, rules[r].states[s])) good[r][s] = changed = true;
    }
    if (finishable[r] || rules[r].states.empty() || !good[r][0]) continue;
    finishable[r] = true;
    for (const std::size_t caller : callers[r])
      if (!finishable[caller] && !waits[caller]) {
        waits[caller] = true;
        work.push_back(caller);
      }
  }
  return finishable;
}

/// Automata of all rules; a rule that can never be finished has none. Rules are taken as finishable first and dropped
/// until nothing changes: what calls a dropped rule is built anew.
std::vector<RuleAutomaton> build_rules(const std::vector<ExpressionPtr>& rules) {
  const std::vector<bool> productive(rules.size(), true);
  std::vector<RuleAutomaton> out;
  std::size_t total = 0;
  for (const ExpressionPtr& rule : rules) {
    out.push_back(make_automaton(rule, productive));
    check_total(total += out.back().states.size());
  }
  const std::vector<bool> finishable = finishable_rules(out);
  if (std::find(finishable.begin(), finishable.end(), false) == finishable.end()) return out;
  for (std::size_t r = 0; r < rules.size(); ++r) {
    const auto calls_dropped = [&] {
      for (const auto& state : out[r].states)
        for (const auto& c : state.calls)
          if (!finishable[c.rule]) return true;
      return false;
    };
    if (!finishable[r])
      out[r] = RuleAutomaton();
    else if (calls_dropped())
      out[r] = make_automaton(rules[r], finishable);
  }
  return out;
}

/// Rules that may match the empty text.
std::vector<bool> nullable_rules(const std::vector<RuleAutomaton>& rules) {
  std::vector<bool> nullable(rules.size(), false);
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t r = 0; r < rules.size(); ++r) {
      if (nullable[r] || rules[r].states.empty()) continue;
      std::vector<bool> seen(rules[r].states.size(), false);
      std::vector<std::int32_t> work{0};
      while (!work.empty() && !nullable[r]) {
        const auto s = static_cast<std::size_t>(work.back());
        work.pop_back();
        if (seen[s]) continue;
        seen[s] = true;
        if (rules[r].states[s].accepting) nullable[r] = changed = true;
        for (const auto& c : rules[r].states[s].calls)
          if (nullable[c.rule]) work.push_back(c.target);
      }
    }
  }
  return nullable;
}

/// The rules that a rule may call before it has read anything.
std::vector<std::size_t> first_calls(const RuleAutomaton& rule, const std::vector<bool>& nullable) {
  std::vector<std::size_t> out;
  std::vector<bool> seen(rule.states.size(), false);
  std::vector<std::int32_t> work;
  if (!rule.states.empty()) work.push_back(0);
  while (!work.empty()) {
    const auto s = static_cast<std::size_t>(work.back());
    work.pop_back();
    if (seen[s]) continue;
    seen[s] = true;
    for (const auto& c : rule.states[s].calls) {
      out.push_back(c.rule);
      if (nullable[c.rule]) work.push_back(c.target);
    }
  }
  return out;
}

void refuse_left_recursion(const std::vector<RuleAutomaton>& rules, const std::vector<std::string>& names) {
  const std::vector<bool> nullable = nullable_rules(rules);
  std::vector<std::vector<std::size_t>> first;
  for (const RuleAutomaton& rule : rules) first.push_back(first_calls(rule, nullable));
  enum class Mark : std::uint8_t { fresh, open, done };
  std::vector<Mark> marks(rules.size(), Mark::fresh);
  for (std::size_t root = 0; root < rules.size(); ++root) {
    if (marks[root] != Mark::fresh) continue;
    std::vector<std::pair<std::size_t, std::size_t>> path{{root, 0}};
    marks[root] = Mark::open;
    while (!path.empty()) {
      auto& [rule, next] = path.back();
      if (next == first[rule].size()) {
        marks[rule] = Mark::done;
        path.pop_back();
        continue;
      }
      const std::size_t called = first[rule][next++];
      check(marks[called] != Mark::open, ErrorCode::parse, "[grammar] ", name_of(names, called),
            " calls itself before it has read anything");
      if (marks[called] == Mark::fresh) {
        marks[called] = Mark::open;
        path.emplace_back(called, 0);
      }
    }
  }
}

}  // namespace

Grammar::Grammar(const std::vector<ExpressionPtr>& rules, const std::vector<std::string>& names) {
  const std::vector<RuleAutomaton> automata = build_rules(rules);
  check(!automata.empty() && !automata[0].states.empty(), ErrorCode::invalid_argument,
        "[grammar] there is no text that it allows");
  refuse_left_recursion(automata, names);
  std::vector<std::int32_t> entry;
  std::size_t count = 0;
  for (const RuleAutomaton& rule : automata) {
    entry.push_back(static_cast<std::int32_t>(count));
    count += rule.states.size();
  }
  check_total(count);
  states_.reserve(count);
  for (std::size_t r = 0; r < automata.size(); ++r)
    for (const RuleAutomaton::State& from : automata[r].states) {
      State state{from.next, {}, from.accepting, from.accepting && from.calls.empty()};
      for (std::int32_t& to : state.next)
        if (to != none) {
          to += entry[r];
          state.ends = false;
        }
      for (const auto& c : from.calls) state.calls.push_back({entry[c.rule], c.target + entry[r]});
      states_.push_back(std::move(state));
    }
  find_free_texts();
}

/// Whether all continuation bytes, `more` of them, lead from one state to the other.
bool Grammar::leads(std::int32_t from, std::int32_t to, int more) const {
  if (more == 0) return from == to;
  const State& at = state(from);
  const std::int32_t next = at.next[0x80];
  for (std::size_t b = 0x80; b <= 0xBF; ++b)
    if (at.next[b] != next) return false;
  return next != none && at.calls.empty() && !at.accepting && leads(next, to, more - 1);
}

/// The one state behind every character that JSON need not escape, or none.
std::int32_t Grammar::behind_any_character(const State& s) const {
  const std::int32_t to = s.next[' '];
  if (s.accepting || !s.calls.empty() || to == none) return none;
  for (std::size_t b = 0x20; b < 0x80; ++b)
    if (b != '"' && b != '\\' && s.next[b] != to) return none;
  for (std::size_t b = 0xC2; b <= 0xF4; ++b) {
    const int more = b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
    if (s.next[b] == none) return none;
    if (b != 0xE0 && b != 0xED && b != 0xF0 && b != 0xF4) {
      if (!leads(s.next[b], to, more)) return none;
      continue;
    }
    // Not all second bytes may come behind these.
    const State& second = state(s.next[b]);
    const std::size_t low = b == 0xE0   ? 0xA0
                            : b == 0xF0 ? 0x90
                                        : 0x80,
                      high = b == 0xED   ? 0x9F
                             : b == 0xF4 ? 0x8F
                                         : 0xBF;
    for (std::size_t c = low; c <= high; ++c)
      if (second.next[c] == none || second.next[c] != second.next[low]) return none;
    if (!leads(second.next[low], to, more - 1)) return none;
  }
  const State& target = state(to);
  return target.accepting || !target.calls.empty() ? none : to;
}

void Grammar::find_free_texts() {
  std::vector<std::int32_t> behind;
  for (const State& s : states_) behind.push_back(behind_any_character(s));
  std::vector<bool> known(states_.size(), false);
  std::vector<std::size_t> path;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    path.clear();
    auto at = static_cast<std::int32_t>(i);
    while (!known[static_cast<std::size_t>(at)]) {
      known[static_cast<std::size_t>(at)] = true;
      path.push_back(static_cast<std::size_t>(at));
      State& s = states_[static_cast<std::size_t>(at)];
      if (behind[path.back()] == none) break;
      s.free_characters = endless;  // until its way is seen to end: what meets itself again is endless
      at = behind[path.back()];
    }
    for (std::size_t p = path.size(); p-- > 0;)
      if (behind[path[p]] != none) {
        const std::int32_t next = states_[static_cast<std::size_t>(behind[path[p]])].free_characters;
        states_[path[p]].free_characters = std::min(endless, next + 1);
      }
  }
}

Grammar Grammar::regex(std::string_view pattern) {
  const Dfa dfa = regex_language(pattern, RegexMatch::whole);
  check(!dfa.empty(), ErrorCode::invalid_argument, "[grammar] no text matches /", pattern, "/");
  return Grammar({language(std::make_shared<Dfa>(dfa))});
}

Grammar Grammar::choices(std::span<const std::string> texts) {
  check(!texts.empty(), ErrorCode::invalid_argument, "[grammar] there is nothing to choose from");
  std::vector<ExpressionPtr> parts;
  for (const std::string& text : texts) parts.push_back(literal(text));
  return Grammar({choice(std::move(parts))});
}

}  // namespace trustformers
