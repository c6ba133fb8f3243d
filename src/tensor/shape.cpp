#include "shape.h"

#include <algorithm>
#include <limits>
#include <ostream>

namespace trustformers {

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << to_string(shape); }

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    check(size >= 0, ErrorCode::out_of_range, "[shape] negative size in ", shape);
    check(size == 0 || count <= std::numeric_limits<std::int64_t>::max() / size, ErrorCode::out_of_range, "[shape] ",
          shape, " has more elements than 64 bits can count");
    count *= size;
  }
  return count;
}

Strides contiguous_strides(const Shape& shape) {
  Strides strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= std::max<std::int64_t>(shape[i], 1);
  }
  return strides;
}

bool is_contiguous(const Shape& shape, const Strides& strides) {
  std::int64_t step = 1;
  bool in_order = true;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 0) return true;
    in_order = in_order && (shape[i] == 1 || strides[i] == step);
    step *= shape[i];
  }
  return in_order;
}

Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view op) {
  const std::size_t rank = std::max(a.size(), b.size());
  Shape out(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t left = i + a.size() >= rank ? a[i + a.size() - rank] : 1;
    const std::int64_t right = i + b.size() >= rank ? b[i + b.size() - rank] : 1;
    check(left == right || left == 1 || right == 1, ErrorCode::shape_mismatch, "[", op, "] shapes ", a, " and ", b,
          " do not broadcast");
    out[i] = left == 1 ? right : left;
  }
  return out;
}

int normalize_dim(std::int64_t dim, std::size_t rank, std::string_view op) {
  const auto limit = static_cast<std::int64_t>(std::max<std::size_t>(rank, 1));
  check(dim >= -limit && dim < limit, ErrorCode::out_of_range, "[", op, "] dimension ", dim,
        " is outside a tensor of rank ", rank);
  return static_cast<int>(dim < 0 ? dim + limit : dim);
}

}  // namespace trustformers
