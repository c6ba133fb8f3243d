// A model whose scores are a table, so that everything about decoding can be worked out by hand.
#pragma once

#include <cstdint>
#include <vector>

#include "models/model.h"

namespace trustformers::test {

/// Scores depend on the last two tokens. Reads no cache: for use with use_cache = false.
class TableModel final : public Model {
 public:
  TableModel(std::int64_t vocabulary, std::uint32_t seed) {
    common_.vocab_size = vocabulary;
    for (std::int64_t i = 0; i < vocabulary * vocabulary * vocabulary; ++i) {
      seed = seed * 1664525 + 1013904223;
      table_.push_back(static_cast<float>(seed >> 8) / 16777216.0F * 4 - 2);
    }
  }
  bool can_generate() const override { return true; }
  /// [V] after `before`, `last`.
  const float* scores(std::int64_t before, std::int64_t last) const {
    return table_.data() + (before * common_.vocab_size + last) * common_.vocab_size;
  }
  ModelOutput forward(const ModelInputs& inputs) const override {
    const std::int64_t rows = inputs.input_ids.size(0), length = inputs.input_ids.size(1), v = common_.vocab_size;
    const std::int64_t count = inputs.logits_to_keep > 0 ? inputs.logits_to_keep : length;
    ModelOutput out;
    out.logits = Tensor::empty({rows, count, v});
    const auto* ids = inputs.input_ids.data<std::int64_t>();
    for (std::int64_t b = 0; b < rows; ++b)
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t at = b * length + length - count + i;
        const float* from = scores(length - count + i > 0 ? ids[at - 1] : 0, ids[at]);
        std::copy(from, from + v, out.logits.mutable_data<float>() + (b * count + i) * v);
      }
    return out;
  }

 private:
  std::vector<float> table_;
};

}  // namespace trustformers::test
