// Samplers' filters: each keeps the tokens worth drawing from and gives the others -inf (transformers' "warpers").
#pragma once

#include <limits>

#include "../logits_processor.h"

namespace trustformers {

/// scores / temperature
class Temperature final : public LogitsProcessor {
 public:
  /// Throws invalid_argument unless positive.
  explicit Temperature(double temperature);
  void process(const RowState& row, std::span<float> scores) override;

 private:
  float temperature_;
};

/// What all filters share.
struct KeepRule {
  /// So many of the likeliest tokens stay whatever the filter says.
  std::int64_t at_least = 1;
  /// The score of tokens that go.
  float removed = -std::numeric_limits<float>::infinity();
};

/// Keeps the k likeliest tokens, and all that tie with the k-th (Fan et al. 2018).
class TopK final : public LogitsProcessor {
 public:
  explicit TopK(std::int64_t k, KeepRule keep = {});
  void process(const RowState& row, std::span<float> scores) override;

 private:
  std::int64_t k_;
  KeepRule keep_;
  std::vector<float> scratch_;
};

/// Drops the tail of tokens whose probabilities, from the least likely up, sum to at most 1 - p (Holtzman et al. 2019).
class TopP final : public LogitsProcessor {
 public:
  explicit TopP(double p, KeepRule keep = {});
  void process(const RowState& row, std::span<float> scores) override;

 private:
  double p_;
  KeepRule keep_;
  std::vector<std::int32_t> order_;
};

/// Drops tokens less likely than min_p times the likeliest (Nguyen et al. 2024).
class MinP final : public LogitsProcessor {
 public:
  explicit MinP(double min_p, KeepRule keep = {});
  void process(const RowState& row, std::span<float> scores) override;

 private:
  double min_p_;
  KeepRule keep_;
  std::vector<float> scratch_;
};

/// Keeps, from the likeliest down, tokens whose entropy terms sum to at most top_h of the whole entropy; only the 100
/// likeliest tokens count (Potraghloo et al. 2025).
class TopH final : public LogitsProcessor {
 public:
  explicit TopH(double top_h);
  void process(const RowState& row, std::span<float> scores) override;

 private:
  double top_h_;
  std::vector<std::int32_t> order_;
};

/// Keeps the tokens whose surprise is closest to the expected one until they have `mass` (Meister et al. 2022).
class TypicalP final : public LogitsProcessor {
 public:
  explicit TypicalP(double mass, KeepRule keep = {});
  void process(const RowState& row, std::span<float> scores) override;

 private:
  double mass_;
  KeepRule keep_;
  std::vector<float> distance_;
  std::vector<std::int32_t> order_;
};

/// Drops tokens less likely than epsilon (Hewitt et al. 2022).
class EpsilonCutoff final : public LogitsProcessor {
 public:
  explicit EpsilonCutoff(double epsilon, KeepRule keep = {});
  void process(const RowState& row, std::span<float> scores) override;

 private:
  double epsilon_;
  KeepRule keep_;
  std::vector<float> scratch_;
};

/// Drops tokens less likely than min(epsilon, sqrt(epsilon) · exp(-entropy)) (Hewitt et al. 2022).
class EtaCutoff final : public LogitsProcessor {
 public:
  explicit EtaCutoff(double epsilon, KeepRule keep = {});
  void process(const RowState& row, std::span<float> scores) override;

 private:
  double epsilon_;
  KeepRule keep_;
  std::vector<float> scratch_;
};

/// "Exclude top choices": with the given probability drops, of the tokens at least as likely as the threshold, all but
/// the least likely. Draws from its own stream of the row's seed.
class Xtc final : public LogitsProcessor {
 public:
  Xtc(double probability, double threshold);
  void process(const RowState& row, std::span<float> scores) override;

 private:
  double probability_, threshold_;
};

}  // namespace trustformers
