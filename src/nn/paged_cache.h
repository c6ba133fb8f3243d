// Keys and values of texts that are read together but live their own lives: each in pages of its own, beginnings
// shared.
#pragma once

#include <memory>
#include <vector>

#include "attention_cache.h"

namespace trustformers {

/// Keys and values of `length` positions in all layers; freed with the last text that holds it.
struct CachePage {
  static constexpr std::int64_t length = 64;            // a block of keys of the attention kernels
  std::vector<AttentionCache::KeysValues> layers = {};  // [Hkv, length, D], undefined until first written
  std::int64_t bytes() const;
};

/// What is cached of one text.
struct CachedText {
  /// In order; all but the last are full. A full page may belong to several texts: it is never written again.
  std::vector<std::shared_ptr<CachePage>> pages = {};
  std::int64_t length = 0;
  /// Keys and values that do not grow, by layer: [1, Hkv, T, D], and their mask [1, T] or undefined.
  struct Fixed {
    AttentionCache::KeysValues kept;
    Tensor key_mask;
  };
  std::vector<Fixed> fixed = {};
};

/// The cache of one forward pass that adds as many positions to each of some texts. Texts that hold several lengths go
/// on by one position at a time; a single text, or texts of one length, by any number.
class PagedPass final : public AttentionCache {
 public:
  /// The texts, which must outlive the pass, are the rows of the batch in this order.
  explicit PagedPass(std::vector<CachedText*> texts);
  /// The pass is over: the texts now hold its `fed` positions. A pass that was broken off leaves them as they were.
  void finish(std::int64_t fed);

  KeysValues update(std::size_t layer, const Tensor& k, const Tensor& v) override;
  Tensor attend(std::size_t layer, const Tensor& q, const Tensor& k, const Tensor& v, const AttentionAttrs& attrs,
                const Tensor& key_mask, const Tensor& bias, const Tensor& sinks) override;
  Tensor attend_fixed(std::size_t layer, const Tensor& q, FunctionRef<KeysValues()> make, const AttentionAttrs& attrs,
                      const Tensor& key_mask) override;
  std::int64_t length() const override { return longest_; }
  std::span<const std::int64_t> lengths() const override { return lengths_; }
  /// Unsupported: the texts began apart.
  std::int64_t prompt_length() const override;
  void clear() override;

 private:
  void write(std::size_t layer, const Tensor& k, const Tensor& v);

  std::vector<CachedText*> texts_;
  std::int64_t longest_ = 0;
  std::vector<std::int64_t> lengths_;  // empty when all are alike
};

}  // namespace trustformers
