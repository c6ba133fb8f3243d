// Which tokens may come in which state of a grammar: found once for each state, kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "grammar.h"
#include "token_trie.h"

namespace trustformers {

/// Ambiguous grammars could keep more and more readings of a text: more are refused.
inline constexpr std::size_t max_readings = 4096;

/// A position inside a rule, and where its callers go on: a list of frames, the innermost first.
struct GrammarFrame {
  std::int32_t state = 0;
  std::int32_t caller = -1;  // a frame of the same list, -1: the text ends with the rule
  friend bool operator==(const GrammarFrame&, const GrammarFrame&) = default;
};

/// Threads may share one; what they find is found once.
class TokenMasks {
 public:
  TokenMasks(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTrie> trie);

  const Grammar& grammar() const { return *grammar_; }
  const TokenTrie& trie() const { return *trie_; }

  /// What a rule does with the bytes below a node of the trie, from one of its states on.
  struct Reach {
    std::vector<std::uint64_t> bits;    // tokens that it takes without leaving the rule; empty when they are few
    std::vector<std::uint32_t> tokens;  // those few
    std::vector<std::uint32_t> exits;   // nodes at which the rule may be over and more bytes follow
  };
  const Reach& reach(std::int32_t state, std::uint32_t node);

  /// Finds beforehand what is slow to find and surely needed: the tokens inside free texts.
  void warm_up();

 private:
  class Walk;
  Reach explore(std::int32_t state, std::uint32_t node) const;
  std::shared_ptr<const Grammar> grammar_;
  std::shared_ptr<const TokenTrie> trie_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Reach>> known_;
};

}  // namespace trustformers
