// One step of a grammar's automata with a stack: shared by the matcher and the search for token masks.
#pragma once

#include <algorithm>

#include "token_masks.h"

namespace trustformers {

/// Adds to `open` what can be reached without a byte: rules that are called, callers of rules that are over.
/// `push(state, caller)` makes a frame to return to. Returns true when the outermost rule may be over.
template <class Callers, class Push>
bool close_frames(const Grammar& grammar, std::vector<GrammarFrame>& open, const Callers& callers, Push push) {
  bool over = false;
  const auto add = [&](GrammarFrame frame) {
    if (std::find(open.begin(), open.end(), frame) == open.end()) open.push_back(frame);
  };
  for (std::size_t i = 0; i < open.size(); ++i) {
    const GrammarFrame at = open[i];
    const Grammar::State& state = grammar.state(at.state);
    if (state.accepting) {
      if (at.caller < 0)
        over = true;
      else
        add(callers[static_cast<std::size_t>(at.caller)]);
    }
    for (const Grammar::Call& c : state.calls)
      // Nothing is left to do in a rule that ends with a call: the stack does not grow.
      add({c.entry, grammar.state(c.target).ends ? at.caller : push(GrammarFrame{c.target, at.caller})});
  }
  return over;
}

}  // namespace trustformers
