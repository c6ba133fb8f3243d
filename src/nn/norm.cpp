#include "norm.h"

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/shape/shape_ops.h"

namespace trustformers {

namespace {

/// A gain's weight as the op takes it. True when one must be added at each call, because the weight is being trained.
bool settle_gain(Tensor& weight, NormGain gain, const Scope& scope) {
  if (gain == NormGain::weight || !weight.defined()) return false;
  if (scope.options().trains_model()) return true;
  weight = weight + 1.0;
  return false;
}

Init initial_gain(NormGain gain) { return gain == NormGain::weight ? init_ones : init_zeros; }

}  // namespace

LayerNorm::LayerNorm(const Scope& scope, std::int64_t width, double eps, bool bias, Gain gain)
    : weight_(scope.get("weight", {width}, initial_gain(gain))),
      eps_(eps),
      add_one_(settle_gain(weight_, gain, scope)) {
  if (bias) bias_ = scope.get("bias", {width}, init_zeros);
}

LayerNorm LayerNorm::plain(double eps) {
  LayerNorm out;
  out.eps_ = eps;
  return out;
}

Tensor LayerNorm::operator()(const Tensor& x) const {
  return layer_norm(x, add_one_ ? weight_ + 1.0 : weight_, bias_, eps_);
}

HeadLayerNorm::HeadLayerNorm(const Scope& scope, std::int64_t heads, std::int64_t width, double eps)
    : weight_(scope.get("weight", {heads, width}, init_ones)), eps_(eps) {
  if (weight_.defined() && !scope.options().trains_model()) weight_ = cast(weight_, DType::f32);
}

HeadLayerNorm HeadLayerNorm::listed(const Scope& scope, std::int64_t heads, std::int64_t width, double eps) {
  if (scope.stored("weight")) return HeadLayerNorm(scope, heads, width, eps);
  HeadLayerNorm out(eps);
  bool complete = true;
  for (std::int64_t i = 0; i < heads; ++i) {
    out.list_.push_back((scope / "norms" / i).get("weight", {width}, init_ones));
    complete = complete && out.list_.back().defined();
  }
  if (complete && !scope.options().trains_model()) out.weight_ = stack(out.list_, 0);
  return out;
}

Tensor HeadLayerNorm::operator()(const Tensor& x) const {
  return layer_norm(x, {}, {}, eps_) * (weight_.defined() ? weight_ : stack(list_, 0));
}

RmsNorm::RmsNorm(const Scope& scope, std::int64_t width, double eps, Gain gain)
    : weight_(scope.get("weight", {width}, initial_gain(gain))),
      eps_(eps),
      add_one_(settle_gain(weight_, gain, scope)) {}

RmsNorm RmsNorm::plain(double eps) {
  RmsNorm out;
  out.eps_ = eps;
  return out;
}

Tensor RmsNorm::operator()(const Tensor& x) const { return rms_norm(x, add_one_ ? weight_ + 1.0 : weight_, eps_); }

}  // namespace trustformers
