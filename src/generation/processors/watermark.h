// Watermarks: biases that a detector who knows the key finds again.
#pragma once

#include "../logits_processor.h"

namespace trustformers {

/// PyTorch's CPU torch.randperm(n) of a generator seeded with `seed`: mt19937 and a Fisher-Yates shuffle.
std::vector<std::int64_t> torch_permutation(std::uint64_t seed, std::size_t n);
/// PyTorch's CPU torch.randint(0, 2, (n,)) of such a generator.
std::vector<std::uint8_t> torch_coin_flips(std::uint64_t seed, std::size_t n);

/// A share of the vocabulary, chosen by the tokens before, is likelier by `bias` (Kirchenbauer et al. 2023). The green
/// lists are those of transformers.
struct WatermarkSettings {
  double greenlist_ratio = 0.25;
  double bias = 2;
  std::uint64_t hashing_key = 15485863;
  bool self_hash = false;  // else "lefthash"
  std::size_t context_width = 1;
};
class Watermark final : public LogitsProcessor {
 public:
  explicit Watermark(WatermarkSettings settings);
  void process(const RowState& row, std::span<float> scores) override;

 private:
  std::uint64_t seed_after(std::span<const std::int64_t> context) const;
  WatermarkSettings settings_;
  std::vector<std::int64_t> table_;  // of self_hash
};

/// SynthID-Text (Dathathri et al. 2024): a tournament of coin flips that the last tokens decide.
struct SynthIdSettings {
  std::size_t ngram_len = 5;
  std::vector<std::int64_t> keys;
  std::size_t context_history_size = 1024;
  std::uint64_t sampling_table_seed = 0;
  std::size_t sampling_table_size = 65536;
  bool skip_first_ngram_calls = false;
};
class SynthIdWatermark final : public LogitsProcessor {
 public:
  explicit SynthIdWatermark(SynthIdSettings settings);
  void process(const RowState& row, std::span<float> scores) override;
  const std::vector<std::uint8_t>& sampling_table() const { return table_; }

 private:
  std::uint64_t context_hash(std::span<const std::int64_t> generated) const;
  SynthIdSettings settings_;
  std::vector<std::uint8_t> table_;
  std::vector<double> probabilities_;
  std::vector<std::uint64_t> history_;
  std::vector<std::uint8_t> flips_;
};

}  // namespace trustformers
