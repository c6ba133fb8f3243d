#include "norm.h"

#include "../ops/elementwise/binary.h"

namespace trustformers {

LayerNorm::LayerNorm(const Scope& scope, std::int64_t width, double eps, bool bias)
    : weight_(scope.get("weight", {width}, init_ones)), eps_(eps) {
  if (bias) bias_ = scope.get("bias", {width}, init_zeros);
}

LayerNorm LayerNorm::plain(double eps) {
  LayerNorm out;
  out.eps_ = eps;
  return out;
}

RmsNorm::RmsNorm(const Scope& scope, std::int64_t width, double eps, Gain gain)
    : weight_(scope.get("weight", {width}, gain == Gain::weight ? init_ones : init_zeros)), eps_(eps) {
  if (gain == Gain::weight || !weight_.defined()) return;
  add_one_ = scope.options().trains_model();
  if (!add_one_) weight_ = weight_ + 1.0;
}

RmsNorm RmsNorm::plain(double eps) {
  RmsNorm out;
  out.eps_ = eps;
  return out;
}

Tensor RmsNorm::operator()(const Tensor& x) const { return rms_norm(x, add_one_ ? weight_ + 1.0 : weight_, eps_); }

}  // namespace trustformers
