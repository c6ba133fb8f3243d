#include "tensor/tensor.h"

#include <doctest/doctest.h>

#include <cstring>

#include "base/error.h"
#include "ops/elementwise/binary.h"
#include "ops/elementwise/unary.h"
#include "ops/matmul/matmul.h"
#include "ops/shape/shape_ops.h"
#include "tensor/context.h"
#include "unit/support.h"

using namespace trustformers;
using test::code_of;

TEST_CASE("tensor: making and reading") {
  const Tensor t = Tensor::from({1.5F, -2.0F, 3.0F, 4.0F, 5.0F, 6.0F}, {2, 3});
  CHECK(t.dtype() == DType::f32);
  CHECK(t.numel() == 6);
  CHECK(t.size(-1) == 3);
  CHECK(t.to_vector<double>() == std::vector<double>{1.5, -2, 3, 4, 5, 6});
  CHECK(t.to_vector<std::int64_t>() == std::vector<std::int64_t>{1, -2, 3, 4, 5, 6});
  CHECK(transpose(t, 0, 1).to_vector<float>() == std::vector<float>{1.5F, 4, -2, 5, 3, 6});
  CHECK(Tensor::scalar(2.5).item() == 2.5);
  CHECK(Tensor::full({1, 1}, 7, DType::i32).item() == 7);
  CHECK(Tensor::eye(2).to_vector<float>() == std::vector<float>{1, 0, 0, 1});
  CHECK(Tensor::arange(0, 5, 2).to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 2, 4});
  CHECK(Tensor::arange(3, 0, -1.5, DType::f32).to_vector<float>() == std::vector<float>{3, 1.5});
  CHECK(Tensor::arange(1, 1).numel() == 0);
  CHECK(Tensor::zeros({0, 3}).to_vector<float>().empty());
  CHECK(Tensor::from({true, false}, {2}).to_vector<std::uint8_t>() == std::vector<std::uint8_t>{1, 0});
}

TEST_CASE("tensor: random numbers depend on seed and index alone") {
  const std::vector<float> large = Tensor::randn({100}, 5).to_vector<float>();
  const std::vector<float> small = Tensor::randn({10}, 5).to_vector<float>();
  CHECK(std::equal(small.begin(), small.end(), large.begin()));
  CHECK(Tensor::randn({10}, 6).to_vector<float>() != small);
  for (const float u : Tensor::rand({100}, 1).to_vector<float>()) CHECK((u >= 0 && u < 1));
}

TEST_CASE("tensor: reading back gives row-major bytes of any view") {
  const Tensor t = transpose(Tensor::from({1.0F, 2.0F, 3.0F, 4.0F}, {2, 2}), 0, 1);
  std::vector<float> got;
  t.read([&](std::span<const std::byte> bytes, const Error* error) {
    REQUIRE(error == nullptr);
    got.resize(bytes.size() / sizeof(float));
    std::memcpy(got.data(), bytes.data(), bytes.size());
  });
  CHECK(got == std::vector<float>{1, 3, 2, 4});
}

TEST_CASE("tensor: what cannot be made") {
  const std::vector<float> six(6);
  CHECK(code_of([&] { Tensor::from(six, {2, 2}); }) == ErrorCode::shape_mismatch);
  CHECK_THROWS_WITH(Tensor::from(six, {2, 2}), "[tensor] f32 [2, 2] has 16 bytes, got 24");
  CHECK(code_of([] { Tensor::empty({-1}); }) == ErrorCode::out_of_range);
  CHECK(code_of([] { Tensor::empty({std::int64_t{1} << 40, std::int64_t{1} << 40}); }) == ErrorCode::out_of_range);
  CHECK(code_of([] { Tensor::empty({std::int64_t{1} << 50}); }) == ErrorCode::out_of_memory);
  CHECK(code_of([] { Tensor::empty({2, 33}, DType::q4_0); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([] { Tensor::empty({16, 2}, DType::q4_0); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([] { Tensor::empty({1, 1, 1, 1, 1, 1, 1, 1, 1}); }) == ErrorCode::out_of_range);
  CHECK(code_of([] { Tensor::arange(0, 1, 0); }) == ErrorCode::invalid_argument);
  CHECK(code_of([] { Tensor::arange(0, 1e300); }) == ErrorCode::out_of_range);
}

TEST_CASE("tensor: misuse") {
  CHECK(code_of([] { Tensor().shape(); }) == ErrorCode::invalid_argument);
  CHECK(code_of([] { neg(Tensor()); }) == ErrorCode::invalid_argument);
  CHECK(code_of([] { Tensor::zeros({2}).item(); }) == ErrorCode::shape_mismatch);
  CHECK_THROWS_WITH(Tensor::zeros({2}).item(), "[item] needs a tensor of one element, got f32 [2]");
  CHECK(code_of([] { Tensor::zeros({2}).data<double>(); }) == ErrorCode::dtype_mismatch);
  CHECK(code_of([] { Tensor::scalar(1).size(0); }) == ErrorCode::out_of_range);
  CHECK(code_of([] { Tensor::zeros({2}).size(1); }) == ErrorCode::out_of_range);
  CHECK(code_of([] { Tensor::zeros({2}, DType::i64).set_requires_grad(true); }) == ErrorCode::dtype_mismatch);
}

TEST_CASE("tensor: borrowed memory is read in place and never written") {
  static const float values[] = {1, 2, 3, 4};
  const auto owner = std::make_shared<int>(0);
  {
    const Tensor t = Tensor::borrow(std::as_bytes(std::span(values)), {2, 2}, DType::f32, owner);
    CHECK(t.data<float>() == values);
    CHECK(owner.use_count() == 2);
    CHECK((t + 1).to_vector<float>() == std::vector<float>{2, 3, 4, 5});
    CHECK(code_of([&] { t.mutable_data<float>(); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { t.device().write(Tensor::zeros({2, 2}), t); }) == ErrorCode::invalid_argument);
  }
  CHECK(owner.use_count() == 1);
  CHECK(values[0] == 1);
}

TEST_CASE("tensor: ops leave their inputs as they were") {
  const Tensor x = Tensor::from({1.0F, -2.0F, 3.0F}, {3});
  const Tensor same_dtype = cast(x, DType::f32);
  const Tensor reshaped = reshape(x, {3, 1});
  const Tensor scattered = slice_scatter(x, Tensor::zeros({1}), 0, 1);
  neg(x);
  x + x;
  relu(x);
  CHECK(x.to_vector<float>() == std::vector<float>{1, -2, 3});
  CHECK(scattered.to_vector<float>() == std::vector<float>{1, 0, 3});
  CHECK(reshaped.data<float>() == x.data<float>());
  CHECK(same_dtype.is_same(x));
}

TEST_CASE("tensor: writing through the device reaches every view") {
  const Tensor x = Tensor::zeros({2, 3});
  const Tensor row = select(x, 0, 1);
  x.device().write(Tensor::ones({3}), row);
  CHECK(x.to_vector<float>() == std::vector<float>{0, 0, 0, 1, 1, 1});
  CHECK(code_of([&] { x.device().write(Tensor::ones({2}), row); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { x.device().write(Tensor::ones({3}, DType::f64), row); }) == ErrorCode::shape_mismatch);
}

TEST_CASE("tensor: packed weights follow their storage") {
  const Tensor x = Tensor::randn({3, 32}, 1);
  const Tensor weight = Tensor::randn({40, 32}, 2);
  const std::vector<float> plain = linear(x, weight).to_vector<float>();
  weight.device().prepack(weight);
  REQUIRE(weight.impl().storage->packed != nullptr);
  CHECK(linear(x, weight).to_vector<float>() == plain);
  // A view of other shape does not use the packed twin of the whole.
  CHECK(linear(x, slice(weight, 0, 8, 16)).to_vector<float>() ==
        slice(Tensor::from(plain, {3, 40}), 1, 8, 16).to_vector<float>());
  weight.device().write(Tensor::zeros({40, 32}), weight);
  CHECK(weight.impl().storage->packed == nullptr);
  for (const float y : linear(x, weight).to_vector<float>()) CHECK(y == 0);
}

TEST_CASE("tensor: a packed square weight is not taken for its transpose") {
  const Tensor x = Tensor::randn({3, 32}, 1);
  const Tensor weight = Tensor::randn({32, 32}, 2);
  const Tensor turned = transpose(weight, 0, 1);
  const std::vector<float> plain = linear(x, turned).to_vector<float>();
  weight.device().prepack(weight);
  CHECK(linear(x, turned).to_vector<float>() == plain);
}

TEST_CASE("tensor: contexts choose device and threads") {
  const std::unique_ptr<Context> context = make_context(1);
  Context& outside = Context::current();
  {
    const ContextScope scope(*context);
    CHECK(&Context::current() == context.get());
    CHECK(context->threads().threads() == 1);
    std::vector<std::string> zones;
    context->set_profiler(
        [&](std::string_view op, bool enter) { zones.push_back((enter ? "+" : "-") + std::string(op)); });
    neg(Tensor::ones({1}));
    CHECK(zones == std::vector<std::string>{"+neg", "-neg"});
  }
  CHECK(&Context::current() == &outside);
}

TEST_CASE("tensor: inputs of two devices are refused") {
  const std::unique_ptr<Context> context = make_context(1);
  const Tensor here = Tensor::ones({2});
  const ContextScope scope(*context);
  const Tensor there = Tensor::ones({2});
  CHECK(code_of([&] { here + there; }) == ErrorCode::invalid_argument);
}
