#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/reduce/reduce.h"
#include "rows.h"

namespace trustformers::conformance {
namespace {

/// Folds x [a, b, c] over the dimensions where `reduced` is true, keeping them as 1 or dropping them.
Array fold(const Array& x, const std::array<bool, 3>& reduced, bool keepdim, double start,
           const std::function<double(double, double)>& step) {
  Shape kept;
  Shape shape;
  for (std::size_t d = 0; d < 3; ++d) {
    kept.push_back(reduced[d] ? 1 : x.shape[d]);
    if (!reduced[d] || keepdim) shape.push_back(kept.back());
  }
  Array out(kept, start);
  for_each_index(x.shape, [&](const Shape& i) { out.at(i) = step(out.at(i), x.at(i)); });
  out.shape = shape;
  return out;
}

void add_reduction(Rows& rows, const OpDef& op, double start, double (*step)(double, double), Measure measure,
                   const std::vector<DType>& dtypes, const std::vector<std::int64_t>& sizes) {
  const auto row = [&](std::string label, const Dims& dims, bool keepdim, std::array<bool, 3> reduced) {
    rows.push_back(
        Row{.op = &op,
            .label = std::move(label),
            .attrs = attrs_of(ReduceAttrs{dims, keepdim}),
            .inputs = [](std::int64_t n, DType dtype) { return std::vector{values({3, n, 5}, 1, dtype)}; },
            .reference = [=](const std::vector<Array>& in) { return fold(in[0], reduced, keepdim, start, step); },
            .measure = measure,
            .sizes = sizes,
            .dtypes = dtypes});
  };
  row("all", {}, false, {true, true, true});
  row("first", {0}, false, {true, false, false});
  row("middle", {1}, true, {false, true, false});
  row("last", {-1}, true, {false, false, true});
  row("outer two", {2, 0}, false, {true, false, true});
}

Array line_argmax(const Array& x, std::size_t dim, bool keepdim) {
  Shape shape = x.shape;
  shape[dim] = 1;
  Array best(shape, -std::numeric_limits<double>::infinity());
  Array where(shape, 0);
  for_each_index(x.shape, [&](const Shape& i) {
    if (x.at(i) <= best.at(i)) return;
    best.at(i) = x.at(i);
    where.at(i) = static_cast<double>(i[dim]);
  });
  if (!keepdim) {
    where.shape = {};
    for (std::size_t d = 0; d < shape.size(); ++d)
      if (d != dim) where.shape.push_back(shape[d]);
  }
  return where;
}

Row argmax_row(std::string label, std::int64_t dim, bool keepdim) {
  return {.op = &argmax_op,
          .label = std::move(label),
          .attrs = attrs_of(ArgAttrs{dim, keepdim}),
          .inputs = [](std::int64_t n, DType dtype) { return std::vector{values({5, n}, 1, dtype)}; },
          .reference =
              [=](const std::vector<Array>& in) {
                return line_argmax(in[0], static_cast<std::size_t>(dim < 0 ? dim + 2 : dim), keepdim);
              },
          .measure = Measure::exact,
          .sizes = {1, 31, 32, 33, 255, 256, 257, 4099},
          .dtypes = number_types,
          .differentiable = false};
}

Row cumsum_row(std::string label, std::int64_t dim) {
  return {.op = &cumsum_op,
          .label = std::move(label),
          .attrs = attrs_of(CumsumAttrs{dim}),
          .inputs = [](std::int64_t n, DType dtype) { return std::vector{values({5, n}, 1, dtype)}; },
          .reference =
              [dim](const std::vector<Array>& in) {
                Array out = in[0];
                const auto d = static_cast<std::size_t>(dim < 0 ? dim + 2 : dim);
                for_each_index(out.shape, [&](Shape i) {
                  double& sum = out.at(i);
                  if (--i[d] >= 0) sum += out.at(i);
                });
                return out;
              },
          .measure = Measure::normalised,
          .dtypes = {DType::f32, DType::f16, DType::bf16, DType::f64, DType::i32, DType::i64}};
}

}  // namespace

void add_reduce_rows(Rows& rows) {
  const std::vector<std::int64_t> not_empty = {1, 31, 32, 33, 255, 256, 257, 4099};
  const double infinity = std::numeric_limits<double>::infinity();
  add_reduction(
      rows, sum_op, 0, [](double a, double b) { return a + b; }, Measure::normalised,
      {DType::f32, DType::f16, DType::bf16, DType::f64, DType::i32, DType::i64}, all_sizes);
  add_reduction(
      rows, max_op, -infinity, [](double a, double b) { return std::max(a, b); }, Measure::exact, number_types,
      not_empty);
  add_reduction(
      rows, min_op, infinity, [](double a, double b) { return std::min(a, b); }, Measure::exact, number_types,
      not_empty);
  rows.push_back(argmax_row("last", -1, false));
  rows.push_back(argmax_row("first", 0, true));
  rows.push_back(cumsum_row("last", -1));
  rows.push_back(cumsum_row("first", 0));
}

}  // namespace trustformers::conformance
