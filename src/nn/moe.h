// Mixtures of experts (Shazeer et al. 2017): a router chooses a few feed-forwards for each token.
#pragma once

#include "feed_forward.h"
#include "router.h"

namespace trustformers {

/// How the experts lie in the checkpoint and what one computes.
struct ExpertsConfig {
  std::int64_t intermediate_size = 0;  // I
  enum class Stored {
    one_by_one,          // <e>.gate_proj, <e>.up_proj, <e>.down_proj
    stacked,             // [E, 2I, D] with the gate's rows first, and [E, D, I]
    stacked_input_major  // [E, D, 2I] and [E, I, D]
  };
  /// Whatever this says, a checkpoint may have gate_proj.weight [E, I, D], up_proj.weight and down_proj.weight [E, D,
  /// I] (GGUF), each with a .bias if there is one.
  Stored stored = Stored::one_by_one;
  GatedMlpNames names = {};  // of one_by_one
  // Of the stacked ones:
  std::string_view gate_up = "gate_up_proj", down = "down_proj";
  bool bias = false;         // <gate_up>_bias [E, 2I] and <down>_bias [E, D]
  bool interleaved = false;  // gate and up alternate
  ActivationFunction activation = {};
  /// > 0: clamp(gate, ≤ limit) · sigmoid(alpha · gate) · (clamp(up, ±limit) + 1) instead (gpt-oss).
  double limit = 0, alpha = 0;
};

/// A part of the mixture that computes every token.
struct SharedExpert {
  std::unique_ptr<FeedForward> mlp;
  Linear gate = {};  // when `gated`: [1, D], the output is multiplied by sigmoid(gate(x))
  bool gated = false;
};

struct MoeConfig {
  RouterConfig router;
  ExpertsConfig experts;
  bool weigh_inputs = false;  // the weights multiply what goes into the experts instead of what comes out (Llama 4)
};

/// Σ over a token's experts of weight · expert(x), and the shared expert's output if there is one. Only the chosen
/// experts compute, each all its tokens at once. `router` and `experts` are the places of their parameters.
std::unique_ptr<FeedForward> mixture_of_experts(const Scope& router, const Scope& experts, const MoeConfig& config,
                                                SharedExpert shared = {});

}  // namespace trustformers
