// Routers against choices made by hand, and mixtures against every expert computed for every token.
#include "nn/moe.h"

#include <doctest/doctest.h>

#include <cmath>

#include "../support.h"
#include "ops/elementwise/binary.h"
#include "ops/elementwise/unary.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape_ops.h"
#include "tensor/op.h"

namespace trustformers::test {
namespace {

constexpr std::int64_t width = 6, inner = 4, experts = 5, tokens = 9;

/// A router whose logits are its input.
Router identity_router(RouterConfig c, const std::vector<float>& correction = {}) {
  const auto parameters = Parameters::init(1, {});
  c.hidden_size = c.experts;
  const Scope scope(parameters, "gate");
  Router router(scope, c);
  REQUIRE(parameters->named().size() == 1);
  const Tensor& weight = parameters->named()[0].tensor;
  for (std::int64_t i = 0; i < weight.numel(); ++i)
    weight.mutable_data<float>()[i] = i % (c.experts + 1) == 0 ? 1.0F : 0.0F;
  weight.mark_mutated();
  for (const NamedTensor& buffer : parameters->buffers())  // the correction is no parameter
    std::copy(correction.begin(), correction.end(), buffer.tensor.mutable_data<float>());
  return router;
}

void check_close(const Tensor& got, const std::vector<double>& expected) {
  const std::vector<double> values = got.to_vector<double>();
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-5));
}

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

TEST_CASE("nn: routers choose by score, by group and by corrected score") {
  const NoGrad no_grad;
  const Tensor logits = Tensor::from({1.0F, 3.0F, 2.0F, 0.0F}, {1, 4});
  const double all = std::exp(1) + std::exp(3) + std::exp(2) + 1;

  Routing r = identity_router({.experts = 4, .chosen = 2})(logits);
  CHECK(r.experts == std::vector<std::int64_t>{1, 2});
  check_close(r.weights, {std::exp(3) / all, std::exp(2) / all});

  r = identity_router({.experts = 4, .chosen = 2, .renormalise = true, .scale = 2})(logits);
  check_close(r.weights,
              {2 * std::exp(3) / (std::exp(3) + std::exp(2)), 2 * std::exp(2) / (std::exp(3) + std::exp(2))});

  // The best expert lies in the second of two groups: the third expert is its neighbour.
  r = identity_router({.experts = 4, .chosen = 2, .groups = 2, .chosen_groups = 1})(
      Tensor::from({2.5F, 2.5F, 3.0F, 0.0F}, {1, 4}));
  CHECK(r.experts == std::vector<std::int64_t>{2, 3});
  // By two together the first group wins.
  r = identity_router({.experts = 4, .chosen = 2, .groups = 2, .chosen_groups = 1, .groups_by_two = true})(
      Tensor::from({2.5F, 2.5F, 3.0F, 0.0F}, {1, 4}));
  CHECK(r.experts == std::vector<std::int64_t>{0, 1});

  r = identity_router({.experts = 4, .chosen = 2, .scoring = RouterConfig::Scoring::sigmoid, .correction_bias = true},
                      {0.0F, 0.0F, 0.0F, 1.0F})(logits);
  CHECK(r.experts == std::vector<std::int64_t>{3, 1});
  check_close(r.weights, {0.5, sigmoid_of(3)});  // the correction chooses and does not weigh

  // SparseMixer: of 1, 1.01 and 0.5 the last lies too far behind to count.
  r = identity_router({.experts = 3, .chosen = 2, .scoring = RouterConfig::Scoring::sparsemixer})(
      Tensor::from({1.0F, 1.01F, 0.5F}, {1, 3}));
  CHECK(r.experts == std::vector<std::int64_t>{1, 0});
  check_close(r.weights, {sigmoid_of(0.01), 1});
}

TEST_CASE("nn: routers refuse what does not fit together") {
  CHECK(mentions(error_of([] { identity_router({.experts = 4, .chosen = 5}); }), "num_experts_per_tok"));
  CHECK(mentions(error_of([] { identity_router({.experts = 4, .chosen = 1, .groups = 3, .chosen_groups = 1}); }),
                 "n_group"));
  CHECK(mentions(error_of([] { identity_router({.experts = 4, .chosen = 3, .groups = 2, .chosen_groups = 1}); }),
                 "topk_group"));
  CHECK(mentions(
      error_of([] { identity_router({.experts = 4, .chosen = 3, .scoring = RouterConfig::Scoring::sparsemixer}); }),
      "num_experts_per_tok"));
}

Tensor parameter(const Parameters& parameters, const std::string& name) {
  for (const NamedTensor& p : parameters.named())
    if (p.name == name) return p.tensor;
  FAIL("no parameter ", name);
  return Tensor();
}

/// Every expert for every token, weighted by zero where it was not chosen.
Tensor dense(const Parameters& p, const Tensor& x, const Routing& routing, std::int64_t chosen, bool stacked) {
  Tensor sum_of_all;
  for (std::int64_t e = 0; e < experts; ++e) {
    const std::string at = "experts." + std::to_string(e) + ".";
    const Tensor both = stacked ? select(parameter(p, "experts.gate_up_proj"), 0, e) : Tensor();
    const Tensor gate = stacked ? slice(both, 0, 0, inner) : parameter(p, at + "gate_proj.weight");
    const Tensor up = stacked ? slice(both, 0, inner) : parameter(p, at + "up_proj.weight");
    const Tensor down =
        stacked ? select(parameter(p, "experts.down_proj"), 0, e) : parameter(p, at + "down_proj.weight");
    const Tensor y =
        matmul(silu(matmul(x, transpose(gate, 0, 1))) * matmul(x, transpose(up, 0, 1)), transpose(down, 0, 1));
    std::vector<float> mask(routing.experts.size());
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = routing.experts[i] == e ? 1.0F : 0.0F;
    const Tensor weight = sum(routing.weights * Tensor::from(mask, {tokens, chosen}), {1}, true);
    sum_of_all = sum_of_all.defined() ? sum_of_all + y * weight : y * weight;
  }
  return sum_of_all;
}

TEST_CASE("nn: a mixture is the weighted sum of the experts its router chose") {
  for (const bool stacked : {false, true})
    for (const bool trainable : {false, true}) {
      INFO((stacked ? "stacked" : "one by one"), (trainable ? ", trained" : ""));
      const std::int64_t chosen = 2;
      const auto parameters = Parameters::init(7, {.trainable = trainable});
      const Scope root(parameters);
      MoeConfig c{.router = {.hidden_size = width, .experts = experts, .chosen = chosen},
                  .experts = {.intermediate_size = inner, .activation = ActivationFunction::parse("silu", "test")}};
      if (stacked) c.experts.stored = ExpertsConfig::Stored::stacked;
      const auto mixture = mixture_of_experts(root / "gate", root / "experts", c);
      const Router router(root / "gate", c.router);  // the same parameters
      const Tensor x = Tensor::randn({3, tokens / 3, width}, 5);
      const Tensor flat = reshape(x, {tokens, width});

      std::vector<Tensor> logits;
      const Tensor got = mixture->routed(x, &logits);
      const Tensor expected = dense(*parameters, flat, router(flat), chosen, stacked);
      CHECK(logits.size() == 1);
      CHECK(got.shape() == x.shape());
      const std::vector<double> a = got.to_vector<double>(), b = expected.to_vector<double>();
      for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) <= 1e-9 + 1e-5 * std::abs(b[i]));

      if (!trainable) continue;
      const Tensor seed = Tensor::randn({tokens, width}, 6);
      sum(reshape(got, {tokens, width}) * seed).backward();
      std::vector<std::vector<double>> ours;
      for (const NamedTensor& p : parameters->named()) {
        REQUIRE(p.tensor.grad().defined());
        ours.push_back(p.tensor.grad().to_vector<double>());
        Tensor(p.tensor).set_grad(Tensor());
      }
      sum(expected * seed).backward();
      for (std::size_t n = 0; n < ours.size(); ++n) {
        const NamedTensor& p = parameters->named()[n];
        INFO(p.name);
        const std::vector<double> theirs = p.tensor.grad().to_vector<double>();
        for (std::size_t i = 0; i < theirs.size(); ++i)
          CHECK(std::abs(ours[n][i] - theirs[i]) <= 1e-9 + 1e-4 * std::abs(theirs[i]));
      }
    }
}

TEST_CASE("nn: the balancing loss is Fedus's, over the tokens that count") {
  const NoGrad no_grad;
  const Tensor logits = Tensor::from({2.0F, 0.0F, 0.0F, 1.0F, 9.0F, 0.0F}, {3, 2});
  const Tensor mask = Tensor::from(std::vector<std::int64_t>{1, 1, 0}, {1, 3});
  const double first = sigmoid_of(2), second = sigmoid_of(-1);  // probabilities of expert 0
  // One token each: E · Σ share · mean probability.
  const double mean = (first + second) / 2;
  const std::array<Tensor, 1> layers = {logits};
  CHECK(load_balancing_loss(layers, 1, mask).item() == doctest::Approx(2 * (0.5 * mean + 0.5 * (1 - mean))));
  const double mean3 = (first + second + sigmoid_of(9)) / 3;
  CHECK(load_balancing_loss(layers, 1, Tensor()).item() ==
        doctest::Approx(2 * (2.0 / 3 * mean3 + 1.0 / 3 * (1 - mean3))));
}

}  // namespace
}  // namespace trustformers::test
