// The norms of transformer layers, and Norm: whichever of them a config asks for.
#pragma once

#include <variant>
#include <vector>

#include "../ops/norm/norm.h"
#include "parameters.h"

namespace trustformers {

/// What the normalised values are multiplied by: the weight, or one plus it (Gemma, Nemotron).
enum class NormGain { weight, one_plus_weight };

/// Over the last dimension [..., D] -> [..., D], with weight and bias [D].
class LayerNorm {
 public:
  using Gain = NormGain;

  LayerNorm() = default;
  LayerNorm(const Scope& scope, std::int64_t width, double eps, bool bias = true, Gain gain = Gain::weight);
  /// Without weights (OLMo).
  static LayerNorm plain(double eps);
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor weight_, bias_;
  double eps_ = 1e-5;
  bool add_one_ = false;  // at each call, because the weight is being trained
};

/// LayerNorm of single heads [..., H, D] -> [..., H, D] with a weight for each head and no bias.
class HeadLayerNorm {
 public:
  /// One weight [H, D].
  HeadLayerNorm(const Scope& scope, std::int64_t heads, std::int64_t width, double eps);
  /// A weight [D] for each head: norms.0, norms.1, ... (StableLM); one for all if the checkpoint has that instead.
  static HeadLayerNorm listed(const Scope& scope, std::int64_t heads, std::int64_t width, double eps);
  Tensor operator()(const Tensor& x) const;

 private:
  explicit HeadLayerNorm(double eps) : eps_(eps) {}

  Tensor weight_;             // undefined while the listed ones are being trained
  std::vector<Tensor> list_;  // H times [D]
  double eps_;
};

/// Over the last dimension [..., D] -> [..., D], with weight [D].
class RmsNorm {
 public:
  using Gain = NormGain;

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
  Norm(LayerNorm norm) : norm_(std::move(norm)) {}      // NOLINT(google-explicit-constructor): a norm is a Norm
  Norm(RmsNorm norm) : norm_(std::move(norm)) {}        // NOLINT(google-explicit-constructor)
  Norm(HeadLayerNorm norm) : norm_(std::move(norm)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return norm_.index() != 0; }
  Tensor operator()(const Tensor& x) const {
    if (const auto* layer = std::get_if<LayerNorm>(&norm_)) return (*layer)(x);
    if (const auto* rms = std::get_if<RmsNorm>(&norm_)) return (*rms)(x);
    if (const auto* heads = std::get_if<HeadLayerNorm>(&norm_)) return (*heads)(x);
    return x;
  }

 private:
  std::variant<std::monostate, LayerNorm, RmsNorm, HeadLayerNorm> norm_;
};

}  // namespace trustformers
