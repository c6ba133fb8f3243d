// Adafactor.
#pragma once

#include <limits>

#include "optimizer.h"

namespace trustformers {

struct AdafactorOptions {
  double beta2_decay = -0.8;                            // the second moment's memory at step t is 1 - t^beta2_decay
  double eps1 = std::numeric_limits<float>::epsilon();  // the least root of the second moment
  double eps2 = 1e-3;                                   // the least root mean square of the weights that scales steps
  double clipping = 1;                                  // d: the largest root mean square of an update
  WeightDecay weight_decay;                             // decoupled, as AdamW's
};

/// As torch.optim.Adafactor (Shazeer & Stern 2018), at step t from 1, with RMS(x) = ‖x‖₂ / √n and κ = t^beta2_decay:
///   w ← w · (1 - lr · weight_decay);  α = max(eps2, RMS(w)) · min(lr, 1/√t), RMS of w before the decay
///   matrices: R ← R + κ(mean of g² over columns - R), C ← C + κ(mean over rows - C), V = R·C / max(mean(R), eps1)
///   vectors:  V ← V + κ(g² - V)
///   U = g / √max(V, eps1²);  w ← w - α / max(1, RMS(U) / d) · U
/// The state of a matrix is one row and one column; tensors of higher rank are stacks of matrices.
class Adafactor final : public Optimizer {
 public:
  explicit Adafactor(std::vector<NamedTensor> parameters, AdafactorOptions options = {});

 private:
  void update(const Update& u) override;
  /// Updates R and C and gives 1 / √max(V, eps1²) · g.
  std::vector<float> factored(const Update& u, float memory);
  std::vector<float> whole(const Update& u, float memory);
  AdafactorOptions options_;
  State rows_, columns_, second_;
};

}  // namespace trustformers
