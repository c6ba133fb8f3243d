#include <cmath>

#include "ops/elementwise/binary.h"
#include "ops/elementwise/unary.h"
#include "rows.h"

namespace trustformers::conformance {
namespace {

using Binary = double (*)(double, double);

Row unary(const OpDef& op, std::function<double(double)> f, const std::vector<DType>& dtypes, bool positive = false) {
  return {.op = &op,
          .label = {},
          .inputs =
              [positive](std::int64_t n, DType dtype) {
                return std::vector{positive ? positive_values({5, n}, 1, dtype) : values({5, n}, 1, dtype)};
              },
          .reference =
              [f = std::move(f)](const std::vector<Array>& in) {
                return make_array(in[0].shape, [&](const Shape& i) { return f(in[0].at(i)); });
              },
          .dtypes = dtypes};
}

Row unary(const OpDef& op, std::string label, std::shared_ptr<const void> attrs, std::function<double(double)> f,
          const std::vector<DType>& dtypes, bool positive = false) {
  Row row = unary(op, std::move(f), dtypes, positive);
  row.label = std::move(label);
  row.attrs = std::move(attrs);
  return row;
}

/// One row per way in which two operands meet.
void add_binary(Rows& rows, const OpDef& op, Binary f, const std::vector<DType>& dtypes, bool differentiable,
                bool positive_divisor = false) {
  const auto row = [&](std::string label, const std::function<Shape(std::int64_t)>& left,
                       const std::function<Shape(std::int64_t)>& right) {
    rows.push_back(Row{.op = &op,
                       .label = std::move(label),
                       .inputs =
                           [=](std::int64_t n, DType dtype) {
                             return std::vector{values(left(n), 2, dtype), positive_divisor
                                                                               ? positive_values(right(n), 3, dtype)
                                                                               : values(right(n), 3, dtype)};
                           },
                       .reference =
                           [f](const std::vector<Array>& in) {
                             const Shape shape = broadcast_shapes(in[0].shape, in[1].shape, "reference");
                             return make_array(shape, [&](const Shape& i) { return f(in[0].at(i), in[1].at(i)); });
                           },
                       .dtypes = dtypes,
                       .differentiable = differentiable});
  };
  const auto matrix = [](std::int64_t n) { return Shape{5, n}; };
  row("", matrix, matrix);
  row("with a row", matrix, [](std::int64_t n) { return Shape{n}; });
  row("with a column", [](std::int64_t) { return Shape{5, 1}; }, matrix);
  row("with a scalar", matrix, [](std::int64_t) { return Shape{}; });
  row("outer", [](std::int64_t n) { return Shape{n, 1}; }, [](std::int64_t) { return Shape{2, 1, 3}; });
}

double sign_of(double x) { return (x > 0) - (x < 0); }
double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

void add_cast_rows(Rows& rows) {
  for (const DType to : {DType::f32, DType::f16, DType::bf16, DType::f64, DType::i8, DType::u8, DType::i32, DType::i64,
                         DType::boolean}) {
    std::vector<DType> from = number_types;
    from.push_back(DType::boolean);
    std::erase(from, to);  // cast() does nothing there
    rows.push_back(Row{.op = &cast_op,
                       .label = "to " + std::string(to_string(to)),
                       .attrs = attrs_of(CastAttrs{to}),
                       .inputs =
                           [=](std::int64_t n, DType dtype) {
                             // What becomes u8 is not negative: the wrapping of negative numbers is in the unit tests.
                             return std::vector{to == DType::u8 && dtype != DType::boolean
                                                    ? positive_values({5, n}, 1, dtype)
                                                    : values({5, n}, 1, dtype)};
                           },
                       .reference =
                           [to](const std::vector<Array>& in) {
                             return make_array(in[0].shape, [&](const Shape& i) {
                               const double x = in[0].at(i);
                               return is_floating(to) ? x : to == DType::boolean ? x != 0 : std::trunc(x);
                             });
                           },
                       .sizes = {0, 1, 33, 257},
                       .dtypes = from,
                       .differentiable = to == DType::f64});  // rounding has no slope to measure
  }
}

}  // namespace

void add_elementwise_rows(Rows& rows) {
  rows.push_back(unary(neg_op, [](double x) { return -x; },
                       {DType::f32, DType::f16, DType::bf16, DType::f64, DType::i8, DType::i32, DType::i64}));
  rows.push_back(unary(abs_op, [](double x) { return std::abs(x); }, number_types));
  rows.push_back(unary(sign_op, sign_of, number_types));
  rows.back().differentiable = false;
  rows.push_back(unary(relu_op, [](double x) { return x > 0 ? x : 0; }, number_types));
  rows.push_back(unary(exp_op, [](double x) { return std::exp(x); }, float_types));
  rows.push_back(unary(log_op, [](double x) { return std::log(x); }, float_types, true));
  rows.push_back(unary(sqrt_op, [](double x) { return std::sqrt(x); }, float_types, true));
  rows.push_back(unary(rsqrt_op, [](double x) { return 1 / std::sqrt(x); }, float_types, true));
  rows.push_back(unary(sin_op, [](double x) { return std::sin(x); }, float_types));
  rows.push_back(unary(cos_op, [](double x) { return std::cos(x); }, float_types));
  rows.push_back(unary(tanh_op, [](double x) { return std::tanh(x); }, float_types));
  rows.push_back(unary(sigmoid_op, sigmoid_of, float_types));
  rows.push_back(unary(erf_op, [](double x) { return std::erf(x); }, float_types));
  rows.push_back(unary(floor_op, [](double x) { return std::floor(x); }, float_types));
  rows.back().differentiable = false;
  rows.push_back(unary(affine_op, "", attrs_of(AffineAttrs{3, 2}), [](double x) { return x * 3 + 2; }, number_types));
  rows.push_back(unary(
      affine_op, "by fractions", attrs_of(AffineAttrs{0.37, -1.25}), [](double x) { return x * 0.37 - 1.25; },
      float_types));
  rows.push_back(unary(pow_op, "2", attrs_of(PowAttrs{2}), [](double x) { return x * x; }, float_types));
  rows.push_back(
      unary(pow_op, "-1.5", attrs_of(PowAttrs{-1.5}), [](double x) { return std::pow(x, -1.5); }, float_types, true));
  rows.push_back(unary(logical_not_op, [](double x) { return x == 0 ? 1.0 : 0.0; }, booleans));
  rows.back().differentiable = false;
  add_cast_rows(rows);

  add_binary(rows, add_op, [](double a, double b) { return a + b; }, number_types, true);
  // The differences of u8 wrap: see the unit tests.
  const std::vector<DType> with_sign = {DType::f32, DType::f16, DType::bf16, DType::f64,
                                        DType::i8,  DType::i32, DType::i64};
  add_binary(rows, sub_op, [](double a, double b) { return a - b; }, with_sign, true);
  add_binary(rows, mul_op, [](double a, double b) { return a * b; }, number_types, true);
  add_binary(rows, div_op, [](double a, double b) { return a / b; }, float_types, true, true);
  add_binary(rows, maximum_op, [](double a, double b) { return std::fmax(a, b); }, number_types, true);
  add_binary(rows, minimum_op, [](double a, double b) { return std::fmin(a, b); }, number_types, true);
  std::vector<DType> all = number_types;
  all.push_back(DType::boolean);
  add_binary(rows, equal_op, [](double a, double b) { return a == b ? 1.0 : 0.0; }, all, false);
  add_binary(rows, less_op, [](double a, double b) { return a < b ? 1.0 : 0.0; }, all, false);
  add_binary(rows, less_equal_op, [](double a, double b) { return a <= b ? 1.0 : 0.0; }, all, false);
  add_binary(rows, logical_and_op, [](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; }, booleans, false);
  add_binary(rows, logical_or_op, [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; }, booleans, false);

  const auto where_row = [&](std::string label, Shape (*condition)(std::int64_t), Shape (*right)(std::int64_t)) {
    rows.push_back(Row{.op = &where_op,
                       .label = std::move(label),
                       .inputs =
                           [=](std::int64_t n, DType dtype) {
                             return std::vector{values(condition(n), 4, DType::boolean), values({5, n}, 5, dtype),
                                                values(right(n), 6, dtype)};
                           },
                       .reference =
                           [](const std::vector<Array>& in) {
                             return make_array(in[1].shape, [&](const Shape& i) {
                               return in[0].at(i) != 0 ? in[1].at(i) : in[2].at(i);
                             });
                           },
                       .measure = Measure::exact,
                       .dtypes = number_types});
  };
  where_row("", [](std::int64_t n) { return Shape{5, n}; }, [](std::int64_t n) { return Shape{5, n}; });
  where_row("broadcasting", [](std::int64_t) { return Shape{5, 1}; }, [](std::int64_t) { return Shape{}; });
}

}  // namespace trustformers::conformance
