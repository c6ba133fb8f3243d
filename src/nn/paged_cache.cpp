#include "paged_cache.h"

#include <algorithm>

#include "../ops/attention/paged_attention.h"
#include "../ops/shape/shape_ops.h"
#include "../tensor/device.h"

namespace trustformers {
namespace {

/// Positions [from, from + count) of row `b` of t [B, H, L, D]: [H, count, D].
Tensor row_positions(const Tensor& t, std::int64_t b, std::int64_t from, std::int64_t count) {
  const Strides& s = t.strides();
  return make_view(t, {t.size(1), count, t.size(3)}, {s[1], s[2], s[3]}, t.impl().offset + b * s[0] + from * s[2]);
}

/// Positions [from, from + count) of a page [H, P, D].
Tensor page_positions(const Tensor& page, std::int64_t from, std::int64_t count) {
  return make_view(page, {page.size(0), count, page.size(2)}, page.strides(),
                   page.impl().offset + from * page.strides()[1]);
}

Tensor page_like(const Tensor& t) {
  return Tensor::empty({t.size(1), CachePage::length, t.size(3)}, t.dtype(), &t.device());
}

/// The first `length` positions of layer `layer`, page by page.
void collect(const CachedText& text, std::size_t layer, std::int64_t length, std::vector<Tensor>& keys,
             std::vector<Tensor>& values) {
  for (std::int64_t at = 0; at < length; at += CachePage::length) {
    const auto& page = text.pages[static_cast<std::size_t>(at / CachePage::length)]->layers[layer];
    const std::int64_t count = std::min(length - at, CachePage::length);
    keys.push_back(page_positions(page.keys, 0, count));
    values.push_back(page_positions(page.values, 0, count));
  }
}

/// Texts of one layer side by side, zeros before the shorter ones: [B, H, S, D].
Tensor aligned_right(const std::vector<std::vector<Tensor>>& texts, std::int64_t longest) {
  const Tensor& like = texts[0][0];
  Tensor out =
      Tensor::zeros({static_cast<std::int64_t>(texts.size()), like.size(0), longest, like.size(2)}, like.dtype());
  for (std::size_t b = 0; b < texts.size(); ++b) {
    std::int64_t at = longest;
    for (const Tensor& page : texts[b]) at -= page.size(1);
    for (const Tensor& page : texts[b]) {
      out.device().write(page, row_positions(out, static_cast<std::int64_t>(b), at, page.size(1)));
      at += page.size(1);
    }
  }
  return out;
}

}  // namespace

std::int64_t CachePage::bytes() const {
  std::int64_t sum = 0;
  for (const auto& layer : layers)
    for (const Tensor* t : {&layer.keys, &layer.values})
      if (t->defined()) sum += byte_size(t->dtype(), t->numel());
  return sum;
}

PagedPass::PagedPass(std::vector<CachedText*> texts) : texts_(std::move(texts)) {
  check(!texts_.empty(), ErrorCode::invalid_argument, "[paged_cache] a pass without texts");
  for (const CachedText* text : texts_) {
    longest_ = std::max(longest_, text->length);
    lengths_.push_back(text->length);
  }
  if (std::count(lengths_.begin(), lengths_.end(), longest_) == static_cast<std::ptrdiff_t>(lengths_.size()))
    lengths_.clear();
}

void PagedPass::finish(std::int64_t fed) {
  for (CachedText* text : texts_) text->length += fed;
}

void PagedPass::write(std::size_t layer, const Tensor& k, const Tensor& v) {
  check_no_gradients(k, v);
  const std::int64_t fed = k.size(2);
  check(k.size(0) == static_cast<std::int64_t>(texts_.size()), ErrorCode::shape_mismatch, "[paged_cache] ",
        texts_.size(), " texts, got ", describe(k));
  check(lengths_.empty() || fed == 1, ErrorCode::invalid_argument,
        "[paged_cache] texts of different lengths go on by one position, got ", fed);
  Device& device = k.device();
  for (std::size_t b = 0; b < texts_.size(); ++b) {
    CachedText& text = *texts_[b];
    for (std::int64_t done = 0; done < fed;) {
      const auto number = static_cast<std::size_t>((text.length + done) / CachePage::length);
      const std::int64_t at = (text.length + done) % CachePage::length;
      const std::int64_t count = std::min(fed - done, CachePage::length - at);
      if (text.pages.size() <= number) text.pages.push_back(std::make_shared<CachePage>());
      auto& layers = text.pages[number]->layers;
      if (layers.size() <= layer) layers.resize(layer + 1);
      KeysValues& page = layers[layer];
      if (!page.keys.defined()) page = {page_like(k), page_like(v)};
      const auto row = static_cast<std::int64_t>(b);
      device.write(row_positions(k, row, done, count), page_positions(page.keys, at, count));
      device.write(row_positions(v, row, done, count), page_positions(page.values, at, count));
      done += count;
    }
  }
}

AttentionCache::KeysValues PagedPass::update(std::size_t layer, const Tensor& k, const Tensor& v) {
  write(layer, k, v);
  std::vector<std::vector<Tensor>> keys(texts_.size()), values(texts_.size());
  for (std::size_t b = 0; b < texts_.size(); ++b)
    collect(*texts_[b], layer, texts_[b]->length + k.size(2), keys[b], values[b]);
  return {aligned_right(keys, longest_ + k.size(2)), aligned_right(values, longest_ + k.size(2))};
}

Tensor PagedPass::attend(std::size_t layer, const Tensor& q, const Tensor& k, const Tensor& v,
                         const AttentionAttrs& attrs, const Tensor&, const Tensor& bias, const Tensor& sinks) {
  write(layer, k, v);
  std::vector<std::vector<Tensor>> keys(texts_.size()), values(texts_.size());
  std::vector<PagedText> texts;
  for (std::size_t b = 0; b < texts_.size(); ++b) {
    collect(*texts_[b], layer, texts_[b]->length + k.size(2), keys[b], values[b]);
    texts.push_back({keys[b], values[b]});
  }
  return paged_attention(q, texts, attrs, bias, sinks);
}

Tensor PagedPass::attend_fixed(std::size_t layer, const Tensor& q, FunctionRef<KeysValues()> make,
                               const AttentionAttrs& attrs, const Tensor& key_mask) {
  std::vector<Tensor> rows;
  for (std::size_t b = 0; b < texts_.size(); ++b) {
    auto& fixed = texts_[b]->fixed;
    if (fixed.size() <= layer) fixed.resize(layer + 1);
    if (!fixed[layer].kept.keys.defined()) {
      check(texts_.size() == 1, ErrorCode::invalid_argument, "[paged_cache] a text's first pass is its own");
      const KeysValues made = make();
      check_no_gradients(made.keys, made.values);
      fixed[layer] = {{contiguous(made.keys), contiguous(made.values)}, key_mask};
    }
    const auto row = static_cast<std::int64_t>(b);
    rows.push_back(attention(slice(q, 0, row, row + 1), fixed[layer].kept.keys, fixed[layer].kept.values, attrs,
                             fixed[layer].key_mask));
  }
  return rows.size() == 1 ? rows[0] : concat(rows, 0);
}

std::int64_t PagedPass::prompt_length() const {
  fail(ErrorCode::unsupported, "[paged_cache] texts of different lengths have no common prompt");
}

void PagedPass::clear() { fail(ErrorCode::unsupported, "[paged_cache] a pass over several texts cannot start again"); }

}  // namespace trustformers
