// Naive arithmetic in double: what primitives are judged by.
#pragma once

#include <functional>
#include <vector>

#include "tensor/tensor.h"

namespace trustformers::conformance {

/// A row-major array of doubles.
struct Array {
  Shape shape;
  std::vector<double> values;

  Array() = default;
  explicit Array(const Shape& of, double value = 0)
      : shape(of), values(static_cast<std::size_t>(element_count(of)), value) {}
  explicit Array(const Tensor& tensor) : shape(tensor.shape()), values(tensor.to_vector<double>()) {}
  /// The element at `index`; an index of higher rank or a dimension of size 1 broadcasts.
  double at(const Shape& index) const { return values[position(index)]; }
  double& at(const Shape& index) { return values[position(index)]; }

 private:
  std::size_t position(const Shape& index) const;
};

/// Calls `body` for every index of `shape` in row-major order.
void for_each_index(const Shape& shape, const std::function<void(const Shape& index)>& body);
/// An array of `shape` made of value(index).
Array make_array(const Shape& shape, const std::function<double(const Shape& index)>& value);

}  // namespace trustformers::conformance
