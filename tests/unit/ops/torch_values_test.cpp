// A few values computed by PyTorch, for the ops that the conformance rows judge by our own formulas.
#include <doctest/doctest.h>

#include <cmath>

#include "ops/activation/activation.h"
#include "ops/attention/attention.h"
#include "ops/conv/conv.h"
#include "ops/elementwise/binary.h"
#include "ops/elementwise/unary.h"
#include "ops/loss/loss.h"
#include "ops/norm/norm.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape_ops.h"

using namespace trustformers;

namespace {

/// start, start + 1, ... as f64 in a shape.
Tensor counting(double start, const Shape& shape) {
  return reshape(Tensor::arange(start, start + static_cast<double>(element_count(shape)), 1, DType::f64), shape);
}

/// In f64 and, more loosely, in f32, where the kernels are.
template <class F>
void check_both(F f, const std::vector<double>& want) {
  for (const DType dtype : {DType::f64, DType::f32}) {
    const std::vector<double> got = f(dtype).template to_vector<double>();
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < want.size(); ++i)
      CHECK_MESSAGE(got[i] == doctest::Approx(want[i]).epsilon(dtype == DType::f64 ? 1e-13 : 2e-6), to_string(dtype),
                    " element ", i);
  }
}

}  // namespace

TEST_CASE("ops: norms give PyTorch's values") {
  const auto x = [](DType d) { return cast(Tensor::from({1.0, 2.0, 4.0, 0.0, 0.0, 0.0, -1.0, 5.0, 1e3}, {3, 3}), d); };
  const auto weight = [](DType d) { return cast(Tensor::from({1.0, 2.0, 3.0}, {3}), d); };
  const auto bias = [](DType d) { return cast(Tensor::from({0.5, 0.0, -1.0}, {3}), d); };
  check_both([&](DType d) { return layer_norm(x(d), weight(d), bias(d), 1e-2); },
             {-0.5656252308941638, -0.5328126154470821, 2.9960946158531137, 0.5, 0.0, -1.0, -0.21347380905443525,
              -1.401441106563727, 3.2425830870088954});
  check_both([&](DType d) { return rms_norm(x(d), weight(d), 1e-2); },
             {0.37769478730024897, 1.5107791492009959, 4.532337447602988, 0.0, 0.0, 0.0, -0.001732028265367696,
              0.01732028265367696, 5.196084796103088});
}

TEST_CASE("ops: gelu gives PyTorch's values") {
  const auto x = [](DType d) { return cast(Tensor::from({-3.0, -1.0, -0.1, 0.0, 0.1, 1.0, 3.0, 6.0}, {8}), d); };
  check_both([&](DType d) { return gelu(x(d)); },
             {-0.00404969409489031, -0.15865525393145702, -0.0460172162722971, 0.0, 0.053982783727702904,
              0.841344746068543, 2.99595030590511, 5.999999994080474});
  check_both([&](DType d) { return gelu(x(d), GeluKind::tanh); },
             {-0.0036373920817729943, -0.15880800939172324, -0.04601724895456484, 0.0, 0.053982751045435165,
              0.8411919906082768, 2.996362607918227, 5.9999999999156035});
  check_both([&](DType d) { return gelu(x(d), GeluKind::quick); },
             {-0.01807130970778597, -0.1542042340671787, -0.04575524191638182, 0.0, 0.054244758083618186,
              0.8457957659328212, 2.981928690292214, 5.999779646450213});
}

TEST_CASE("ops: convolutions give PyTorch's values") {
  const auto y = [](DType d) {
    const Tensor x = counting(1, {2, 4, 5, 5}) * (1.0 / 37) - 1;
    const Tensor w = counting(1, {6, 2, 3, 2}) * (1.0 / 29) - 1;
    const Tensor b = counting(0, {6}) * (1.0 / 7);
    return conv2d(cast(x, d), cast(w, d), cast(b, d),
                  {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2});
  };
  CHECK(y(DType::f64).shape() == Shape{2, 6, 3, 7});
  check_both([&](DType d) { return slice(reshape(y(d), {-1}), 0, 0, 6); },
             {1.793103448275862, 1.7148182665424043, 3.5079217148182664, 3.3476234855545197, 3.1873252562907735,
              1.625349487418453});
  check_both([&](DType d) { return sum(y(d)); }, {1598.9468779123954});
  check_both([&](DType d) { return sum(y(d) * y(d)); }, {51568.13214864859});
  check_both(
      [](DType d) {
        const Tensor x = counting(1, {1, 2, 6}) * 0.2 - 1;
        const Tensor w = counting(1, {3, 2, 2}) * (1.0 / 7) - 1;
        return conv1d(cast(x, d), cast(w, d), Tensor(), 2, 1, 2);
      },
      {0.17142857142857135, -0.11428571428571438, -1.1428571428571428, 0.17142857142857143, 0.34285714285714275,
       0.22857142857142845, 0.1714285714285714, 0.7999999999999999, 1.5999999999999999});
}

TEST_CASE("ops: attention gives PyTorch's values") {
  const auto run = [](DType d, bool causal) {
    const Tensor q = counting(0, {1, 2, 3, 4}) * 0.1 - 1;
    const Tensor k = counting(0, {1, 2, 4, 4}) * (1.0 / 13) - 1;
    const Tensor v = counting(0, {1, 2, 4, 3}) * (1.0 / 9);
    return attention(cast(q, d), cast(k, d), cast(v, d), {.scale = 0.5, .causal = causal});
  };
  check_both([&](DType d) { return run(d, false); },
             {0.2973539104350046, 0.40846502154611575, 0.5195761326572268, 0.3870511172847345, 0.49816222839584556,
              0.6092733395069567, 0.4871829249680846, 0.5982940360791957, 0.7094051471903069, 1.9219178765680789,
              2.03302898767919, 2.144140098790301, 2.014905449446037, 2.126016560557148, 2.2371276716682593,
              2.093039581197722, 2.2041506923088328, 2.315261803419944});
  check_both([&](DType d) { return run(d, true); },
             {0.12404434269998502, 0.23515545381109612, 0.3462665649222072, 0.27256855232360694, 0.38367966343471804,
              0.49479077454582915, 0.4871829249680846, 0.5982940360791957, 0.7094051471903069, 1.5178796507885886,
              1.6289907618996995, 1.7401018730108104, 1.7657498090670283, 1.8768609201781397, 1.9879720312892506,
              2.093039581197722, 2.2041506923088328, 2.315261803419944});
}

TEST_CASE("ops: cross entropy gives PyTorch's values and gradients") {
  struct Line {
    CrossEntropyAttrs attrs;
    double loss;
    std::vector<double> gradient;  // of the first and the last row; the middle one is ignored
  };
  const Line lines[] = {
      {{},
       0.20557865810672127,
       {0.08764519607001835, 0.019556286635343725, -0.10720148270536206, 0.021005033067033024, -0.07810263275933021,
        0.05709759969229724}},
      {{.label_smoothing = 0.1},
       0.3639119914400546,
       {0.07097852940335168, 0.0028896199686770582, -0.07386814937202874, 0.004338366400366358, -0.04476929942599689,
        0.04043093302563057}},
      {{.mean = false},
       0.41115731621344254,
       {0.1752903921400367, 0.03911257327068745, -0.21440296541072412, 0.04201006613406605, -0.15620526551866043,
        0.11419519938459448}},
      {{.label_smoothing = 0.1, .mean = false},
       0.7278239828801092,
       {0.14195705880670337, 0.0057792399373541165, -0.14773629874405747, 0.008676732800732716, -0.08953859885199378,
        0.08086186605126114}},
  };
  const Tensor values = Tensor::from({0.5, -1.0, 2.0, 1.0, 0.0, -0.5, 0.0, 3.0, 1.0}, {3, 3});
  for (const Line& line : lines) {
    Tensor logits = values.detach().set_requires_grad(true);
    const Tensor loss = cross_entropy(logits, Tensor::from<std::int64_t>({2, -100, 1}, {3}), line.attrs);
    CHECK(loss.item() == doctest::Approx(line.loss).epsilon(1e-13));
    loss.backward();
    const std::vector<double> gradient = logits.grad().to_vector<double>();
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(gradient[i] == doctest::Approx(line.gradient[i]).epsilon(1e-12));
      CHECK(gradient[i + 3] == 0);
      CHECK(gradient[i + 6] == doctest::Approx(line.gradient[i + 3]).epsilon(1e-12));
    }
  }
  CHECK(cross_entropy(values, Tensor::from<std::int64_t>({2, 1, 1}, {3}), {.ignore_index = 1}).item() ==
        doctest::Approx(0.24131129665715703).epsilon(1e-13));
  CHECK_THROWS_AS(cross_entropy(values, Tensor::from<std::int64_t>({2, 3, 1}, {3})), Error);
  CHECK(binary_cross_entropy_with_logits(Tensor::from({1.0, -2.0, 0.5}, {3}), Tensor::from({1.0, 0.0, 0.3}, {3}))
            .item() == doctest::Approx(0.4214222275804341).epsilon(1e-13));
}

TEST_CASE("ops: means and variances give PyTorch's values") {
  const Tensor x = Tensor::from({1.0, 2.0, 4.0}, {3});
  CHECK(mean(x).item() == doctest::Approx(7.0 / 3));
  CHECK(var(x).item() == doctest::Approx(7.0 / 3));
  CHECK(var(x, {}, false, 0).item() == doctest::Approx(14.0 / 9));
}

TEST_CASE("ops: gradients at ties and edges are PyTorch's") {
  using V = std::vector<double>;
  const auto gradient = [](const V& at, auto f) {
    Tensor x = Tensor::from(at, {static_cast<std::int64_t>(at.size())}).set_requires_grad(true);
    sum(f(x)).backward();
    return x.grad().defined() ? x.grad().to_vector<double>() : V(at.size(), 0.0);
  };
  CHECK(gradient({3, 1, 3}, [](const Tensor& x) { return max(x); }) == V{0.5, 0, 0.5});
  CHECK(gradient({1, 1, 2, 0}, [](const Tensor& x) { return max(reshape(x, {2, 2}), {1}); }) == V{0.5, 0.5, 1, 0});
  const Tensor other = Tensor::from({1.0, 3.0}, {2});
  CHECK(gradient({1, 2}, [&](const Tensor& x) { return maximum(x, other); }) == V{0.5, 0});
  CHECK(gradient({1, 2}, [&](const Tensor& x) { return minimum(x, other); }) == V{0.5, 1});
  CHECK(gradient({-1, 0, 2}, [](const Tensor& x) { return relu(x); }) == V{0, 0, 1});
  CHECK(gradient({-1, 0, 2}, [](const Tensor& x) { return abs(x); }) == V{-1, 0, 1});
  CHECK(gradient({0, 2}, [](const Tensor& x) { return pow(x, 0); }) == V{0, 0});
  CHECK(gradient({0, -3}, [](const Tensor& x) { return pow(x, 2); }) == V{0, -6});
  CHECK(gradient({0, 4}, [](const Tensor& x) { return sqrt(x); }) == V{HUGE_VAL, 0.25});
}
