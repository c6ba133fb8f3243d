// Three steps of each optimizer on a matrix and a vector, against torch.optim (PyTorch 2.15).
#include <doctest/doctest.h>

#include <memory>

#include "base/error.h"
#include "ops/elementwise/binary.h"
#include "ops/reduce/reduce.h"
#include "tensor/context.h"
#include "train/adafactor.h"
#include "train/adam.h"
#include "train/schedule.h"
#include "train/sgd.h"

namespace trustformers {
namespace {

std::vector<NamedTensor> make_parameters() {
  Tensor w = Tensor::from({0.5f, -1.0f, 2.0f, 0.25f, 1.5f, -0.75f}, {2, 3});
  Tensor v = Tensor::from({1.0f, -2.0f, 0.5f}, {3});
  w.set_requires_grad(true);
  v.set_requires_grad(true);
  return {{"dense.weight", w}, {"dense.bias", v}};
}

void set_gradients(std::vector<NamedTensor>& parameters, int step) {
  const auto s = static_cast<float>(step + 1);
  parameters[0].tensor.set_grad(Tensor::from({0.1f * s, -0.2f, 0.3f, 0.4f, -0.5f * s, 0.6f}, {2, 3}));
  parameters[1].tensor.set_grad(Tensor::from({0.7f, -0.8f * s, 0.9f}, {3}));
}

void check_close(const Tensor& got, const std::vector<float>& expected) {
  const std::vector<float> values = got.to_vector<float>();
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-6));
}

template <class Make>
void check_three_steps(double lr, const Make& make, const std::vector<float>& matrix,
                       const std::vector<float>& vector) {
  std::vector<NamedTensor> parameters = make_parameters();
  auto optimizer = make(parameters);
  for (int step = 0; step < 3; ++step) {
    set_gradients(parameters, step);
    optimizer.step(lr);
  }
  check_close(parameters[0].tensor, matrix);
  check_close(parameters[1].tensor, vector);
}

TEST_CASE("train: sgd follows torch") {
  check_three_steps(0.1, [](const auto& p) { return Sgd(p); },
                    {0.439999998f, -0.940000057f, 1.91000009f, 0.12999998f, 1.79999995f, -0.930000007f},
                    {0.790000021f, -1.51999998f, 0.229999989f});
  check_three_steps(
      0.1, [](const auto& p) { return Sgd(p, {.momentum = 0.9, .nesterov = false, .weight_decay = {0.01, {}}}); },
      {0.40215537f, -0.882290721f, 1.82063365f, 0.0243906695f, 1.96680236f, -1.08210814f},
      {0.602030754f, -1.22845352f, -0.0072706975f});
  check_three_steps(0.1, [](const auto& p) { return Sgd(p, {.momentum = 0.9, .nesterov = true, .weight_decay = {}}); },
                    {0.354410022f, -0.839020014f, 1.7585299f, -0.0719600096f, 2.2279501f, -1.23293996f},
                    {0.436569989f, -0.835280001f, -0.224409997f});
}

TEST_CASE("train: adam follows torch") {
  AdamOptions options;
  options.weight_decay.value = 0.1;
  check_three_steps(0.1, [&](const auto& p) { return Adam(p, options); },
                    {0.20328185f, -0.700381517f, 1.70021331f, -0.0497442707f, 1.78839564f, -1.04979789f},
                    {0.700127959f, -1.70539868f, 0.200106621f});
}

TEST_CASE("train: adamw follows torch") {
  AdamOptions options{.beta1 = 0.8, .beta2 = 0.95, .eps = 1e-8, .weight_decay = {0.1, {}}};
  check_three_steps(0.1, [&](const auto& p) { return AdamW(p, options); },
                    {0.192498237f, -0.673288941f, 1.64358795f, -0.0544352643f, 1.74809992f, -1.02473426f},
                    {0.673288941f, -1.6479466f, 0.188139528f});
}

TEST_CASE("train: adafactor follows torch") {
  AdafactorOptions options;
  options.weight_decay.value = 0.1;
  check_three_steps(0.1, [&](const auto& p) { return Adafactor(p, options); },
                    {0.0984714702f, -0.745601535f, 1.55489469f, -0.0517480783f, 1.80773795f, -1.01193023f},
                    {0.633561969f, -1.55146325f, 0.148412436f});
  // eps1 large enough to bound the second moment, clipping that acts, other memory.
  options = {.beta2_decay = -0.5, .eps1 = 0.5, .eps2 = 1e-3, .clipping = 2, .weight_decay = {}};
  check_three_steps(1.0, [&](const auto& p) { return Adafactor(p, options); },
                    {-1.00407279f, 0.458164304f, -0.187246516f, -2.66632867f, 6.40057468f, -4.92501736f},
                    {-1.27887297f, 0.426796645f, -1.77887297f});
}

TEST_CASE("train: the number of threads changes no bit") {
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2}) {
    const auto context = make_context(threads);
    const ContextScope scope(*context);
    Tensor w = Tensor::randn({300, 257}, 1);
    w.set_requires_grad(true);
    Adafactor first({{"w", w}});
    AdamW second({{"w", w}});
    for (int step = 0; step < 2; ++step) {
      w.set_grad(Tensor::randn({300, 257}, static_cast<std::uint64_t>(step) + 2));
      first.step(0.1);
      second.step(0.1);
    }
    results.push_back(w.to_vector<float>());
  }
  CHECK(results[0] == results[1]);
}

TEST_CASE("train: weight decay acts where its predicate says") {
  std::vector<NamedTensor> parameters = make_parameters();
  Sgd optimizer(parameters, {.momentum = 0, .nesterov = false, .weight_decay = {0.5, decays_matrices}});
  parameters[0].tensor.set_grad(Tensor::zeros({2, 3}));
  parameters[1].tensor.set_grad(Tensor::zeros({3}));
  optimizer.step(1);
  check_close(parameters[0].tensor, {0.25f, -0.5f, 1.0f, 0.125f, 0.75f, -0.375f});
  check_close(parameters[1].tensor, {1.0f, -2.0f, 0.5f});
}

TEST_CASE("train: gradients accumulate until they are forgotten") {
  std::vector<NamedTensor> parameters = make_parameters();
  Sgd optimizer(parameters);
  const Tensor& v = parameters[1].tensor;
  for (int i = 0; i < 2; ++i) sum(v * v).backward();
  check_close(v.grad(), {4.0f, -8.0f, 2.0f});
  optimizer.step(0.125);
  check_close(v, {0.5f, -1.0f, 0.25f});
  optimizer.zero_grad();
  CHECK(!v.grad().defined());
  optimizer.step(1);  // no gradient, no step
  check_close(v, {0.5f, -1.0f, 0.25f});
}

TEST_CASE("train: gradients are clipped by their common norm") {
  std::vector<NamedTensor> parameters = make_parameters();
  set_gradients(parameters, 0);
  CHECK(clip_grad_norm(parameters, 2.0) == doctest::Approx(1.6881942749));
  check_close(parameters[1].tensor.grad(), {0.7f, -0.8f, 0.9f});
  CHECK(clip_grad_norm(parameters, 1.0) == doctest::Approx(1.6881942749));
  check_close(parameters[0].tensor.grad(),
              {0.059234858f, -0.118469715f, 0.177704573f, 0.236939430f, -0.296174288f, 0.355409145f});
  check_close(parameters[1].tensor.grad(), {0.414644003f, -0.473878860f, 0.533113718f});
}

TEST_CASE("train: a linear schedule warms up and goes down to zero") {
  const Schedule schedule = linear_schedule(2.0, 2, 6);
  const double expected[] = {0.0, 1.0, 2.0, 1.5, 1.0, 0.5, 0.0, 0.0};
  for (int step = 0; step < 8; ++step) CHECK(schedule(step) == doctest::Approx(expected[step]));
  CHECK(constant_schedule(0.5)(7) == 0.5);
  CHECK_THROWS_AS(linear_schedule(1.0, 3, 2), Error);
}

TEST_CASE("train: an optimizer refuses what it cannot update") {
  const Tensor frozen = Tensor::zeros({2});
  CHECK_THROWS_AS(Sgd({{"frozen", frozen}}), Error);
  CHECK_THROWS_AS(Sgd(make_parameters(), {.momentum = 0, .nesterov = true, .weight_decay = {}}), Error);
  CHECK_THROWS_AS(Adam(make_parameters(), {.beta1 = 1, .beta2 = 0.9, .eps = 1e-8, .weight_decay = {}}), Error);
}

}  // namespace
}  // namespace trustformers
