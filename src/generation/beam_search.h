// The bookkeeping of beam search, one prompt at a time and without a model: which candidates go on, which are done.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "../base/function_ref.h"
#include "beam_constraints.h"
#include "config.h"

namespace trustformers {

/// A continuation of a running beam by one token.
struct BeamCandidate {
  float score = 0;  // sum of log-probabilities
  std::int64_t beam = 0, token = 0;
};

struct FinishedBeam {
  float score = 0;  // with the length penalty
  std::vector<std::int64_t> ids;
};

/// The beams of one prompt, or of one group of them.
class BeamSearch {
 public:
  /// `limit`: new tokens at most. `words` may be empty.
  BeamSearch(const GenerationConfig& config, std::int64_t beams, std::int64_t limit, const WordConstraints& words);

  std::int64_t beams() const { return beams_; }
  bool done() const { return done_; }
  float score(std::size_t beam) const { return scores_[beam]; }

  /// Takes log-probabilities [beams, V] (changed) and the running texts after `generated` new tokens; chooses what goes
  /// on, as one candidate a beam. `seed` and `stream` address the draws of sampled beams; `stops` says whether a text
  /// ends with a token, beside the end tokens.
  using Stops = FunctionRef<bool(const BeamCandidate& candidate)>;
  const std::vector<BeamCandidate>& step(std::span<float> log_probs,
                                         std::span<const std::span<const std::int64_t>> texts,
                                         std::int64_t prompt_length, std::uint64_t seed, std::uint64_t stream,
                                         Stops stops);

  /// What was finished, best first.
  const std::vector<FinishedBeam>& finished() const { return finished_; }

 private:
  struct Ranked : BeamCandidate {
    bool ends = false;
    std::int64_t missing = 0;  // tokens of words
  };
  void list_candidates(std::span<const float> totals, std::int64_t vocabulary, std::uint64_t seed, std::uint64_t stream,
                       std::uint64_t step);
  void add_word_candidates(std::span<const float> totals, std::int64_t vocabulary,
                           std::span<const std::span<const std::int64_t>> texts, std::int64_t prompt_length,
                           Stops stops);
  void finish(std::span<const std::span<const std::int64_t>> texts, std::int64_t generated);
  void choose_running();
  bool may_improve(std::int64_t generated) const;

  const GenerationConfig& config_;
  const WordConstraints& words_;
  std::int64_t beams_, limit_;
  bool done_ = false;
  bool exhausted_ = false;  // nothing goes on
  std::vector<float> scores_;
  std::vector<Ranked> candidates_;  // in the order in which they were chosen
  std::vector<BeamCandidate> running_;
  std::vector<FinishedBeam> finished_;
  std::vector<std::int64_t> order_;
};

}  // namespace trustformers
