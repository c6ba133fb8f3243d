// Attention with linear biases: positions as penalties on scores instead of vectors (Press et al. 2022).
#pragma once

#include <cstdint>
#include <vector>

#include "../tensor/tensor.h"

namespace trustformers {

/// Biases that grow along the keys, with a slope of its own for each head. What all keys of a query have in common
/// leaves its softmax as it is, so one row of them serves all queries.
class Alibi {
 public:
  /// In what the slopes, the positions and their products are rounded before use.
  enum class Precision { f32, bf16 };

  explicit Alibi(std::int64_t heads, Precision precision = Precision::f32, double scale = 1);
  /// scale · slope · position, to be added to the scores: [B, H, 1, S] for keys at `positions` [B, S] (i64).
  Tensor operator()(const Tensor& positions) const;

  /// 2^(-8/n), 2^(-16/n), ... for the largest power of two n that `heads` allows; further heads get every second slope
  /// of 2n heads.
  static std::vector<float> slopes(std::int64_t heads);

 private:
  std::vector<float> slopes_;
  Precision precision_;
  float scale_;
};

}  // namespace trustformers
