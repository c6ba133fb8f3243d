// The modules that sentence-transformers puts behind an encoder: pooling, dense layers, normalisation.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "../base/json.h"
#include "../nn/activation.h"
#include "../nn/linear.h"

namespace trustformers {

/// From states [B, L, D] to vectors: one part of width D for each mode, side by side in the order of the enum.
class SentencePooling {
 public:
  enum class Mode {
    cls,            // the first position
    max,            // the largest of each feature
    mean,           // sum / n
    mean_sqrt_len,  // sum / sqrt(n)
    weighted_mean,  // later positions count more: weights 1, 2, 3, ...
    last_token      // the last position that is no padding
  };
  explicit SentencePooling(std::vector<Mode> modes = {Mode::mean}) : modes_(std::move(modes)) {}
  /// The mode of a name: "cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"; or nothing.
  static std::optional<Mode> find_mode(std::string_view name);
  /// The config.json of a Pooling module, with a flag for each mode or all in "pooling_mode". `where` is named in
  /// errors: parse, and unsupported for an unknown mode.
  static SentencePooling parse(const Json& config, std::string_view where);

  /// hidden [B, L, D], attention_mask [B, L] -> [B, D · modes]. Padding is left out of all but cls.
  Tensor operator()(const Tensor& hidden, const Tensor& attention_mask) const;
  const std::vector<Mode>& modes() const { return modes_; }

 private:
  std::vector<Mode> modes_;
};

/// act(linear(x)): [B, in] -> [B, out].
class SentenceDense {
 public:
  /// A Dense module's folder: config.json and weights "linear.weight", "linear.bias". Errors: as of reading them, and
  /// unsupported for an unknown activation function.
  static SentenceDense open(const std::filesystem::path& folder);
  Tensor operator()(const Tensor& x) const { return act_(linear_(x)); }
  std::int64_t inputs() const { return linear_.weight().size(1); }
  std::int64_t outputs() const { return linear_.weight().size(0); }

 private:
  Linear linear_;
  ActivationFunction act_;
};

/// x / max(|x|, 1e-12) over the last dimension.
Tensor l2_normalized(const Tensor& x);

}  // namespace trustformers
