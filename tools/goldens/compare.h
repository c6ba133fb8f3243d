// How far two tensors are apart, as goldens measure it.
#pragma once

#include <cstdint>
#include <vector>

#include "../../src/tensor/tensor.h"

namespace trustformers::goldens {

using Ids = std::vector<std::int64_t>;

/// The largest |got - expected| in units of the spread of `expected`: max - min of its finite values, or, for a scalar
/// or a constant, max(1, |value|). Infinite when the shapes differ, or where a value that is not finite differs.
/// With `kept`, one flag for each of the first `kept.size()` slices of equal size, other slices do not count.
double relative_error(const Tensor& got, const Tensor& expected, const std::vector<bool>& kept = {});

/// Which positions of an output hold tokens, for relative_error: empty when all do, or when the output is not one per
/// position. attention_mask is [B, L] or undefined.
std::vector<bool> unpadded_positions(const Tensor& attention_mask, const Shape& output);

}  // namespace trustformers::goldens
