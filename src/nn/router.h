// Which experts of a mixture compute a token, and how much each counts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linear.h"

namespace trustformers {

struct RouterConfig {
  std::int64_t hidden_size = 0;
  std::int64_t experts = 0;  // E
  std::int64_t chosen = 0;   // k, experts a token

  /// How a logit becomes the weight of an expert.
  enum class Scoring {
    softmax,     // over all experts; with `renormalise` over the chosen ones
    sigmoid,     // each for itself
    sparsemixer  // two experts, each with a softmax over those within `jitter` of the best left (Liu et al. 2024)
  };
  Scoring scoring = Scoring::softmax;
  bool renormalise = false;  // the weights of a token's experts add up to 1
  double scale = 1;          // of the weights, after that
  bool bias = false;         // of the logits
  /// Scores are compared with `e_score_correction_bias` [E] added, which the weights do not know (DeepSeek-V3).
  bool correction_bias = false;
  double jitter = 0.01;

  /// > 0: experts lie in so many groups, and only the best `chosen_groups` of them are looked at. A group counts as
  /// much as its best expert, or as its two best together.
  std::int64_t groups = 0, chosen_groups = 0;
  bool groups_by_two = false;
};

/// The choice for T tokens.
struct Routing {
  Tensor logits;                      // [T, E]
  Tensor weights;                     // [T, k]
  std::vector<std::int64_t> experts;  // T · k, of a token the best first
};

class Router {
 public:
  Router() = default;
  /// Throws parse naming what does not fit together.
  Router(const Scope& scope, const RouterConfig& config);
  /// x [T, D]. Reads the scores back: what computes next depends on them.
  Routing operator()(const Tensor& x) const;

 private:
  Routing sparsemixer(const Tensor& logits) const;

  RouterConfig config_;
  Linear gate_;
  Tensor correction_;  // [E]
};

/// The auxiliary loss that spreads tokens over experts (Fedus et al. 2021, equations 4 to 6): E · Σ_e share of tokens
/// that chose e · mean probability of e, over the logits [T, E] of all layers. `attention_mask` [B, S] with B · S = T,
/// or undefined: tokens that count.
Tensor load_balancing_loss(std::span<const Tensor> logits, std::int64_t chosen, const Tensor& attention_mask);

}  // namespace trustformers
