// Processors that know how long the text is. Lengths count padding, as transformers' do.
#pragma once

#include "../logits_processor.h"

namespace trustformers {

/// No end token before the text has `length` tokens.
class MinLength final : public LogitsProcessor {
 public:
  MinLength(std::size_t length, std::vector<std::int64_t> eos) : length_(length), eos_(std::move(eos)) {}
  void process(const RowState& row, std::span<float> scores) override;

 private:
  std::size_t length_;
  std::vector<std::int64_t> eos_;
};

/// From `start` tokens on, end tokens gain |score| · (factor^(length - start) - 1).
class LengthDecay final : public LogitsProcessor {
 public:
  LengthDecay(std::size_t start, double factor, std::vector<std::int64_t> eos)
      : start_(start), factor_(factor), eos_(std::move(eos)) {}
  void process(const RowState& row, std::span<float> scores) override;

 private:
  std::size_t start_;
  double factor_;
  std::vector<std::int64_t> eos_;
};

}  // namespace trustformers
