// Processors that know what was said: penalties on tokens seen before and bans on repeated phrases. Padding does not
// count as said.
#pragma once

#include "../logits_processor.h"

namespace trustformers {

/// Divides positive and multiplies negative scores of every token that was said by `penalty` (Keskar et al. 2019); the
/// first `ignored` tokens do not count.
class RepetitionPenalty final : public LogitsProcessor {
 public:
  explicit RepetitionPenalty(double penalty, std::size_t ignored = 0);
  void process(const RowState& row, std::span<float> scores) override;

 private:
  float penalty_;
  std::size_t ignored_;
  std::vector<std::uint8_t> marks_;
};

/// Raises tokens of the source by the same rule, so that the answer keeps to it.
class SourceRepetitionPenalty final : public LogitsProcessor {
 public:
  explicit SourceRepetitionPenalty(double penalty);
  void process(const RowState& row, std::span<float> scores) override;

 private:
  float penalty_;
  std::vector<std::uint8_t> marks_;
};

/// Subtracts `presence` once and `frequency` per occurrence from tokens that were generated (OpenAI's API).
class FrequencyPenalty final : public LogitsProcessor {
 public:
  FrequencyPenalty(double presence, double frequency) : presence_(presence), frequency_(frequency) {}
  void process(const RowState& row, std::span<float> scores) override;

 private:
  double presence_, frequency_;
  std::vector<std::int32_t> counts_;
};

/// "Don't repeat yourself": a token that would extend a repetition of length n >= allowed_length loses
/// multiplier · base^(n - allowed_length). Breakers end repetitions.
struct DrySettings {
  double multiplier = 0;
  double base = 1.75;
  std::int64_t allowed_length = 2;
  /// Only the last so many tokens count; 0: all.
  std::int64_t last_tokens = 0;
  std::vector<std::int64_t> breakers;
};
class Dry final : public LogitsProcessor {
 public:
  explicit Dry(DrySettings settings);
  void process(const RowState& row, std::span<float> scores) override;

 private:
  DrySettings settings_;
  std::vector<std::int32_t> matches_;
  std::vector<std::int32_t> longest_;
};

/// No phrase of `size` tokens comes twice.
class NoRepeatNgram final : public LogitsProcessor {
 public:
  explicit NoRepeatNgram(std::int64_t size);
  void process(const RowState& row, std::span<float> scores) override;

 private:
  std::size_t size_;
};

/// No phrase of `size` tokens of the source comes.
class NoSourceNgram final : public LogitsProcessor {
 public:
  explicit NoSourceNgram(std::int64_t size);
  void process(const RowState& row, std::span<float> scores) override;

 private:
  std::size_t size_;
};

}  // namespace trustformers
