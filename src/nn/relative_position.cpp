#include "relative_position.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace trustformers {
namespace {

std::int64_t bucket_of(const RelativeBuckets& rule, std::int64_t key_minus_query) {
  std::int64_t buckets = rule.buckets;
  std::int64_t first = 0;
  std::int64_t distance = 0;
  if (rule.bidirectional) {
    buckets /= 2;
    if (key_minus_query > 0) first = buckets;
    distance = std::abs(key_minus_query);
  } else {
    distance = std::max<std::int64_t>(-key_minus_query, 0);
  }
  const std::int64_t exact = buckets / 2;
  if (distance < exact) return first + distance;
  // in f32, as the trained models had it: at the borders one rounding decides
  const float position =
      std::log(static_cast<float>(distance) / static_cast<float>(exact)) /
      static_cast<float>(std::log(static_cast<double>(rule.max_distance) / static_cast<double>(exact))) *
      static_cast<float>(buckets - exact);
  return first + std::min(exact + static_cast<std::int64_t>(position), buckets - 1);
}

}  // namespace

Tensor relative_buckets(const RelativeBuckets& rule, std::int64_t first_query, std::int64_t queries,
                        std::int64_t keys) {
  check(rule.buckets >= 4 && rule.max_distance > (rule.bidirectional ? rule.buckets / 4 : rule.buckets / 2),
        ErrorCode::invalid_argument,
        "[relative_buckets] at least 4 buckets, and a distance beyond those of one distance each, are needed, got ",
        rule.buckets, " and ", rule.max_distance);
  Tensor out = Tensor::empty({queries, keys}, DType::i64);
  std::int64_t* data = out.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < queries; ++i)
    for (std::int64_t j = 0; j < keys; ++j) data[i * keys + j] = bucket_of(rule, j - (first_query + i));
  return out;
}

}  // namespace trustformers
