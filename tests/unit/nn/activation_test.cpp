// Activation functions by name, against PyTorch (transformers' ACT2FN) and central differences.
#include "nn/activation.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/gradient_check.h"
#include "base/error.h"

namespace trustformers {
namespace {

const std::vector<float> points = {-30, -3.5f, -1.25f, -0.1f, 0, 0.3f, 1, 2.75f, 7, 30};

TEST_CASE("nn: activation functions have the values of PyTorch") {
  const std::pair<const char*, std::vector<float>> rows[] = {
      {"gelu_10",
       {0, -0.000814333558f, -0.132062212f, -0.0460172184f, 0, 0.18537344f, 0.841344714f, 2.74180579f, 7, 10}},
      {"gelu_accurate",
       {0, -0.000616148114f, -0.132285804f, -0.0460172482f, 0, 0.185370937f, 0.841192007f, 2.74227667f, 7, 30}},
      {"gelu_python_tanh",
       {0, -0.000616148114f, -0.132285804f, -0.0460172482f, 0, 0.185370937f, 0.841192007f, 2.74227667f, 7, 30}},
      {"hardswish", {0, 0, -0.364583343f, -0.0483333357f, 0, 0.165000007f, 0.666666687f, 2.63541675f, 7, 30}},
      {"laplace", {0, 0, 0, 0.00211074948f, 0.00609445572f, 0.074488312f, 0.850429654f, 1, 1, 1}},
      {"leaky_relu", {-0.3f, -0.035f, -0.0125f, -0.001f, 0, 0.3f, 1, 2.75f, 7, 30}},
      {"mish",
       {-2.80728695e-12f, -0.10409575f, -0.308413923f, -0.0567885712f, 0, 0.20800139f, 0.865098357f, 2.73021436f,
        6.99998856f, 30}},
      {"relu2", {0, 0, 0, 0, 0, 0.09f, 1, 7.5625f, 49, 900}},
      {"relu6", {0, 0, 0, 0, 0, 0.3f, 1, 2.75f, 6, 6}},
      {"softplus",
       {9.35762291e-14f, 0.0297504179f, 0.251929075f, 0.644396663f, 0.693147182f, 0.854355276f, 1.31326163f,
        2.81196761f, 7.00091171f, 30}},
      {"sqrtsoftplus",
       {3.05902319e-07f, 0.172483101f, 0.501925349f, 0.802743196f, 0.832554638f, 0.924313426f, 1.14597631f, 1.67689228f,
        2.64592361f, 5.47722578f}}};
  for (const auto& [name, expected] : rows) {
    const std::vector<float> got =
        ActivationFunction::parse(name, "test")(Tensor::from(points, {10})).to_vector<float>();
    for (std::size_t i = 0; i < points.size(); ++i) {
      INFO(name, " at ", points[i]);
      CHECK(got[i] == doctest::Approx(expected[i]).epsilon(1e-6));
    }
  }
  // doctest compares small numbers with 1: the left tail is looked at apart.
  const std::vector<float> tail = softplus(Tensor::from({-30.0f, -10.0f}, {2})).to_vector<float>();
  CHECK(tail[0] / 9.35762291e-14f == doctest::Approx(1).epsilon(1e-6));
  CHECK(tail[1] / 4.53988992e-05f == doctest::Approx(1).epsilon(1e-6));
}

TEST_CASE("nn: activation functions have the gradients of their values, gated or not") {
  for (const char* name : {"gelu_10", "hardswish", "laplace", "leaky_relu", "mish", "relu2", "relu6", "softplus",
                           "sqrtsoftplus", "silu", "gelu", "gelu_new"}) {
    INFO(name);
    const ActivationFunction f = ActivationFunction::parse(name, "test");
    const Tensor x[] = {Tensor::randn({7}, 3, DType::f64).set_requires_grad(true),
                        Tensor::randn({7}, 4, DType::f64).set_requires_grad(true)};
    CHECK(gradient_error([&](std::span<const Tensor> in) { return f(in[0]); }, {x, 1}) < 1e-7);
    CHECK(gradient_error([&](std::span<const Tensor> in) { return f.gated(in[0], in[1]); }, x) < 1e-7);
  }
}

TEST_CASE("nn: an unknown activation function is an error that names it") {
  CHECK_THROWS_WITH_AS(ActivationFunction::parse("softsign", "hidden_act"), doctest::Contains("softsign"), Error);
}

}  // namespace
}  // namespace trustformers
