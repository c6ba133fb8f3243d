// Shapes and strides: at most eight dimensions, kept inline.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "../base/inline_vector.h"

namespace trustformers {

inline constexpr std::size_t max_rank = 8;
/// Sizes per dimension, outermost first. An empty shape is a scalar.
using Shape = InlineVector<std::int64_t, max_rank>;
/// Elements (not bytes) between neighbours per dimension; 0 for an expanded dimension.
using Strides = InlineVector<std::int64_t, max_rank>;

/// "[2, 3]". Checks take the shape itself, so that the text is made only when one fails.
std::string to_string(const Shape& shape);
std::ostream& operator<<(std::ostream& out, const Shape& shape);
/// The number of elements; throws out_of_range on overflow or negative sizes.
std::int64_t element_count(const Shape& shape);
Strides contiguous_strides(const Shape& shape);
/// True when elements lie in row-major order without gaps (dimensions of size 1 have no say).
bool is_contiguous(const Shape& shape, const Strides& strides);
/// NumPy broadcasting. Throws shape_mismatch naming `op`.
Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view op);
/// Maps a dimension index in [-rank, rank) to [0, rank). Throws out_of_range naming `op`.
int normalize_dim(std::int64_t dim, std::size_t rank, std::string_view op);

}  // namespace trustformers
