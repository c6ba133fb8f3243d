// The norms of transformer layers, and Norm: whichever of them a config asks for.
#pragma once

#include <variant>

#include "../ops/norm/norm.h"
#include "parameters.h"

namespace trustformers {

/// Over the last dimension [..., D] -> [..., D], with weight and bias [D].
class LayerNorm {
 public:
  LayerNorm() = default;
  LayerNorm(const Scope& scope, std::int64_t width, double eps, bool bias = true);
  /// Without weights (OLMo).
  static LayerNorm plain(double eps);
  Tensor operator()(const Tensor& x) const { return layer_norm(x, weight_, bias_, eps_); }

 private:
  Tensor weight_, bias_;
  double eps_ = 1e-5;
};

/// Over the last dimension [..., D] -> [..., D], with weight [D].
class RmsNorm {
 public:
  /// What the normalised values are multiplied by: the weight, or one plus it (Gemma).
  enum class Gain { weight, one_plus_weight };

  RmsNorm() = default;
  RmsNorm(const Scope& scope, std::int64_t width, double eps, Gain gain = Gain::weight);
  /// Without a weight.
  static RmsNorm plain(double eps);
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor weight_;
  double eps_ = 1e-6;
  bool add_one_ = false;  // at each call, because the weight is being trained
};

/// One of the norms, or none: then x itself.
class Norm {
 public:
  Norm() = default;
  Norm(LayerNorm norm) : norm_(std::move(norm)) {}  // NOLINT(google-explicit-constructor): a norm is a Norm
  Norm(RmsNorm norm) : norm_(std::move(norm)) {}    // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return norm_.index() != 0; }
  Tensor operator()(const Tensor& x) const {
    if (const auto* layer = std::get_if<LayerNorm>(&norm_)) return (*layer)(x);
    if (const auto* rms = std::get_if<RmsNorm>(&norm_)) return (*rms)(x);
    return x;
  }

 private:
  std::variant<std::monostate, LayerNorm, RmsNorm> norm_;
};

}  // namespace trustformers
