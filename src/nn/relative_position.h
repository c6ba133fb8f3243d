// Distances between positions, sorted into buckets (Shaw et al. 2018; Raffel et al. 2020).
#pragma once

#include "../tensor/tensor.h"

namespace trustformers {

struct RelativeBuckets {
  std::int64_t buckets = 32;
  std::int64_t max_distance = 128;
  /// Keys on both sides of a query; else those after it share bucket 0.
  bool bidirectional = true;
};
/// T5's buckets for keys 0 .. keys - 1 seen from queries first_query .. first_query + queries - 1: i64 [queries, keys].
/// Near distances have a bucket each, far ones share buckets of logarithmic width up to max_distance.
Tensor relative_buckets(const RelativeBuckets& rule, std::int64_t first_query, std::int64_t queries, std::int64_t keys);

}  // namespace trustformers
