#include "graph/trace.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "ops/activation/activation.h"
#include "ops/elementwise/binary.h"
#include "ops/elementwise/unary.h"
#include "ops/loss/loss.h"
#include "ops/matmul/matmul.h"
#include "ops/norm/norm.h"
#include "ops/shape/shape_ops.h"
#include "unit/support.h"

using namespace trustformers;
using test::code_of;

namespace {

std::vector<std::string> names(const graph::Graph& graph) {
  std::vector<std::string> out;
  for (const graph::Node& node : graph.nodes) out.emplace_back(node.op->name);
  return out;
}

bool primitive(const OpDef& op) { return op.decompose == nullptr; }

}  // namespace

TEST_CASE("graph: ops are recorded at the level at which they were written") {
  const Tensor weight = Tensor::randn({4, 8}, 1);
  const auto f = [&](std::span<const Tensor> in) {
    return std::vector<Tensor>{silu(linear(rms_norm(in[0], Tensor(), 1e-5), weight))};
  };
  const graph::Graph graph = graph::trace(f, std::vector<OutputSpec>{{{2, 8}, DType::f32}});
  CHECK(names(graph) == std::vector<std::string>{"rms_norm", "linear", "silu"});
  REQUIRE(graph.constants.size() == 1);
  CHECK(graph.constants[0].second.is_same(weight));
  CHECK(graph.nodes[0].in[1] == graph::no_value);
  CHECK(graph.values[static_cast<std::size_t>(graph.outputs[0])].shape == Shape{2, 4});

  const Tensor x = Tensor::randn({2, 8}, 2);
  CHECK(graph::run(graph, {&x, 1})[0].to_vector<float>() == f({&x, 1})[0].to_vector<float>());
}

TEST_CASE("graph: views, several inputs and several outputs") {
  const auto f = [](std::span<const Tensor> in) {
    const Tensor t = transpose(in[0], 0, 1);
    const std::vector<Tensor> halves = chunk(t, 2, 0);
    return std::vector<Tensor>{halves[0] + in[1], reshape(halves[1], {-1}), in[1]};
  };
  const std::vector<OutputSpec> specs = {{{3, 4}, DType::f32}, {{2, 3}, DType::f32}};
  const graph::Graph graph = graph::trace(f, specs);
  const std::vector<Tensor> in = {Tensor::randn({3, 4}, 1), Tensor::randn({2, 3}, 2)};
  const std::vector<Tensor> want = f(in);
  const std::vector<Tensor> got = graph::run(graph, in);
  REQUIRE(got.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(got[i].to_vector<float>() == want[i].to_vector<float>());
  CHECK(got[2].is_same(in[1]));
}

TEST_CASE("graph: a constant is kept once, and a result may be one") {
  const Tensor c = Tensor::ones({2});
  const graph::Graph graph =
      graph::trace([&](std::span<const Tensor> in) { return std::vector<Tensor>{in[0] + c, in[0] * c, c}; },
                   std::vector<OutputSpec>{{{2}, DType::f32}});
  CHECK(graph.constants.size() == 1);
  const Tensor x = Tensor::full({2}, 3);
  CHECK(graph::run(graph, {&x, 1})[2].is_same(c));
}

TEST_CASE("graph: opening leaves primitives alone") {
  const auto f = [](std::span<const Tensor> in) {
    return std::vector<Tensor>{cross_entropy(layer_norm(in[0], Tensor(), Tensor(), 1e-5), in[1])};
  };
  const std::vector<OutputSpec> specs = {{{3, 5}, DType::f64}, {{3}, DType::i64}};
  const graph::Graph graph = graph::expand(graph::trace(f, specs), primitive);
  for (const graph::Node& node : graph.nodes) CHECK(primitive(*node.op));
  const std::vector<Tensor> in = {Tensor::randn({3, 5}, 1, DType::f64), Tensor::from<std::int64_t>({4, -100, 0}, {3})};
  CHECK(graph::run(graph, in)[0].item() == f(in)[0].item());

  const auto all_but_add = [](const OpDef& op) { return &op != &add_op; };
  const graph::Graph plain = graph::trace([](std::span<const Tensor> x) { return std::vector<Tensor>{x[0] + x[0]}; },
                                          std::vector<OutputSpec>{{{2}, DType::f32}});
  CHECK(code_of([&] { graph::expand(plain, all_but_add); }) == ErrorCode::unsupported);
  CHECK_THROWS_WITH(graph::expand(plain, all_but_add), "[expand] add is not supported and has no decomposition");
}

TEST_CASE("graph: opening stops at ops that are supported") {
  const graph::Graph graph =
      graph::trace([](std::span<const Tensor> in) { return std::vector<Tensor>{cross_entropy(in[0], in[1])}; },
                   std::vector<OutputSpec>{{{3, 5}, DType::f32}, {{3}, DType::i64}});
  const graph::Graph opened =
      graph::expand(graph, [](const OpDef& op) { return primitive(op) || &op == &log_softmax_op; });
  int kept = 0;
  for (const graph::Node& node : opened.nodes) kept += node.op == &log_softmax_op;
  CHECK(kept == 1);
}

TEST_CASE("graph: shapes are checked while tracing and while running") {
  const std::vector<OutputSpec> specs = {{{2, 3}, DType::f32}};
  CHECK(code_of([&] {
          graph::trace([](std::span<const Tensor> in) { return std::vector<Tensor>{matmul(in[0], in[0])}; }, specs);
        }) == ErrorCode::shape_mismatch);
  const graph::Graph graph =
      graph::trace([](std::span<const Tensor> in) { return std::vector<Tensor>{neg(in[0])}; }, specs);
  const Tensor wrong = Tensor::ones({3, 2});
  CHECK_THROWS_WITH(graph::run(graph, {&wrong, 1}), "[graph] input 0 must be f32 [2, 3], got f32 [3, 2]");
  CHECK(code_of([&] { graph::run(graph, {}); }) == ErrorCode::invalid_argument);
}

TEST_CASE("graph: what needs values cannot be traced") {
  const std::vector<OutputSpec> specs = {{{1}, DType::f32}};
  const auto refuses = [&](auto use) {
    return code_of([&] {
      graph::trace(
          [&](std::span<const Tensor> in) {
            use(in[0]);
            return std::vector<Tensor>{in[0]};
          },
          specs);
    });
  };
  CHECK(refuses([](const Tensor& t) { t.item(); }) == ErrorCode::unsupported);
  CHECK(refuses([](const Tensor& t) { t.data<float>(); }) == ErrorCode::unsupported);
  CHECK(refuses([](const Tensor& t) { t.read([](std::span<const std::byte>, const Error*) {}); }) ==
        ErrorCode::unsupported);
  CHECK(refuses([](const Tensor& t) { t.device().write(t, t); }) == ErrorCode::unsupported);
}

TEST_CASE("graph: values of another trace are refused") {
  const std::vector<OutputSpec> specs = {{{1}, DType::f32}};
  CHECK(code_of([&] {
          graph::trace(
              [&](std::span<const Tensor> outer) {
                graph::trace([&](std::span<const Tensor> in) { return std::vector<Tensor>{in[0] + outer[0]}; }, specs);
                return std::vector<Tensor>{outer[0]};
              },
              specs);
        }) == ErrorCode::invalid_argument);
}

TEST_CASE("graph: a replay is differentiated like eager ops") {
  const graph::Graph graph =
      graph::trace([](std::span<const Tensor> in) { return std::vector<Tensor>{silu(in[0] * in[0])}; },
                   std::vector<OutputSpec>{{{3}, DType::f32}});
  Tensor x = Tensor::randn({3}, 1).set_requires_grad(true);
  graph::run(graph, {&x, 1})[0].backward(Tensor::ones({3}));
  const std::vector<float> replayed = x.grad().to_vector<float>();
  x.set_grad(Tensor());
  silu(x * x).backward(Tensor::ones({3}));
  CHECK(x.grad().to_vector<float>() == replayed);
}
