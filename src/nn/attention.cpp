#include "attention.h"

#include <algorithm>

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/reduce/reduce.h"

namespace trustformers {

Tensor key_mask(const Tensor& attention_mask, std::string_view name, std::int64_t batch, std::int64_t keys) {
  if (!attention_mask.defined()) return Tensor();
  check(attention_mask.shape() == Shape{batch, keys}, ErrorCode::shape_mismatch, "[", name, "] must be ",
        Shape{batch, keys}, ", a number for each key, got ", describe(attention_mask));
  const std::vector<std::uint8_t> seen = attention_mask.to_vector<std::uint8_t>();
  if (std::all_of(seen.begin(), seen.end(), [](std::uint8_t s) { return s != 0; })) return Tensor();
  return cast(attention_mask, DType::boolean);
}

Tensor consecutive_positions(std::int64_t first, std::int64_t length) {
  Tensor out = Tensor::empty({1, length}, DType::i64);
  std::int64_t* data = out.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < length; ++i) data[i] = first + i;
  return out;
}

Tensor next_positions(const AttentionCache* cache, std::int64_t length, std::int64_t first) {
  if (!cache || cache->lengths().empty()) return consecutive_positions((cache ? cache->length() : 0) + first, length);
  const std::span<const std::int64_t> past = cache->lengths();
  Tensor out = Tensor::empty({static_cast<std::int64_t>(past.size()), length}, DType::i64);
  std::int64_t* data = out.mutable_data<std::int64_t>();
  for (const std::int64_t begin : past)
    for (std::int64_t i = 0; i < length; ++i) *data++ = begin + first + i;
  return out;
}

Tensor attend_fixed(AttentionCache* cache, std::size_t layer, const Tensor& q,
                    FunctionRef<AttentionCache::KeysValues()> make, const AttentionAttrs& attrs,
                    const Tensor& key_mask) {
  if (cache) return cache->attend_fixed(layer, q, make, attrs, key_mask);
  const AttentionCache::KeysValues seen = make();
  return attention(q, seen.keys, seen.values, attrs, key_mask);
}

Tensor positions_from_mask(const Tensor& attention_mask, std::int64_t length, std::int64_t padding) {
  const std::int64_t batch = attention_mask.size(0);
  const std::int64_t columns = attention_mask.size(1);
  const std::vector<std::uint8_t> seen = attention_mask.to_vector<std::uint8_t>();
  Tensor out = Tensor::empty({batch, length}, DType::i64);
  std::int64_t* data = out.mutable_data<std::int64_t>();
  for (std::int64_t b = 0; b < batch; ++b) {
    std::int64_t position = 0;
    for (std::int64_t s = 0; s < columns; ++s) {
      const bool token = seen[static_cast<std::size_t>(b * columns + s)] != 0;
      if (s >= columns - length) data[b * length + s - (columns - length)] = token ? position : padding;
      position += token;
    }
  }
  return out;
}

Tensor positions_from_ids(const Tensor& input_ids, std::int64_t pad, std::int64_t past) {
  const auto pad_id = static_cast<double>(pad);
  const Tensor token = cast(logical_not(equal(input_ids, pad_id)), DType::i64);
  return (cumsum(token, 1) + static_cast<double>(past)) * token + pad_id;
}

std::int64_t positions_needed(const Tensor& positions) {
  check(positions.dtype() == DType::i64, ErrorCode::dtype_mismatch, "[positions] must be i64, got ",
        describe(positions));
  std::int64_t most = 0;
  if (positions.is_contiguous()) {
    const std::int64_t* data = positions.data<std::int64_t>();
    for (std::int64_t i = 0; i < positions.numel(); ++i) most = std::max(most, data[i] + 1);
    return most;
  }
  for (const std::int64_t p : positions.to_vector<std::int64_t>()) most = std::max(most, p + 1);
  return most;
}

}  // namespace trustformers
