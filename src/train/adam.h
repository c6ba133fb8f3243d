// Adam and AdamW.
#pragma once

#include "optimizer.h"

namespace trustformers {

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  WeightDecay weight_decay;
};

/// As torch.optim.Adam (Kingma & Ba 2015), with g the gradient + weight_decay · w, at step t from 1:
///   m ← β₁m + (1 - β₁)g,  v ← β₂v + (1 - β₂)g²,
///   w ← w - lr · m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + eps).
class Adam : public Optimizer {
 public:
  explicit Adam(std::vector<NamedTensor> parameters, const AdamOptions& options = {})
      : Adam(std::move(parameters), options, false) {}

 protected:
  Adam(std::vector<NamedTensor> parameters, const AdamOptions& options, bool decoupled_decay);

 private:
  void update(const Update& u) override;
  AdamOptions options_;
  bool decoupled_decay_;
  State first_, second_;  // m, v
};

/// As torch.optim.AdamW (Loshchilov & Hutter 2019): the decay acts on the weights alone,
///   w ← w · (1 - lr · weight_decay), then Adam's step with the plain gradient.
class AdamW final : public Adam {
 public:
  /// PyTorch's default decay is 0.01; here it is what `options` says, 0 unless set.
  explicit AdamW(std::vector<NamedTensor> parameters, const AdamOptions& options = {})
      : Adam(std::move(parameters), options, true) {}
};

}  // namespace trustformers
