// The op that docs/adding-an-op.md builds, from its declaration to its tests.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "autograd/gradient_check.h"
#include "ops/elementwise/binary.h"
#include "ops/elementwise/unary.h"
#include "ops/infer.h"
#include "ops/reduce/reduce.h"
#include "tensor/context.h"

namespace trustformers {
namespace {

struct L2NormalizeAttrs {
  double eps = 1e-12;
};
/// x / max(|x|₂, eps) along the last dimension: x [..., D] floating, the same shape and dtype out.
Tensor l2_normalize(const Tensor& x, double eps = 1e-12);

void infer_l2_normalize(const OpCall& call, OutputSpecs& out) {
  const Tensor& x = call.in[0];
  infer::require_floating("l2_normalize", "input", x);
  infer::require_rank("l2_normalize", "input", x, 1);
  out.push_back({x.shape(), x.dtype()});
}

Tensors decompose_l2_normalize(const OpCall& call) {
  const DType dtype = call.in[0].dtype();
  // 16-bit floats would lose the sum of squares: compute wide, round once at the end.
  const Tensor x = cast(call.in[0], dtype == DType::f64 ? DType::f64 : DType::f32);
  const Tensor norm = sqrt(sum(x * x, {-1}, true));
  const Tensor bound = Tensor::scalar(call.as<L2NormalizeAttrs>().eps, x.dtype());
  return {cast(x / maximum(norm, bound), dtype)};
}

const OpDef l2_normalize_op = {.name = "l2_normalize",
                               .attrs = attrs_type<L2NormalizeAttrs>(),
                               .infer = infer_l2_normalize,
                               .decompose = decompose_l2_normalize};

Tensor l2_normalize(const Tensor& x, double eps) { return dispatch1(l2_normalize_op, L2NormalizeAttrs{eps}, {x}); }

TEST_CASE("ops: l2_normalize gives rows of length 1") {
  const Tensor y = l2_normalize(Tensor::from<float>({3, 4, 0, 0}, {2, 2}));
  const std::vector<float> got = y.to_vector<float>();
  CHECK(got[0] == doctest::Approx(0.6).epsilon(1e-6));
  CHECK(got[1] == doctest::Approx(0.8).epsilon(1e-6));
  CHECK(got[2] == 0);  // a row of zeros stays one
}

TEST_CASE("ops: l2_normalize agrees with central differences") {
  const Tensor x = Tensor::randn({3, 33}, 7, DType::f64).set_requires_grad(true);
  const auto f = [](std::span<const Tensor> in) { return l2_normalize(in[0]); };
  CHECK(gradient_error(f, {&x, 1}) < 1e-6);
}

TEST_CASE("ops: l2_normalize refuses integers") { CHECK_THROWS_AS(l2_normalize(Tensor::arange(0, 4)), Error); }

}  // namespace
}  // namespace trustformers
