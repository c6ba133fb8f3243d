// The keys and values of past positions of texts that are read together.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attention_cache.h"

namespace trustformers {

/// One buffer [B, H, capacity, D] per layer and kind. Copies share nothing. One of the two rooms where tensors change
/// (law 10): not to be used while gradients are recorded.
class KVCache final : public AttentionCache {
 public:
  KVCache() = default;
  KVCache(KVCache&&) = default;
  KVCache& operator=(KVCache&&) = default;

  /// Views of the buffers.
  KeysValues update(std::size_t layer, const Tensor& k, const Tensor& v) override;
  Tensor attend(std::size_t layer, const Tensor& q, const Tensor& k, const Tensor& v, const AttentionAttrs& attrs,
                const Tensor& key_mask, const Tensor& bias, const Tensor& sinks) override;
  Tensor attend_fixed(std::size_t layer, const Tensor& q, FunctionRef<KeysValues()> make, const AttentionAttrs& attrs,
                      const Tensor& key_mask) override;

  /// Keys and values of `layer` that do not grow, such as those of an encoder's states: `make` is called once, the
  /// result is kept until clear(). Rows of select_rows() are those of the batch here too.
  KeysValues fixed(std::size_t layer, FunctionRef<KeysValues()> make);

  /// Positions held by the first layer; all layers agree between forward passes.
  std::int64_t length() const override { return layers_.empty() ? 0 : layers_[0].length; }
  /// Positions that the first update of an empty cache brought.
  std::int64_t prompt_length() const override { return prompt_length_; }
  /// Makes room for `positions`, so that updates up to there allocate nothing.
  void reserve(std::int64_t positions) { reserved_ = positions; }
  /// Forgets everything from `length` on, except what is fixed. Throws out_of_range when there is less.
  void truncate(std::int64_t length);
  void clear() override;
  /// Keeps the batch rows `rows` in that order (finished requests leave, beams move).
  void select_rows(std::span<const std::int64_t> rows);
  /// The same of what grows alone, for rows that stay with the same fixed keys (the beams of one text).
  void select_growing_rows(std::span<const std::int64_t> rows);
  /// Bytes of the buffers.
  std::int64_t bytes() const;

 private:
  struct Layer {
    Tensor keys, values;
    std::int64_t length = 0;
  };
  void grow(Layer& layer, const Tensor& k, const Tensor& v, std::int64_t needed) const;
  std::vector<Layer> layers_;
  std::vector<KeysValues> fixed_;
  std::int64_t reserved_ = 0;
  std::int64_t prompt_length_ = 0;
};

}  // namespace trustformers
