// The rows on the CPU, and what only a device with every kernel can be asked.
#include <doctest/doctest.h>

#include "autograd/gradient_check.h"
#include "backends/webgpu/webgpu.h"
#include "base/error.h"
#include "device_rows.h"
#include "graph/trace.h"
#include "ops/matmul/matmul.h"
#include "ops/norm/norm.h"
#include "tensor/context.h"

using namespace trustformers;

TEST_CASE("conformance: the device rows on the CPU") {
  const auto rows = test::device_rows();
  std::size_t ended = 0;
  test::run_rows(rows, [&](const std::string& name, const std::string& failure) {
    ++ended;
    CAPTURE(name);
    CHECK(failure == "");
  });
  CHECK(ended == rows.size());  // the CPU answers a read at once
}

TEST_CASE("conformance: gradients of rms_norm and matmul against central differences") {
  const auto leaf = [](const Shape& shape, std::uint64_t seed) {
    return Tensor::randn(shape, seed, DType::f64).set_requires_grad(true);
  };
  const Tensor norm_inputs[] = {leaf({3, 7}, 1), leaf({7}, 2)};
  CHECK(gradient_error([](std::span<const Tensor> in) { return rms_norm(in[0], in[1], 1e-5); }, norm_inputs) < 1e-6);
  const Tensor factors[] = {leaf({2, 3, 5}, 3), leaf({5, 4}, 4)};
  CHECK(gradient_error([](std::span<const Tensor> in) { return matmul(in[0], in[1]); }, factors) < 1e-6);
}

TEST_CASE("conformance: the kernel's gradient of rms_norm is its decomposition's") {
  const auto gradient = [](bool fused) {
    Tensor x = Tensor::randn({3, 33}, 5), weight = Tensor::randn({33}, 6);
    x.set_requires_grad(true);
    weight.set_requires_grad(true);
    const NormAttrs attrs{1e-5};
    const Tensor in[] = {x, weight};
    const Tensor y = fused ? rms_norm(x, weight, 1e-5) : rms_norm_op.decompose({&attrs, in})[0];
    y.backward(Tensor::randn({3, 33}, 7));
    return std::pair(x.grad().to_vector<double>(), weight.grad().to_vector<double>());
  };
  const auto [fused_x, fused_weight] = gradient(true);
  const auto [plain_x, plain_weight] = gradient(false);
  for (std::size_t i = 0; i < fused_x.size(); ++i) CHECK(fused_x[i] == doctest::Approx(plain_x[i]).epsilon(1e-6));
  for (std::size_t i = 0; i < fused_weight.size(); ++i)
    CHECK(fused_weight[i] == doctest::Approx(plain_weight[i]).epsilon(1e-6));
}

TEST_CASE("conformance: expanding a graph opens rms_norm and keeps its values") {
  const auto f = [](std::span<const Tensor> in) { return std::vector{rms_norm(in[0], Tensor(), 1e-5)}; };
  const OutputSpec spec{{3, 33}, DType::f32};
  const graph::Graph fused = graph::trace(f, std::span(&spec, 1));
  const graph::Graph opened = graph::expand(fused, [](const OpDef& op) { return &op != &rms_norm_op; });
  REQUIRE(fused.nodes.size() == 1);
  CHECK(opened.nodes.size() > 1);
  for (const graph::Node& node : opened.nodes) CHECK(node.op != &rms_norm_op);
  const Tensor x = Tensor::randn({3, 33}, 8);
  const auto expected = graph::run(fused, std::span(&x, 1))[0].to_vector<double>();
  const auto got = graph::run(opened, std::span(&x, 1))[0].to_vector<double>();
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(expected[i]).epsilon(1e-6));
}

#if !defined(__EMSCRIPTEN__)
TEST_CASE("conformance: a native build has no WebGPU and says so") {
  bool called = false;
  open_webgpu([&](std::unique_ptr<Device> device, const Error* error) {
    called = true;
    CHECK(device == nullptr);
    REQUIRE(error != nullptr);
    CHECK(error->code() == ErrorCode::unsupported);
  });
  CHECK(called);
}
#endif
