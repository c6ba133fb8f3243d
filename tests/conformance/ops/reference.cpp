#include "reference.h"

namespace trustformers::conformance {

std::size_t Array::position(const Shape& index) const {
  const std::size_t extra = index.size() - shape.size();
  std::int64_t at = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) at = at * shape[d] + (shape[d] == 1 ? 0 : index[d + extra]);
  return static_cast<std::size_t>(at);
}

void for_each_index(const Shape& shape, const std::function<void(const Shape& index)>& body) {
  Shape index(shape.size(), 0);
  for (std::int64_t left = element_count(shape); left > 0; --left) {
    body(index);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

Array make_array(const Shape& shape, const std::function<double(const Shape& index)>& value) {
  Array out;
  out.shape = shape;
  for_each_index(shape, [&](const Shape& index) { out.values.push_back(value(index)); });
  return out;
}

}  // namespace trustformers::conformance
