// The keys and values of past positions: the one cache that all attention layers share.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "../base/function_ref.h"
#include "../tensor/tensor.h"

namespace trustformers {

/// One buffer [B, H, capacity, D] per layer and kind. Copies share nothing. One of the two rooms where tensors change
/// (law 10): not to be used while gradients are recorded.
class KVCache {
 public:
  KVCache() = default;
  KVCache(const KVCache&) = delete;
  KVCache& operator=(const KVCache&) = delete;
  KVCache(KVCache&&) = default;
  KVCache& operator=(KVCache&&) = default;

  struct KeysValues {
    Tensor keys, values;  // [B, H, S, D]: views of the buffers, past positions and the new ones
  };
  /// Appends k and v [B, H, L, D] of `layer` and returns everything it holds now.
  KeysValues update(std::size_t layer, const Tensor& k, const Tensor& v);

  /// Keys and values of `layer` that do not grow, such as those of an encoder's states: `make` is called once, the
  /// result is kept until clear(). Rows of select_rows() are those of the batch here too.
  KeysValues fixed(std::size_t layer, FunctionRef<KeysValues()> make);

  /// Positions held by the first layer; all layers agree between forward passes.
  std::int64_t length() const { return layers_.empty() ? 0 : layers_[0].length; }
  /// Positions that the first update of an empty cache brought.
  std::int64_t prompt_length() const { return prompt_length_; }
  /// Makes room for `positions`, so that updates up to there allocate nothing.
  void reserve(std::int64_t positions) { reserved_ = positions; }
  /// Forgets everything from `length` on, except what is fixed. Throws out_of_range when there is less.
  void truncate(std::int64_t length);
  void clear();
  /// Keeps the batch rows `rows` in that order (finished requests leave, beams move).
  void select_rows(std::span<const std::int64_t> rows);
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
