// Feed-forward layers of transformers: [B, L, D] -> [B, L, D].
#pragma once

#include <memory>
#include <vector>

#include "activation.h"
#include "linear.h"

namespace trustformers {

class FeedForward {
 public:
  virtual ~FeedForward() = default;
  virtual Tensor operator()(const Tensor& x) const = 0;
  /// The same; a layer with a router appends its logits [B·L, E] to `router_logits` unless that is nullptr.
  virtual Tensor routed(const Tensor& x, std::vector<Tensor>* /*router_logits*/) const { return (*this)(x); }
};

struct MlpShape {
  std::int64_t hidden_size = 0, intermediate_size = 0;
  bool bias = false;
  Linear::Stored stored = Linear::Stored::output_major;
};

/// output(act(input(x))), the two Linears under the names given.
std::unique_ptr<FeedForward> plain_mlp(const Scope& scope, const MlpShape& shape, ActivationFunction act,
                                       std::string_view input, std::string_view output);

struct GatedMlpNames {
  std::string_view gate = "gate_proj", up = "up_proj", down = "down_proj";
};
/// down(act(gate(x)) · up(x)) (Shazeer 2020).
std::unique_ptr<FeedForward> gated_mlp(const Scope& scope, const MlpShape& shape, ActivationFunction act,
                                       const GatedMlpNames& names = {});
/// The same with gate and up in one matrix [2·I, D], the gate's rows first.
std::unique_ptr<FeedForward> fused_gated_mlp(const Scope& scope, const MlpShape& shape, ActivationFunction act,
                                             std::string_view gate_up = "gate_up_proj",
                                             std::string_view down = "down_proj");

}  // namespace trustformers
