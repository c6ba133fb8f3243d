#include "ops/index/index.h"
#include "rows.h"

namespace trustformers::conformance {
namespace {

/// `index` with component `d` replaced by the value of `by` at `index`.
Shape redirected(Shape index, std::size_t d, const Array& by) {
  index[d] = static_cast<std::int64_t>(by.at(Shape(index)));
  return index;
}

Array gathered(const std::vector<Array>& in, std::size_t dim) {
  return make_array(in[1].shape, [&](const Shape& i) { return in[0].at(redirected(i, dim, in[1])); });
}

Array scattered(const std::vector<Array>& in, std::size_t dim) {
  Array out = in[0];
  for_each_index(in[1].shape, [&](const Shape& i) { out.at(redirected(i, dim, in[1])) += in[2].at(i); });
  return out;
}

/// 16 scores along the indexed dimension, n indices (narrower than x across it).
Shape source_shape(std::int64_t dim, std::int64_t n) { return dim == 0 ? Shape{16, n} : Shape{n, 16}; }
Shape index_shape(std::int64_t dim, std::int64_t n) { return dim == 0 ? Shape{7, n - n / 8} : Shape{n - n / 8, 7}; }

void add_gather_rows(Rows& rows, std::int64_t dim, DType index_dtype) {
  const std::string label = "along " + std::to_string(dim) + " by " + std::string(to_string(index_dtype));
  rows.push_back(
      Row{.op = &gather_op,
          .label = label,
          .attrs = attrs_of(IndexAttrs{dim}),
          .inputs =
              [=](std::int64_t n, DType dtype) {
                return std::vector{values(source_shape(dim, n), 1, dtype),
                                   indices(index_shape(dim, n), 2, 16, index_dtype)};
              },
          .reference = [dim](const std::vector<Array>& in) { return gathered(in, static_cast<std::size_t>(dim)); },
          .measure = Measure::exact,
          .dtypes = number_types});
  rows.push_back(Row{
      .op = &scatter_add_op,
      .label = label,
      .attrs = attrs_of(IndexAttrs{dim}),
      .inputs =
          [=](std::int64_t n, DType dtype) {
            return std::vector{values(source_shape(dim, n), 1, dtype), indices(index_shape(dim, n), 2, 16, index_dtype),
                               values(index_shape(dim, n), 3, dtype)};
          },
      .reference = [dim](const std::vector<Array>& in) { return scattered(in, static_cast<std::size_t>(dim)); },
      .measure = Measure::normalised,
      .dtypes = {DType::f32, DType::f16, DType::bf16, DType::f64, DType::i32, DType::i64}});
}

}  // namespace

void add_index_rows(Rows& rows) {
  for (const std::int64_t dim : {0, 1})
    for (const DType dtype : {DType::i64, DType::i32}) add_gather_rows(rows, dim, dtype);
  for (const DType dtype : {DType::i64, DType::i32})
    rows.push_back(Row{.op = &embedding_op,
                       .label = "by " + std::string(to_string(dtype)),
                       .inputs =
                           [dtype](std::int64_t n, DType table) {
                             return std::vector{values({11, 33}, 1, table), indices({2, n}, 2, 11, dtype)};
                           },
                       .measure = Measure::exact});
  rows.push_back(Row{
      .op = &embedding_op,
      .label = "wide",
      .inputs = [](std::int64_t n, DType table) { return std::vector{values({7, n}, 1, table), indices({5}, 2, 7)}; },
      .measure = Measure::exact});
}

}  // namespace trustformers::conformance
