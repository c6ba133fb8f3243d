// Stochastic gradient descent.
#pragma once

#include "optimizer.h"

namespace trustformers {

struct SgdOptions {
  double momentum = 0;
  bool nesterov = false;
  WeightDecay weight_decay;  // as an L2 term of the loss
};

/// As torch.optim.SGD (Sutskever et al. 2013), with g the gradient + weight_decay · w:
///   b ← momentum · b + g (b = g at first);  w ← w - lr · b, or w - lr · (g + momentum · b) with Nesterov's momentum.
class Sgd final : public Optimizer {
 public:
  explicit Sgd(std::vector<NamedTensor> parameters, SgdOptions options = {});

 private:
  void update(const Update& u) override;
  SgdOptions options_;
  State momentum_;
};

}  // namespace trustformers
