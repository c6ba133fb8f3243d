// Processors of the numbers themselves, and classifier-free guidance.
#pragma once

#include "../logits_processor.h"

namespace trustformers {

/// NaN becomes 0, infinities the largest and smallest finite numbers.
class RemoveInvalid final : public LogitsProcessor {
 public:
  void process(const RowState& row, std::span<float> scores) override;
};

/// log_softmax, so that scores are log-probabilities.
class Renormalize final : public LogitsProcessor {
 public:
  void process(const RowState& row, std::span<float> scores) override;
};

/// unconditional + scale · (conditional - unconditional), written over `conditional` (Ho & Salimans 2022). Both [V].
void apply_guidance(std::span<float> conditional, std::span<const float> unconditional, double scale);

}  // namespace trustformers
