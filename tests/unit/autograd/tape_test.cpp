#include "autograd/tape.h"

#include <doctest/doctest.h>

#include "autograd/gradient_check.h"
#include "base/error.h"
#include "ops/activation/activation.h"
#include "ops/elementwise/binary.h"
#include "ops/elementwise/unary.h"
#include "ops/matmul/matmul.h"
#include "ops/norm/norm.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape_ops.h"
#include "tensor/autograd_meta.h"
#include "unit/support.h"

using namespace trustformers;
using test::code_of;

namespace {

using Floats = std::vector<float>;

Tensor leaf(std::initializer_list<float> values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())}).set_requires_grad(true);
}
Floats grad_of(const Tensor& t) { return t.grad().to_vector<float>(); }
}  // namespace

TEST_CASE("autograd: gradients of a small expression") {
  Tensor x = leaf({1, 2, 3});
  Tensor y = leaf({4, 5, 6});
  const Tensor z = sum(x * y + x * 2.0);
  CHECK(z.requires_grad());
  z.backward();
  CHECK(grad_of(x) == Floats{6, 7, 8});
  CHECK(grad_of(y) == Floats{1, 2, 3});
}

TEST_CASE("autograd: a tensor used many times collects all its gradients") {
  Tensor x = leaf({3});
  const Tensor square = x * x;
  sum(square * square + square).backward();
  CHECK(grad_of(x) == Floats{4 * 27 + 6});
}

TEST_CASE("autograd: two backward calls add up, and a graph can be walked twice") {
  Tensor x = leaf({1, 2});
  const Tensor y = sum(x * x);
  y.backward();
  y.backward();
  CHECK(grad_of(x) == Floats{4, 8});
  sum(x * 3.0).backward();
  CHECK(grad_of(x) == Floats{7, 11});
  x.set_grad(Tensor());
  CHECK(!x.grad().defined());
  sum(x).backward();
  CHECK(grad_of(x) == Floats{1, 1});
}

TEST_CASE("autograd: adding to a gradient leaves other gradients alone") {
  Tensor x = leaf({1, 2});
  Tensor y = leaf({3, 4});
  const Tensor seed = Tensor::ones({2});
  (x + y).backward(seed);  // both gradients are the seed
  const Tensor held = y.grad();
  (x * 5.0).backward(seed);
  CHECK(grad_of(x) == Floats{6, 6});
  CHECK(held.to_vector<float>() == Floats{1, 1});
  CHECK(seed.to_vector<float>() == Floats{1, 1});
}

TEST_CASE("autograd: leaf gradients are contiguous") {
  Tensor x = Tensor::ones({2, 3}).set_requires_grad(true);
  sum(x).backward();
  CHECK(x.grad().is_contiguous());
  Tensor w = Tensor::ones({2, 3}).set_requires_grad(true);
  sum(transpose(w, 0, 1) * Tensor::randn({3, 2}, 1)).backward();
  CHECK(w.grad().is_contiguous());
}

TEST_CASE("autograd: seeds") {
  Tensor x = leaf({1, 2});
  const Tensor y = x * x;
  y.backward(Tensor::from({1.0F, 10.0F}, {2}));
  CHECK(grad_of(x) == Floats{2, 40});
  CHECK(code_of([&] { y.backward(); }) == ErrorCode::shape_mismatch);
  CHECK_THROWS_WITH(y.backward(), "[backward] needs a seed for f32 [2]: only scalars have a default");
  CHECK(code_of([&] { y.backward(Tensor::ones({3})); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { Tensor::ones({1}).backward(); }) == ErrorCode::invalid_argument);
}

TEST_CASE("autograd: no gradients inside NoGrad and through detach") {
  Tensor x = leaf({2});
  {
    const NoGrad quiet;
    CHECK(!grad_enabled());
    CHECK(!(x * x).requires_grad());
    const EnableGrad again;
    CHECK((x * x).requires_grad());
  }
  CHECK(grad_enabled());
  const Tensor y = (x * x).detach();
  CHECK(!y.requires_grad());
  sum(x * y).backward();
  CHECK(grad_of(x) == Floats{4});
}

TEST_CASE("autograd: detach gives a tensor of its own") {
  const Tensor x = Tensor::ones({2});
  Tensor y = x.detach();
  y.set_requires_grad(true);
  CHECK(!x.requires_grad());
  CHECK(y.data<float>() == x.data<float>());
}

TEST_CASE("autograd: no history where no input asks for it") {
  const Tensor x = Tensor::ones({2});
  CHECK((x * x).impl().autograd == nullptr);
  Tensor y = leaf({1, 2});
  CHECK(!equal(y, y).requires_grad());
  CHECK(!argmax(y).requires_grad());
  CHECK(!cast(y, DType::i64).requires_grad());
  CHECK(code_of([&] { (y * y).set_requires_grad(true); }) == ErrorCode::invalid_argument);
}

TEST_CASE("autograd: ops of the kernel path and of mixed dtypes") {
  Tensor x = leaf({1, 2, 3, 4});
  sum(cast(x, DType::f16) * Tensor::full({4}, 2, DType::f16)).backward();
  CHECK(x.grad().dtype() == DType::f32);
  CHECK(grad_of(x) == Floats{2, 2, 2, 2});
  Tensor h = Tensor::ones({2}, DType::f16).set_requires_grad(true);
  sum(h * Tensor::full({2}, 3)).backward();  // promoted to f32
  CHECK(h.grad().dtype() == DType::f16);
  CHECK(grad_of(h) == Floats{3, 3});
}

TEST_CASE("autograd: views share gradients with what they show") {
  Tensor x = leaf({1, 2, 3, 4});
  const Tensor m = reshape(x, {2, 2});
  sum(select(m, 0, 1) * 3.0 + select(transpose(m, 0, 1), 0, 0)).backward();
  CHECK(grad_of(x) == Floats{1, 0, 4, 3});
  Tensor c = leaf({1, 2});
  sum(contiguous(expand(c, {3, 2}))).backward();
  CHECK(grad_of(c) == Floats{3, 3});
}

TEST_CASE("autograd: contiguous() of what is contiguous does not loop") {
  Tensor x = leaf({1, 2});
  const NoAttrs attrs;
  const Tensor y = dispatch(contiguous_op, &attrs, {&x, 1})[0];
  CHECK(!y.is_same(x));
  sum(y * y).backward();
  CHECK(grad_of(x) == Floats{2, 4});
}

TEST_CASE("autograd: a cast to the same dtype is the tensor itself") {
  Tensor x = leaf({1, 2});
  sum(cast(x, DType::f32)).backward();
  CHECK(grad_of(x) == Floats{1, 1});
}

TEST_CASE("autograd: a tape of 100,000 ops runs and is freed without deep recursion") {
  Tensor x = leaf({1});
  {
    Tensor y = x;
    for (int i = 0; i < 100000; ++i) y = y + 1.0;
    y.backward();
    CHECK(y.item() == 100001);
  }
  CHECK(grad_of(x) == Floats{1});
  {
    Tensor y = x;  // freed unused, with two paths a step
    for (int i = 0; i < 50000; ++i) y = y + y * 0.0;
  }
  CHECK(grad_of(x) == Floats{1});
}

TEST_CASE("autograd: the tape is freed with the last tensor that needs it") {
  Tensor x = leaf({1});
  std::weak_ptr<GradNode> node;
  {
    const Tensor y = x * x;
    node = y.impl().autograd->node;
    CHECK(!node.expired());
  }
  CHECK(node.expired());
}

TEST_CASE("autograd: errors while differentiating say where") {
  // An op without gradient and without decomposition.
  static constexpr OpDef opaque = {
      .name = "opaque",
      .attrs = attrs_type<NoAttrs>(),
      .infer = [](const OpCall& call, OutputSpecs& out) { out.push_back({call.in[0].shape(), call.in[0].dtype()}); },
      .view = [](const OpCall& call) { return call.in[0].detach(); }};
  Tensor x = leaf({1});
  const Tensor y = dispatch1(opaque, {x});
  try {
    sum(y).backward();
    FAIL("expected an error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::unsupported);
    CHECK(std::string(error.what()).find("while differentiating opaque") != std::string::npos);
  }
}

TEST_CASE("autograd: checkpoints give the gradients of the plain function") {
  const Tensor weight_values = Tensor::randn({8, 8}, 1);
  const Tensor input_values = Tensor::randn({3, 8}, 2);
  const auto run = [&](bool checkpointed) {
    Tensor w = weight_values.detach().set_requires_grad(true);
    Tensor x = input_values.detach().set_requires_grad(true);
    int calls = 0;
    const auto block = [&calls, w](std::span<const Tensor> in) {
      ++calls;
      return Tensors{silu(matmul(rms_norm(in[0], Tensor(), 1e-5), w)) + in[0]};
    };
    const auto layer = [&](const Tensor& in) {
      return checkpointed ? checkpoint(block, std::span<const Tensor>(&in, 1))[0] : block({&in, 1})[0];
    };
    const Tensor y = sum(layer(layer(x)) * input_values);
    CHECK(calls == 2);
    y.backward();
    CHECK(calls == (checkpointed ? 4 : 2));
    return std::vector{y.to_vector<float>(), x.grad().to_vector<float>(), w.grad().to_vector<float>()};
  };
  CHECK(run(true) == run(false));
}

TEST_CASE("autograd: a checkpoint keeps nothing of its inside") {
  Tensor x = Tensor::ones({4}).set_requires_grad(true);
  std::weak_ptr<TensorImpl> inside;
  const Tensor y = checkpoint(
      [&](std::span<const Tensor> in) {
        const Tensor middle = in[0] * 2.0;
        if (inside.expired()) inside = middle.impl_ptr();
        return Tensors{middle * middle};
      },
      std::span<const Tensor>(&x, 1))[0];
  CHECK(inside.expired());
  sum(y).backward();
  CHECK(grad_of(x) == Floats{8, 8, 8, 8});
}

TEST_CASE("autograd: checkpoints without gradients are plain calls") {
  const NoGrad quiet;
  const Tensor x = Tensor::ones({2});
  const Tensor y =
      checkpoint([](std::span<const Tensor> in) { return Tensors{in[0] * 2.0}; }, std::span<const Tensor>(&x, 1))[0];
  CHECK(y.impl().autograd == nullptr);
}

TEST_CASE("autograd: gradient_error sees wrong gradients") {
  // d/dx of x·|x| taken as if |x| were constant.
  const auto wrong = [](std::span<const Tensor> in) { return in[0] * abs(in[0]).detach(); };
  const auto right = [](std::span<const Tensor> in) { return in[0] * abs(in[0]); };
  const Tensor x = Tensor::randn({5}, 3, DType::f64).set_requires_grad(true);
  CHECK(gradient_error(right, {&x, 1}) < 1e-8);
  CHECK(gradient_error(wrong, {&x, 1}) > 0.1);
  const Tensor narrow = Tensor::randn({5}, 3).set_requires_grad(true);
  CHECK_THROWS_AS(gradient_error(right, {&narrow, 1}), Error);
}
