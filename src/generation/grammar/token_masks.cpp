#include "token_masks.h"

#include <algorithm>

#include "../../base/error.h"
#include "closure.h"

namespace trustformers {
namespace {

/// More tokens than one in so many are kept as bits.
constexpr std::size_t sparse_share = 64;

}  // namespace

TokenMasks::TokenMasks(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTrie> trie)
    : grammar_(std::move(grammar)), trie_(std::move(trie)) {}

const TokenMasks::Reach& TokenMasks::reach(std::int32_t state, std::uint32_t node) {
  const std::uint64_t key = (static_cast<std::uint64_t>(static_cast<std::uint32_t>(state)) << 32) | node;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(key); found != known_.end()) return *found->second;
  }
  auto fresh = std::make_unique<Reach>(explore(state, node));
  const std::lock_guard lock(mutex_);
  return *known_.emplace(key, std::move(fresh)).first->second;
}

/// A walk through the trie with all readings of the bytes on the way.
class TokenMasks::Walk {
 public:
  Walk(const Grammar& grammar, const TokenTrie& trie) : grammar_(grammar), trie_(trie) {}

  Reach run(std::int32_t state, std::uint32_t from) {
    const auto& nodes = trie_.nodes();
    levels_.resize(1);
    levels_[0].open.push_back({state, -1});
    close(levels_[0], from);
    const std::size_t base = nodes[from].depth;
    for (std::uint32_t i = from + 1; i < nodes[from].end;) {
      const TokenTrie::Node& node = nodes[i];
      const std::size_t depth = node.depth - base;
      if (levels_.size() <= depth) levels_.resize(depth + 1);
      if (!step(levels_[depth - 1], levels_[depth], node.byte, i)) {
        i = node.end;
        continue;
      }
      const std::int32_t single = levels_[depth].single.state;
      const bool all_below = single != Grammar::none && node.plain_below >= 0 &&
                             node.plain_below <= grammar_.state(single).free_characters;
      const auto tokens = all_below ? trie_.tokens_below(node) : trie_.tokens(node);
      out_.tokens.insert(out_.tokens.end(), tokens.begin(), tokens.end());
      i = all_below ? node.end : i + 1;
    }
    return std::move(out_);
  }

 private:
  struct Level {
    /// The usual case inside texts, one reading that calls nothing and cannot be over: `open` is not looked at then.
    GrammarFrame single{Grammar::none, -1};
    std::vector<GrammarFrame> open;
    std::size_t callers = 0;  // how many of the list are of this level and those before it
  };

  bool is_simple(std::int32_t state) const {
    const Grammar::State& s = grammar_.state(state);
    return !s.accepting && s.calls.empty();
  }

  bool step(const Level& before, Level& now, std::uint8_t byte, std::uint32_t node) {
    if (before.single.state != Grammar::none) {
      const std::int32_t to = grammar_.state(before.single.state).next[byte];
      if (to == Grammar::none) return false;
      now.callers = before.callers;
      if (is_simple(to)) {
        now.single = {to, before.single.caller};
        return true;
      }
      now.open.assign(1, {to, before.single.caller});
    } else {
      now.open.clear();
      for (const GrammarFrame& frame : before.open)
        if (const std::int32_t to = grammar_.state(frame.state).next[byte]; to != Grammar::none)
          now.open.push_back({to, frame.caller});
      if (now.open.empty()) return false;
      if (now.open.size() == 1 && is_simple(now.open[0].state)) {
        now.single = now.open[0];
        now.callers = before.callers;
        return true;
      }
    }
    now.single.state = Grammar::none;
    callers_.resize(before.callers);
    close(now, node);
    return true;
  }

  void close(Level& level, std::uint32_t node) {
    const std::size_t mine = callers_.size();
    const bool over = close_frames(grammar_, level.open, callers_, [&](GrammarFrame frame) {
      for (std::size_t i = mine; i < callers_.size(); ++i)
        if (callers_[i] == frame) return static_cast<std::int32_t>(i);
      callers_.push_back(frame);
      return static_cast<std::int32_t>(callers_.size()) - 1;
    });
    check(level.open.size() <= max_readings, ErrorCode::unsupported, "[grammar] it reads a text in more than ",
          max_readings, " ways");
    level.callers = callers_.size();
    if (over && trie_.nodes()[node].end > node + 1) out_.exits.push_back(node);
  }

  const Grammar& grammar_;
  const TokenTrie& trie_;
  std::vector<GrammarFrame> callers_;  // those of the readings on the way, a stack
  std::vector<Level> levels_;
  Reach out_;
};

TokenMasks::Reach TokenMasks::explore(std::int32_t state, std::uint32_t node) const {
  Reach out = Walk(*grammar_, *trie_).run(state, node);
  if (out.tokens.size() * sparse_share > trie_->vocabulary()) {
    out.bits.assign((trie_->vocabulary() + 63) / 64, 0);
    for (const std::uint32_t token : out.tokens) out.bits[token / 64] |= std::uint64_t{1} << (token % 64);
    out.tokens = {};
  }
  return out;
}

void TokenMasks::warm_up() {
  constexpr int many_loops = 32;   // bytes that lead back: the inside of words
  constexpr int wide_states = 24;  // their beginnings and the like, where many bytes may come; so many of them at most
  int wide = 0;
  for (std::size_t i = 0; i < grammar_->state_count(); ++i) {
    const auto at = static_cast<std::int32_t>(i);
    const Grammar::State& state = grammar_->state(at);
    const auto loops = std::count(state.next.begin(), state.next.end(), at);
    const auto closed = std::count(state.next.begin(), state.next.end(), Grammar::none);
    const bool is_wide = 256 - closed >= many_loops && state.free_characters == 0 && wide < wide_states;
    wide += is_wide ? 1 : 0;
    if (loops >= many_loops || is_wide || state.free_characters == Grammar::endless) reach(at, 0);
  }
}

}  // namespace trustformers
