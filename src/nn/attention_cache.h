// What attention layers ask of a cache, whoever keeps it and however.
#pragma once

#include <cstdint>
#include <span>

#include "../base/function_ref.h"
#include "../ops/attention/attention.h"

namespace trustformers {

/// Keys and values of past positions, by layer. Law 10 allows it to change; not to be used while gradients are
/// recorded.
class AttentionCache {
 public:
  AttentionCache() = default;
  virtual ~AttentionCache() = default;
  AttentionCache(const AttentionCache&) = delete;
  AttentionCache& operator=(const AttentionCache&) = delete;

  struct KeysValues {
    Tensor keys, values;  // [B, H, S, D]
  };

  /// Appends k and v [B, Hkv, L, D] of `layer` and returns everything it holds now, past positions and the new ones.
  /// Where texts have different lengths, the shorter ones are zeros on the left.
  virtual KeysValues update(std::size_t layer, const Tensor& k, const Tensor& v) = 0;

  /// Appends k and v and attends to all: attention() of q [B, Hq, L, D] with everything held. Where texts have
  /// different lengths, bias and masks are as those of texts padded on the left.
  virtual Tensor attend(std::size_t layer, const Tensor& q, const Tensor& k, const Tensor& v,
                        const AttentionAttrs& attrs, const Tensor& key_mask, const Tensor& bias,
                        const Tensor& sinks) = 0;

  /// Attends to keys and values that do not grow, such as those of an encoder's states. `make` and `key_mask` are
  /// asked in the first pass alone.
  virtual Tensor attend_fixed(std::size_t layer, const Tensor& q, FunctionRef<KeysValues()> make,
                              const AttentionAttrs& attrs, const Tensor& key_mask) = 0;

  /// Positions held of every text, or of the longest. The same throughout a pass for the first layer to ask.
  virtual std::int64_t length() const = 0;
  /// Positions held of each text where these differ, else empty.
  virtual std::span<const std::int64_t> lengths() const { return {}; }
  /// Positions that the first pass brought.
  virtual std::int64_t prompt_length() const = 0;
  /// Forgets everything.
  virtual void clear() = 0;

 protected:
  AttentionCache(AttentionCache&&) = default;
  AttentionCache& operator=(AttentionCache&&) = default;
};

/// Throws invalid_argument when k or v would take gradients along.
void check_no_gradients(const Tensor& k, const Tensor& v);

}  // namespace trustformers
