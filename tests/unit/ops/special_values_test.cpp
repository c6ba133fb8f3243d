// NaN, infinities and signed zeros: what goes in comes out as IEEE 754 and PyTorch say.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "ops/activation/activation.h"
#include "ops/attention/attention.h"
#include "ops/elementwise/binary.h"
#include "ops/elementwise/unary.h"
#include "ops/loss/loss.h"
#include "ops/matmul/matmul.h"
#include "ops/norm/norm.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape_ops.h"

using namespace trustformers;

namespace {

constexpr double qnan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();
const DType floats[] = {DType::f32, DType::f16, DType::bf16, DType::f64};

Tensor row_of(std::initializer_list<double> values, DType dtype) {
  return cast(Tensor::from(values, {static_cast<std::int64_t>(values.size())}), dtype);
}

/// Same values, NaN where NaN is expected, and the same sign of zeros; finite results to 1 %.
void check_values(const std::string& what, const Tensor& got, const std::vector<double>& want) {
  const std::vector<double> values = got.to_vector<double>();
  REQUIRE(values.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    const bool same = std::isnan(want[i])   ? std::isnan(values[i])
                      : std::isinf(want[i]) ? values[i] == want[i]
                      : want[i] == 0        ? values[i] == 0 && std::signbit(values[i]) == std::signbit(want[i])
                                            : std::abs(values[i] - want[i]) <= 0.01 * std::abs(want[i]);
    CHECK_MESSAGE(same, what, " ", to_string(got.dtype()), " element ", i, ": ", values[i], " instead of ", want[i]);
  }
}

}  // namespace

TEST_CASE("ops: elementwise functions of special values") {
  struct Line {
    const char* name;
    Tensor (*f)(const Tensor&);
    std::vector<double> want;  // of NaN, inf, -inf, 0, -0, -1
  };
  const Line lines[] = {
      {"neg", neg, {qnan, -inf, inf, -0.0, 0.0, 1}},
      {"abs", abs, {qnan, inf, inf, 0.0, 0.0, 1}},
      {"sign", sign, {qnan, 1, -1, 0.0, 0.0, -1}},
      {"relu", relu, {qnan, inf, 0.0, 0.0, -0.0, 0.0}},
      {"exp", exp, {qnan, inf, 0.0, 1, 1, 0.36788}},
      {"log", log, {qnan, inf, qnan, -inf, -inf, qnan}},
      {"sqrt", sqrt, {qnan, inf, qnan, 0.0, -0.0, qnan}},
      {"rsqrt", rsqrt, {qnan, 0.0, qnan, inf, -inf, qnan}},
      {"sin", sin, {qnan, qnan, qnan, 0.0, -0.0, -0.84147}},
      {"cos", cos, {qnan, qnan, qnan, 1, 1, 0.5403}},
      {"tanh", tanh, {qnan, 1, -1, 0.0, -0.0, -0.76159}},
      {"sigmoid", sigmoid, {qnan, 1, 0.0, 0.5, 0.5, 0.26894}},
      {"erf", erf, {qnan, 1, -1, 0.0, -0.0, -0.8427}},
      {"floor", floor, {qnan, inf, -inf, 0.0, -0.0, -1}},
      {"affine", [](const Tensor& x) { return affine(x, 2, 1); }, {qnan, inf, -inf, 1, 1, -1}},
      {"affine by 0", [](const Tensor& x) { return affine(x, 0, 1); }, {qnan, qnan, qnan, 1, 1, 1}},
      {"pow 0", [](const Tensor& x) { return pow(x, 0); }, {1, 1, 1, 1, 1, 1}},
      {"pow 2", [](const Tensor& x) { return pow(x, 2); }, {qnan, inf, inf, 0.0, 0.0, 1}},
      {"pow 0.5", [](const Tensor& x) { return pow(x, 0.5); }, {qnan, inf, inf, 0.0, 0.0, qnan}},
      {"pow -1", [](const Tensor& x) { return pow(x, -1); }, {qnan, 0.0, -0.0, inf, -inf, -1}},
      {"pow 3", [](const Tensor& x) { return pow(x, 3); }, {qnan, inf, -inf, 0.0, -0.0, -1}},
      {"silu", silu, {qnan, inf, qnan, 0.0, -0.0, -0.26894}},
      {"gelu quick", [](const Tensor& x) { return gelu(x, GeluKind::quick); }, {qnan, inf, qnan, 0.0, -0.0, -0.15420}},
      {"gelu tanh", [](const Tensor& x) { return gelu(x, GeluKind::tanh); }, {qnan, inf, qnan, 0.0, -0.0, -0.15881}},
      {"gelu", [](const Tensor& x) { return gelu(x); }, {qnan, inf, qnan, 0.0, -0.0, -0.15866}},
  };
  for (const DType dtype : floats)
    for (const Line& line : lines)
      check_values(line.name, line.f(row_of({qnan, inf, -inf, 0.0, -0.0, -1.0}, dtype)), line.want);
}

TEST_CASE("ops: comparisons and extrema with NaN") {
  for (const DType dtype : floats) {
    const Tensor a = row_of({qnan, 1, qnan, inf, -inf}, dtype);
    const Tensor b = row_of({1, qnan, qnan, inf, inf}, dtype);
    check_values("equal", equal(a, b), {0, 0, 0, 1, 0});
    check_values("less", less(a, b), {0, 0, 0, 0, 1});
    check_values("less_equal", less_equal(a, b), {0, 0, 0, 1, 1});
    check_values("maximum", maximum(a, b), {qnan, qnan, qnan, inf, inf});
    check_values("minimum", minimum(a, b), {qnan, qnan, qnan, inf, -inf});
    check_values("add", a + b, {qnan, qnan, qnan, inf, qnan});
    check_values("sub", a - b, {qnan, qnan, qnan, qnan, -inf});
    check_values("where", where(equal(a, a), a, b), {1, 1, qnan, inf, -inf});
    check_values("div", row_of({1, -1, 0, inf}, dtype) / row_of({0, 0, 0, inf}, dtype), {inf, -inf, qnan, qnan});
  }
}

TEST_CASE("ops: reductions with NaN and infinities") {
  for (const DType dtype : floats) {
    check_values("max", max(row_of({1, qnan, 3}, dtype)), {qnan});
    check_values("max, NaN first", max(row_of({qnan, 3, 4}, dtype)), {qnan});
    check_values("min", min(row_of({1, qnan, -3}, dtype)), {qnan});
    check_values("max of -inf", max(row_of({-inf, -inf}, dtype)), {-inf});
    check_values("sum", sum(row_of({inf, 1, -inf}, dtype)), {qnan});
    check_values("sum", sum(row_of({inf, 1, 2}, dtype)), {inf});
    check_values("cumsum", cumsum(row_of({1, inf, 2, -inf, 1}, dtype), 0), {1, inf, inf, qnan, qnan});
    CHECK(argmax(row_of({1, qnan, 3, qnan}, dtype)).item() == 1);
    CHECK(argmax(row_of({2, 5, 5}, dtype)).item() == 1);
    CHECK(argmax(row_of({-inf, -inf}, dtype)).item() == 0);
  }
}

TEST_CASE("ops: reductions over nothing") {
  CHECK(sum(Tensor::zeros({2, 0}), {1}).to_vector<float>() == std::vector<float>{0, 0});
  CHECK(std::isnan(mean(Tensor::zeros({0})).item()));
  CHECK(std::isnan(var(Tensor::ones({1})).item()));
  CHECK(max(Tensor::zeros({0, 3}), {1}).shape() == Shape{0});
  CHECK_THROWS_AS(max(Tensor::zeros({0, 3}), {0}), Error);
  CHECK_THROWS_AS(argmax(Tensor::zeros({3, 0}), 1), Error);
}

TEST_CASE("ops: matrix products with NaN, infinities and nothing") {
  for (const DType dtype : floats) {
    const Tensor inf_row = cast(Tensor::from({inf, 1.0}, {1, 2}), dtype);
    const Tensor zero_column = cast(Tensor::from({0.0, 1.0}, {2, 1}), dtype);
    check_values("inf by 0", matmul(inf_row, zero_column), {qnan});
    check_values("linear", linear(inf_row, cast(Tensor::from({1.0, 1.0, 0.0, 1.0}, {2, 2}), dtype)), {inf, qnan});
    check_values("no inner size", matmul(Tensor::ones({2, 0}, dtype), Tensor::ones({0, 2}, dtype)), {0, 0, 0, 0});
    check_values("linear of nothing",
                 linear(Tensor::ones({2, 0}, dtype), Tensor::ones({2, 0}, dtype), row_of({1, 2}, dtype)), {1, 2, 1, 2});
  }
}

TEST_CASE("ops: softmax and norms of special rows") {
  for (const DType dtype : floats) {
    const Tensor rows = cast(Tensor::from({-inf, -inf, inf, 0.0, qnan, 1.0, -inf, 2.0}, {4, 2}), dtype);
    check_values("softmax", softmax(rows), {qnan, qnan, qnan, qnan, qnan, qnan, 0.0, 1});
    check_values("log_softmax", log_softmax(rows), {qnan, qnan, qnan, qnan, qnan, qnan, -inf, 0.0});
    const Tensor x = cast(Tensor::from({0.0, 0.0, 1.0, qnan, 1.0, inf}, {3, 2}), dtype);
    check_values("rms_norm", rms_norm(x, Tensor(), 1e-5), {0.0, 0.0, qnan, qnan, 0.0, qnan});
    check_values("layer_norm", layer_norm(x, Tensor(), Tensor(), 1e-5), {0.0, 0.0, qnan, qnan, qnan, qnan});
  }
}

TEST_CASE("ops: attention and losses of special values") {
  for (const DType dtype : floats) {
    const Tensor q = Tensor::ones({1, 1, 2, 4}, dtype);
    const Tensor k = Tensor::ones({1, 1, 3, 4}, dtype);
    const Tensor v = cast(Tensor::from({1.0, 2.0, 3.0}, {1, 1, 3, 1}), dtype);
    const Tensor none = Tensor::zeros({1, 3}, DType::boolean);
    check_values("a query that sees nothing", attention(q, k, v, {.scale = 1}, none), {2, 2});
    const Tensor hidden = cast(Tensor::from({0.0, 0.0, -inf}, {3}), dtype);
    check_values("a bias of -inf hides a key", attention(q, k, v, {.scale = 1}, Tensor(), hidden), {1.5, 1.5});
    const Tensor broken = cast(Tensor::from({1.0, qnan}, {1, 1, 2, 1}), dtype);
    check_values("a query that is NaN", attention(broken, Tensor::ones({1, 1, 3, 1}, dtype), v, {.scale = 1}),
                 {2, qnan});

    const Tensor logits = cast(Tensor::from({0.0, -inf, 1.0}, {1, 3}), dtype);
    const auto target = [](std::int64_t t) { return Tensor::from({t}, {1}); };
    check_values("cross_entropy", cross_entropy(logits, target(0)), {1.3133});
    check_values("cross_entropy of the impossible", cross_entropy(logits, target(1)), {inf});
    check_values("smoothed", cross_entropy(logits, target(0), {.label_smoothing = 0.1}), {inf});
    check_values("mean of no targets", cross_entropy(logits, target(-100)), {qnan});
    check_values("sum of no targets", cross_entropy(logits, target(-100), {.mean = false}), {0});
  }
}

TEST_CASE("ops: casts of special values") {
  const Tensor x = Tensor::from({qnan, inf, -inf, 300.7, -1.9}, {5});
  check_values("to i32", cast(x, DType::i32), {0, 2147483647, -2147483648.0, 300, -1});
  check_values("to u8", cast(x, DType::u8), {0, 255, 0, 255, 0});
  check_values("to bool", cast(x, DType::boolean), {1, 1, 1, 1, 1});
  check_values("to f16", cast(Tensor::from({70000.0, -1e9, 1e-8, qnan}, {4}), DType::f16), {inf, -inf, 0, qnan});
  check_values("to bf16", cast(Tensor::from({3.4e38, -inf, qnan}, {3}), DType::bf16), {inf, -inf, qnan});
  // Between integers the low bits stay, as in PyTorch.
  check_values("i64 to i8", cast(Tensor::from<std::int64_t>({300, -129}, {2}), DType::i8), {44, 127});
}

TEST_CASE("ops: whole numbers wrap around") {
  const Tensor u8 = Tensor::from<std::uint8_t>({250, 3}, {2});
  check_values("add", u8 + u8, {244, 6});
  check_values("sub", u8 - Tensor::from<std::uint8_t>({255, 4}, {2}), {251, 255});
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const Tensor i64 = Tensor::from<std::int64_t>({most}, {1});
  const auto first = [](const Tensor& t) { return t.to_vector<std::int64_t>()[0]; };
  CHECK(first(i64 + Tensor::from<std::int64_t>({1}, {1})) == -most - 1);
  CHECK(first(i64 * i64) == 1);
  CHECK(first(neg(Tensor::from<std::int64_t>({-most - 1}, {1}))) == -most - 1);
  CHECK(first(abs(Tensor::from<std::int64_t>({-most - 1}, {1}))) == -most - 1);
  CHECK(first(affine(i64, 2, 3)) == 1);
  CHECK(first(sum(Tensor::from<std::int64_t>({most, 1}, {2}))) == -most - 1);
  check_values("i32", Tensor::from<std::int32_t>({2147483647}, {1}) + Tensor::from<std::int32_t>({1}, {1}),
               {-2147483648.0});
  // Quotients are real numbers.
  check_values("div", Tensor::from<std::int64_t>({7, -7, 1}, {3}) / Tensor::from<std::int64_t>({2, 2, 0}, {3}),
               {3.5, -3.5, inf});
}
