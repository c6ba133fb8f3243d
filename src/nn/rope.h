// Rotary embedding tables for every scaling that configs ask for.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "../ops/attention/rope.h"
#include "config.h"

namespace trustformers {

/// The rope part of a config in its new form (`rope_parameters`) or its old one (`rope_theta` with `rope_scaling`).
struct RopeConfig {
  std::string type = "default";  // default, linear, dynamic, yarn, longrope, llama3
  double theta = 10000;
  double partial_rotary_factor = 1;
  std::optional<double> factor;  // none: 1; yarn and longrope: max_position_embeddings / original_max_positions
  std::optional<double> attention_factor;
  std::int64_t original_max_positions = 0;  // 0: max_position_embeddings
  // yarn (Peng et al. 2023)
  double beta_fast = 32, beta_slow = 1;
  std::optional<double> mscale, mscale_all_dim;
  bool truncate = true;
  // llama3
  double low_freq_factor = 1, high_freq_factor = 4;
  // longrope (Ding et al. 2024)
  std::vector<double> short_factor, long_factor;

  /// How cos and sin are scaled up to and beyond the original positions (Phi-3.5-MoE).
  std::optional<double> short_mscale, long_mscale;

  /// Keys that are absent keep the value of `defaults`.
  static RopeConfig parse(const Json& config, std::string_view where, const RopeConfig& defaults);
  /// The same from the object for one layer type inside `rope_parameters`, which models have whose layer types turn
  /// differently (Gemma 3); `defaults` when there is none.
  static RopeConfig parse_nested(const Json& config, std::string_view where, const RopeConfig& defaults,
                                 std::string_view layer_type);
};

/// Turns queries and keys. Tables grow as longer positions come; not for use by several threads at once.
class RotaryEmbedding {
 public:
  RotaryEmbedding() = default;
  RotaryEmbedding(const RopeConfig& config, std::int64_t head_dim, std::int64_t max_positions,
                  bool interleaved = false);

  /// The tables for positions below `positions` (`dynamic` and `longrope` depend on that number).
  struct Tables {
    Tensor cos, sin;  // [P, R]
  };
  Tables tables(std::int64_t positions) const;
  /// True when there are two sets of tables, of which the longest position chooses one (longrope): keys turned by one
  /// set mean nothing to queries turned by the other.
  bool has_long_set() const;
  /// True when tables() depends on more than the config: how a position is turned hangs on the longest one.
  bool follows_length() const {
    return config_.type == "dynamic" || config_.type == "longrope" || config_.long_mscale.has_value();
  }
  /// True when positions below `positions` take the second of them.
  bool takes_long_set(std::int64_t positions) const {
    return has_long_set() && positions > config_.original_max_positions;
  }
  /// x [B, H, L, D], positions [B, L].
  Tensor operator()(const Tensor& x, const Tables& tables, const Tensor& positions) const {
    return rope(x, tables.cos, tables.sin, positions, interleaved_);
  }

 private:
  std::vector<float> inverse_frequencies(std::int64_t length) const;
  double factor() const;
  double attention_factor(std::int64_t length) const;

  RopeConfig config_;
  std::int64_t rotary_dim_ = 0;
  std::int64_t max_positions_ = 0;
  bool interleaved_ = false;
  struct Cache {
    std::int64_t key = -1;  // what the tables depend on besides the config
    Tables tables;
  };
  std::shared_ptr<Cache> cache_ = std::make_shared<Cache>();
};

}  // namespace trustformers
