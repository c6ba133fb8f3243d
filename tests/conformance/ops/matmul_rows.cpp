#include "ops/matmul/matmul.h"

#include "quantization/blocks.h"
#include "rows.h"

namespace trustformers::conformance {
namespace {

Array product(const std::vector<Array>& in) {
  const Array& a = in[0];
  const Array& b = in[1];
  const auto batch = [](const Array& x) {
    Shape shape = x.shape;
    shape.pop_back();
    shape.pop_back();
    return shape;
  };
  Shape shape = broadcast_shapes(batch(a), batch(b), "reference");
  shape.push_back(a.shape[a.shape.size() - 2]);
  shape.push_back(b.shape.back());
  return make_array(shape, [&](const Shape& index) {
    Shape left = index;
    Shape right = index;
    double sum = 0;
    for (std::int64_t k = 0; k < a.shape.back(); ++k) {
      left.back() = k;
      right[right.size() - 2] = k;
      sum += a.at(left) * b.at(right);
    }
    return sum;
  });
}

Row matmul_row(std::string label, Shape (*left)(std::int64_t), Shape (*right)(std::int64_t),
               const std::vector<std::int64_t>& sizes) {
  return {.op = &matmul_op,
          .label = std::move(label),
          .inputs =
              [=](std::int64_t n, DType dtype) {
                // Seeds for which no sum nearly cancels, even where a layout repeats one row.
                return std::vector{values(left(n), 5, dtype), values(right(n), 2, dtype)};
              },
          .reference = product,
          .measure = Measure::normalised,
          .sizes = sizes};
}

Row linear_row(std::string label, Shape (*input)(std::int64_t), Shape (*weight)(std::int64_t), bool bias,
               const std::vector<std::int64_t>& sizes) {
  return {.op = &linear_op,
          .label = std::move(label),
          .attrs = attrs_of(LinearAttrs{}),
          .inputs =
              [=](std::int64_t n, DType dtype) {
                return std::vector{values(input(n), 1, dtype), values(weight(n), 2, dtype),
                                   bias ? values({weight(n)[0]}, 3, dtype) : Tensor()};
              },
          .measure = Measure::normalised,
          .sizes = sizes};
}

Tensor quantized(const Shape& shape, std::uint64_t seed, DType dtype) {
  const std::vector<float> plain = values(shape, seed, DType::f32).to_vector<float>();
  std::vector<std::byte> blocks(static_cast<std::size_t>(byte_size(dtype, element_count(shape))));
  quantize_row(dtype, plain.data(), element_count(shape), blocks.data());
  return Tensor::from_bytes(blocks, shape, dtype);
}

}  // namespace

void add_matmul_rows(Rows& rows) {
  const std::vector<std::int64_t> medium = {0, 1, 31, 32, 33, 255, 256, 257};
  rows.push_back(matmul_row(
      "inner", [](std::int64_t n) { return Shape{3, n}; }, [](std::int64_t n) { return Shape{n, 7}; }, all_sizes));
  rows.push_back(matmul_row(
      "right", [](std::int64_t) { return Shape{3, 5}; }, [](std::int64_t n) { return Shape{5, n}; }, all_sizes));
  rows.push_back(matmul_row(
      "left", [](std::int64_t n) { return Shape{n, 5}; }, [](std::int64_t) { return Shape{5, 3}; }, all_sizes));
  rows.push_back(matmul_row(
      "square", [](std::int64_t n) { return Shape{n, n}; }, [](std::int64_t n) { return Shape{n, n}; },
      {0, 1, 31, 32, 33, 97}));
  rows.push_back(matmul_row(
      "batch", [](std::int64_t n) { return Shape{2, 3, 4, n}; }, [](std::int64_t n) { return Shape{2, 3, n, 5}; },
      medium));
  rows.push_back(matmul_row(
      "broadcast batch", [](std::int64_t n) { return Shape{3, 1, 4, n}; },
      [](std::int64_t n) { return Shape{2, n, 5}; }, medium));

  rows.push_back(linear_row(
      "inner", [](std::int64_t n) { return Shape{3, n}; }, [](std::int64_t n) { return Shape{9, n}; }, true,
      all_sizes));
  rows.push_back(linear_row(
      "one row", [](std::int64_t n) { return Shape{n}; }, [](std::int64_t n) { return Shape{17, n}; }, false,
      all_sizes));
  rows.push_back(linear_row(
      "outputs", [](std::int64_t) { return Shape{2, 3, 8}; }, [](std::int64_t n) { return Shape{n, 8}; }, true,
      all_sizes));
  rows.push_back(linear_row(
      "rows", [](std::int64_t n) { return Shape{n, 8}; }, [](std::int64_t) { return Shape{5, 8}; }, true, all_sizes));
  for (const DType weight :
       {DType::f16, DType::bf16, DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1, DType::q8_0}) {
    const bool blocks = is_block(weight);
    rows.push_back(Row{.op = &linear_op,
                       .label = std::string(to_string(weight)) + " weight",
                       .attrs = attrs_of(LinearAttrs{}),
                       .inputs =
                           [=](std::int64_t n, DType dtype) {
                             const Shape shape = {19, n};
                             return std::vector{values({3, n}, 1, dtype),
                                                blocks ? quantized(shape, 2, weight) : values(shape, 2, weight),
                                                values({19}, 3, dtype)};
                           },
                       .measure = Measure::normalised,
                       .sizes = {32, 256, 4096},
                       .constants_from = blocks ? std::size_t{1} : std::size_t{100}});
  }
}

}  // namespace trustformers::conformance
