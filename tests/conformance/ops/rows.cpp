#include "rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "base/rng.h"
#include "tensor/for_each_dtype.h"

namespace trustformers::conformance {

double tolerance(Measure measure, DType dtype) {
  const bool normalised = measure == Measure::normalised;
  switch (dtype) {
    case DType::f64: return normalised ? 1e-24 : 1e-12;
    case DType::f32: return normalised ? 1e-10 : 1e-6;
    case DType::f16: return normalised ? 1e-6 : 1e-3;
    case DType::bf16: return normalised ? 1e-4 : 1e-2;
    default: return 0;
  }
}

std::string to_string(Layout layout) {
  switch (layout) {
    case Layout::contiguous: return "contiguous";
    case Layout::transposed: return "transposed";
    case Layout::strided: return "strided";
    case Layout::expanded: return "expanded";
    case Layout::overlapping: return "overlapping";
  }
  return "";
}

namespace {

/// A view with these strides over a new storage of `elements`, whose elements are those of `tensor` and NaN between.
Tensor spread(const Tensor& tensor, const Strides& strides, std::int64_t elements, std::int64_t offset) {
  const auto size = static_cast<std::size_t>(element_size(tensor.dtype()));
  std::vector<std::byte> bytes(static_cast<std::size_t>(elements) * size, std::byte{0xff});
  if (tensor.dtype() == DType::boolean) std::fill(bytes.begin(), bytes.end(), std::byte{1});
  const std::byte* from = tensor.raw();
  for_each_index(tensor.shape(), [&](const Shape& index) {
    std::int64_t at = offset;
    for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * strides[d];
    std::memcpy(bytes.data() + static_cast<std::size_t>(at) * size, from, size);
    from += size;
  });
  return make_view(Tensor::from_bytes(bytes, {elements}, tensor.dtype()), tensor.shape(), strides, offset);
}

Tensor generated(const Shape& shape, DType dtype, const std::function<double(std::uint64_t)>& value) {
  std::vector<double> all(static_cast<std::size_t>(element_count(shape)));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = value(i);
  if (dtype == DType::f64) return Tensor::from(all, shape);
  Tensor out = Tensor::empty(shape, dtype);
  for_each_dtype(dtype, "generated", [&]<class T>(TypeTag<T>) {
    std::transform(all.begin(), all.end(), out.mutable_data<T>(), convert_element<T, double>);
  });
  return out;
}

/// At least as many numbers as `shape` has elements. They are kept: sizes, dtypes and layouts ask for the same again.
template <float (Philox::*draw)(std::uint64_t index) const>
const std::vector<float>& drawn(std::uint64_t seed, std::uint64_t stream, const Shape& shape) {
  static std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<float>> kept;
  std::vector<float>& numbers = kept[{seed, stream}];
  const Philox random(seed, stream);
  for (std::uint64_t i = numbers.size(); i < static_cast<std::uint64_t>(element_count(shape)); ++i)
    numbers.push_back((random.*draw)(i));
  return numbers;
}

}  // namespace

Tensor with_layout(const Tensor& tensor, Layout layout) {
  if (!tensor.defined() || is_block(tensor.dtype()) || tensor.rank() == 0 || tensor.numel() == 0) return tensor;
  const Shape& shape = tensor.shape();
  const std::size_t rank = shape.size();
  Strides strides = tensor.strides();
  switch (layout) {
    case Layout::contiguous: break;
    case Layout::transposed: {
      std::int64_t step = 1;  // column-major
      for (std::size_t d = 0; d < rank; ++d) {
        strides[d] = step;
        step *= shape[d];
      }
      return spread(tensor, strides, tensor.numel(), 0);
    }
    case Layout::strided:
      for (std::int64_t& stride : strides) stride *= 2;
      return spread(tensor, strides, 2 * tensor.numel() + 3, 3);
    case Layout::expanded: strides[0] = 0; return make_view(tensor, shape, strides, 0);
    case Layout::overlapping:
      if (rank < 2) break;
      return make_view(tensor, shape, Strides(rank, 1), 0);
  }
  return tensor;
}

Tensor values(const Shape& shape, std::uint64_t seed, DType dtype) {
  if (is_floating(dtype)) {
    const std::vector<float>& normal = drawn<&Philox::normal>(seed, 100, shape);
    return generated(shape, dtype, [&](std::uint64_t i) { return normal[i]; });
  }
  const std::vector<float>& uniform = drawn<&Philox::uniform>(seed, 100, shape);
  return generated(shape, dtype, [&](std::uint64_t i) -> double {
    if (dtype == DType::boolean) return uniform[i] < 0.5F ? 0 : 1;
    return std::floor(uniform[i] * 11.0F) - (dtype == DType::u8 ? 0 : 5);
  });
}

Tensor positive_values(const Shape& shape, std::uint64_t seed, DType dtype) {
  const std::vector<float>& normal = drawn<&Philox::normal>(seed, 101, shape);
  return generated(shape, dtype, [&](std::uint64_t i) { return 0.1 + std::abs(normal[i]); });
}

Tensor indices(const Shape& shape, std::uint64_t seed, std::int64_t bound, DType dtype) {
  const Philox random(seed, 102);
  return generated(shape, dtype,
                   [&](std::uint64_t i) { return std::floor(random.uniform_double(i) * static_cast<double>(bound)); });
}

const Rows& all_rows() {
  static const Rows rows = [] {
    Rows made;
    add_elementwise_rows(made);
    add_shape_rows(made);
    add_reduce_rows(made);
    add_index_rows(made);
    add_matmul_rows(made);
    add_norm_rows(made);
    add_activation_rows(made);
    add_attention_rows(made);
    add_conv_rows(made);
    add_loss_rows(made);
    return made;
  }();
  return rows;
}

}  // namespace trustformers::conformance
