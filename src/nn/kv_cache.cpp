#include "kv_cache.h"

#include <algorithm>

#include "../ops/shape/shape_ops.h"
#include "../tensor/device.h"
#include "../tensor/op.h"

namespace trustformers {
namespace {

/// Positions [from, from + count) of a buffer [B, H, capacity, D].
Tensor positions_of(const Tensor& buffer, std::int64_t from, std::int64_t count) {
  Shape shape = buffer.shape();
  shape[2] = count;
  return make_view(buffer, shape, buffer.strides(), buffer.impl().offset + from * buffer.strides()[2]);
}

Tensor larger_buffer(const Tensor& old, const Tensor& like, std::int64_t capacity, std::int64_t length) {
  Shape shape = like.shape();
  shape[2] = capacity;
  Tensor fresh = Tensor::empty(shape, like.dtype(), &like.device());
  if (length > 0) fresh.device().write(positions_of(old, 0, length), positions_of(fresh, 0, length));
  return fresh;
}

/// `rows` of t [B, H, S, D] in that order, with room for t's capacity; positions from `length` on stay unwritten.
Tensor rows_of(const Tensor& t, std::span<const std::int64_t> rows, std::int64_t length) {
  Shape shape = t.shape();
  shape[0] = static_cast<std::int64_t>(rows.size());
  Tensor fresh = Tensor::empty(shape, t.dtype(), &t.device());
  const auto row = [&](const Tensor& of, std::int64_t r) {
    Shape one = of.shape();
    one[0] = 1;
    one[2] = length;
    return make_view(of, one, of.strides(), of.impl().offset + r * of.strides()[0]);
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    check(rows[i] >= 0 && rows[i] < t.size(0), ErrorCode::out_of_range, "[kv_cache] no row ", rows[i]);
    fresh.device().write(row(t, rows[i]), row(fresh, static_cast<std::int64_t>(i)));
  }
  return fresh;
}

}  // namespace

void check_no_gradients(const Tensor& k, const Tensor& v) {
  check(!(grad_enabled() && (k.requires_grad() || v.requires_grad())), ErrorCode::invalid_argument,
        "[kv_cache] a cache cannot be used while gradients are recorded");
}

void KVCache::grow(Layer& layer, const Tensor& k, const Tensor& v, std::int64_t needed) const {
  std::int64_t capacity = layer.keys.defined() ? layer.keys.size(2) : 32;
  while (capacity < needed) capacity *= 2;
  capacity = std::max(capacity, reserved_);
  layer.keys = larger_buffer(layer.keys, k, capacity, layer.length);
  layer.values = larger_buffer(layer.values, v, capacity, layer.length);
}

AttentionCache::KeysValues KVCache::update(std::size_t layer_index, const Tensor& k, const Tensor& v) {
  check_no_gradients(k, v);
  if (layers_.size() <= layer_index) layers_.resize(layer_index + 1);
  Layer& layer = layers_[layer_index];
  if (layer.keys.defined())
    check(layer.keys.size(0) == k.size(0) && layer.keys.size(1) == k.size(1) && layer.keys.size(3) == k.size(3),
          ErrorCode::shape_mismatch, "[kv_cache] layer ", layer_index, " holds ", describe(layer.keys), ", got ",
          describe(k));
  const std::int64_t total = layer.length + k.size(2);
  if (!layer.keys.defined() || layer.keys.size(2) < total) grow(layer, k, v, total);
  Device& device = layer.keys.device();
  device.write(k, positions_of(layer.keys, layer.length, k.size(2)));
  device.write(v, positions_of(layer.values, layer.length, v.size(2)));
  if (layer_index == 0 && layer.length == 0) prompt_length_ = total;
  layer.length = total;
  return {positions_of(layer.keys, 0, total), positions_of(layer.values, 0, total)};
}

AttentionCache::KeysValues KVCache::fixed(std::size_t layer_index, FunctionRef<KeysValues()> make) {
  if (fixed_.size() <= layer_index) fixed_.resize(layer_index + 1);
  KeysValues& layer = fixed_[layer_index];
  if (!layer.keys.defined()) {
    const KeysValues made = make();
    check_no_gradients(made.keys, made.values);
    layer = {contiguous(made.keys), contiguous(made.values)};
  }
  return layer;
}

Tensor KVCache::attend(std::size_t layer, const Tensor& q, const Tensor& k, const Tensor& v,
                       const AttentionAttrs& attrs, const Tensor& key_mask, const Tensor& bias, const Tensor& sinks) {
  const KeysValues all = update(layer, k, v);
  return attention(q, all.keys, all.values, attrs, key_mask, bias, sinks);
}

Tensor KVCache::attend_fixed(std::size_t layer, const Tensor& q, FunctionRef<KeysValues()> make,
                             const AttentionAttrs& attrs, const Tensor& key_mask) {
  const KeysValues seen = fixed(layer, make);
  return attention(q, seen.keys, seen.values, attrs, key_mask);
}

void KVCache::clear() {
  truncate(0);
  fixed_.clear();
}

void KVCache::truncate(std::int64_t length) {
  for (Layer& layer : layers_) {
    check(length >= 0 && length <= layer.length, ErrorCode::out_of_range, "[kv_cache] cannot truncate ", layer.length,
          " positions to ", length);
    layer.length = length;
  }
}

void KVCache::select_growing_rows(std::span<const std::int64_t> rows) {
  for (Layer& layer : layers_)
    if (layer.keys.defined())
      for (Tensor* buffer : {&layer.keys, &layer.values}) *buffer = rows_of(*buffer, rows, layer.length);
}

void KVCache::select_rows(std::span<const std::int64_t> rows) {
  select_growing_rows(rows);
  for (KeysValues& layer : fixed_)
    if (layer.keys.defined())
      for (Tensor* t : {&layer.keys, &layer.values}) *t = rows_of(*t, rows, t->size(2));
}

std::int64_t KVCache::bytes() const {
  std::int64_t sum = 0;
  const auto add = [&](const Tensor& t) { sum += t.defined() ? byte_size(t.dtype(), t.numel()) : 0; };
  for (const Layer& layer : layers_) {
    add(layer.keys);
    add(layer.values);
  }
  for (const KeysValues& layer : fixed_) {
    add(layer.keys);
    add(layer.values);
  }
  return sum;
}

}  // namespace trustformers
