// Positions as sines and cosines of falling frequency (Vaswani et al. 2017).
#pragma once

#include <memory>

#include "../tensor/tensor.h"

namespace trustformers {

/// Fixed vectors for positions 0, 1, ...: the first half of the D features are sines, the rest cosines. The table grows
/// as longer positions come; not for use by several threads at once.
class SinusoidalPositions {
 public:
  /// Frequency j is 10000^(-2j/D) (Marian, Pegasus), or 10000^(-j/(D/2 - 1)), which ends at 1/10000 (fairseq).
  enum class Spacing { open, closed };

  SinusoidalPositions() = default;
  SinusoidalPositions(std::int64_t width, Spacing spacing) : width_(width), spacing_(spacing) {}
  /// positions [B or 1, L] i64 -> f32 [B or 1, L, D]
  Tensor operator()(const Tensor& positions) const;

 private:
  Tensor table(std::int64_t rows) const;

  std::int64_t width_ = 0;
  Spacing spacing_ = Spacing::open;
  std::shared_ptr<Tensor> table_ = std::make_shared<Tensor>();
};

}  // namespace trustformers
