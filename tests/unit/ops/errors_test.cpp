// Each refusal has its code and names the op, what was expected and what came.
#include <doctest/doctest.h>

#include <functional>

#include "base/error.h"
#include "ops/activation/activation.h"
#include "ops/attention/attention.h"
#include "ops/attention/rope.h"
#include "ops/conv/conv.h"
#include "ops/elementwise/binary.h"
#include "ops/elementwise/unary.h"
#include "ops/index/index.h"
#include "ops/loss/loss.h"
#include "ops/matmul/matmul.h"
#include "ops/norm/norm.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape_ops.h"

using namespace trustformers;

namespace {

struct Refusal {
  std::function<void()> call;
  ErrorCode code;
  std::string message;
};

void check_refusals(const std::vector<Refusal>& refusals) {
  for (const Refusal& refusal : refusals) {
    try {
      refusal.call();
      FAIL_CHECK("no error: " << refusal.message);
    } catch (const Error& error) {
      CHECK(error.message() == refusal.message);
      CHECK_MESSAGE(error.code() == refusal.code, refusal.message, ": ", to_string(error.code()));
    }
  }
}

Tensor f32(const Shape& shape) { return Tensor::zeros(shape); }
Tensor i64(const Shape& shape, double value = 0) { return Tensor::full(shape, value, DType::i64); }
Tensor blocks() { return Tensor::from_bytes(std::vector<std::byte>(36), {1, 64}, DType::q4_0); }

constexpr auto bad_shape = ErrorCode::shape_mismatch;
constexpr auto bad_dtype = ErrorCode::dtype_mismatch;
constexpr auto bad_value = ErrorCode::invalid_argument;
constexpr auto bad_index = ErrorCode::out_of_range;

}  // namespace

TEST_CASE("ops: refusals of elementwise ops") {
  const Tensor truth = equal(f32({2}), f32({2}));
  check_refusals({
      {[=] { f32({2}) + f32({3}); }, bad_shape, "[add] shapes [2] and [3] do not broadcast"},
      {[=] { truth* truth; }, bad_dtype, "[mul] needs a number type, got bool [2]"},
      {[=] { less(f32({2, 2}), f32({3, 2})); }, bad_shape, "[less] shapes [2, 2] and [3, 2] do not broadcast"},
      {[=] { logical_and(truth, f32({2})); }, bad_dtype, "[logical_and] needs bool, got f32 [2]"},
      {[=] { logical_not(f32({2})); }, bad_dtype, "[logical_not] needs bool, got f32 [2]"},
      {[=] { where(f32({2}), f32({2}), f32({2})); }, bad_dtype, "[where] condition must be bool, got f32 [2]"},
      {[=] { neg(truth); }, bad_dtype, "[neg] needs a number type, got bool [2]"},
      {[=] { exp(i64({2})); }, bad_dtype, "[exp] input must be of a floating type, got i64 [2]"},
      {[=] { pow(i64({2}), 2); }, bad_dtype, "[pow] input must be of a floating type, got i64 [2]"},
      {[=] { blocks() + blocks(); }, bad_dtype, "[add] needs a number type, got q4_0 [1, 64]"},
      {[=] { blocks() + f32({1, 64}); }, bad_dtype, "[dtype] no arithmetic between q4_0 and f32: dequantise first"},
      {[=] { cast(f32({2}), DType::q8_0); }, bad_dtype, "[cast] to q8_0: use quantize()"},
      {[=] { gelu(i64({2})); }, bad_dtype, "[gelu] input must be of a floating type, got i64 [2]"},
      {[=] { swiglu(f32({2}), f32({3})); }, bad_shape, "[swiglu] up must be [2], got f32 [3]"},
      {[=] { geglu(f32({2}), Tensor::zeros({2}, DType::f16)); }, bad_dtype,
       "[geglu] inputs must have one dtype, got f32 [2] and f16 [2]"},
  });
}

TEST_CASE("ops: refusals of shape ops") {
  check_refusals({
      {[] { reshape(f32({2, 3}), {4}); }, bad_shape, "[reshape] f32 [2, 3] cannot become [4]"},
      {[] { reshape(f32({2, 3}), {-1, 4}); }, bad_shape, "[reshape] f32 [2, 3] cannot become [-1, 4]"},
      {[] { reshape(f32({2, 3}), {-1, 0}); }, bad_shape, "[reshape] f32 [2, 3] cannot become [-1, 0]"},
      {[] { reshape(f32({2, 3}), {-1, -1}); }, bad_value, "[reshape] only one size may be -1: [-1, -1]"},
      {[] { reshape(f32({2, 3}), {-2, -3}); }, bad_index, "[shape] negative size in [-2, -3]"},
      {[] { reshape(f32({2}), {-1, std::int64_t{1} << 40, std::int64_t{1} << 40}); }, bad_index,
       "[shape] [1, 1099511627776, 1099511627776] has more elements than 64 bits can count"},
      {[] { permute(f32({2, 3}), {0}); }, bad_shape, "[permute] f32 [2, 3] needs 2 dimensions, got 1"},
      {[] { permute(f32({2, 3}), {0, 0}); }, bad_value,
       "[permute] the dimensions must be 0 to 1 once each, got [0, 0]"},
      {[] { permute(f32({2, 3}), {0, 2}); }, bad_index, "[permute] dimension 2 is outside a tensor of rank 2"},
      {[] { expand(f32({2, 3}), {4, 3}); }, bad_shape, "[expand] shapes [2, 3] and [4, 3] do not broadcast"},
      {[] { expand(f32({2, 3}), {3}); }, bad_shape, "[expand] f32 [2, 3] does not broadcast to [3]"},
      {[] { slice(f32({2}), 0, 0, 2, 0); }, bad_value, "[slice] the step must be at least 1, got 0"},
      {[] { slice(f32({}), 0, 0); }, bad_shape, "[slice] input must have at least 1 dimensions, got f32 []"},
      {[] { slice(f32({2}), 1, 0); }, bad_index, "[slice] dimension 1 is outside a tensor of rank 1"},
      {[] { select(f32({2}), 0, 2); }, bad_index, "[select] index 2 is outside dimension 0 of f32 [2]"},
      {[] { chunk(f32({4}), 3, 0); }, bad_shape, "[chunk] dimension 0 of f32 [4] does not split into 3 equal parts"},
      {[] { slice_scatter(f32({4}), f32({2}), 0, 3); }, bad_index,
       "[slice_scatter] 2 elements from 3 by 1 do not lie inside dimension 0 of f32 [4]"},
      {[] { slice_scatter(f32({4, 2}), f32({2, 3}), 0, 0); }, bad_shape,
       "[slice_scatter] source must be [2, 2], got f32 [2, 3]"},
      {[] { concat({}, 0); }, bad_value, "[concat] needs at least one tensor"},
      {[] { concat(std::array{f32({2, 2}), f32({2, 3})}, 0); }, bad_shape,
       "[concat] f32 [2, 3] does not fit f32 [2, 2] along dimension 0"},
      {[] { concat(std::array{f32({2}), i64({2})}, 0); }, bad_dtype,
       "[concat] inputs must have one dtype, got f32 [2] and i64 [2]"},
      {[] { squeeze(f32({2}), 0); }, bad_shape, "[squeeze] dimension 0 of f32 [2] is not 1"},
      {[] { pad(f32({2}), 0, -1, 0); }, bad_value, "[pad] needs sizes of at least 0, got -1 and 0"},
  });
}

TEST_CASE("ops: refusals of reductions and of indexing") {
  check_refusals({
      {[] { sum(f32({2}), {1}); }, bad_index, "[sum] dimension 1 is outside a tensor of rank 1"},
      {[] { sum(f32({2, 2}), {0, -2}); }, bad_value, "[sum] dimension -2 is named twice"},
      {[] { max(f32({2, 0}), {1}); }, bad_value, "[max] of no elements: f32 [2, 0]"},
      {[] { min(equal(f32({2}), 0)); }, bad_dtype, "[min] needs a number type, got bool [2]"},
      {[] { argmax(f32({2, 0})); }, bad_value, "[argmax] of no elements: f32 [2, 0]"},
      {[] { mean(i64({2})); }, bad_dtype, "[mean] input must be of a floating type, got i64 [2]"},
      {[] { cumsum(f32({}), 0); }, bad_shape, "[cumsum] input must have at least 1 dimensions, got f32 []"},
      {[] { gather(f32({3}), 0, i64({2}, 3)); }, bad_index, "[gather] index 3 is outside [0, 3)"},
      {[] { gather(f32({3}), 0, i64({2}, -1)); }, bad_index, "[gather] index -1 is outside [0, 3)"},
      {[] { gather(f32({3}), 0, f32({2})); }, bad_dtype, "[gather] index must hold i64 or i32 indices, got f32 [2]"},
      {[] { gather(f32({3}), 0, i64({2, 1})); }, bad_shape, "[gather] index must have rank 1, got i64 [2, 1]"},
      {[] { gather(f32({3, 2}), 0, i64({2, 5})); }, bad_shape,
       "[gather] index i64 [2, 5] is larger than f32 [3, 2] outside dimension 0"},
      {[] { scatter_add(f32({3}), 0, i64({2}), f32({1})); }, bad_shape,
       "[scatter_add] source must be [2], got f32 [1]"},
      {[] { scatter_add(f32({3}), 0, i64({2}, 4), f32({2})); }, bad_index, "[scatter_add] index 4 is outside [0, 3)"},
      {[] { embedding(f32({3}), i64({1})); }, bad_shape, "[embedding] weight must be [V, D], got f32 [3]"},
      {[] { embedding(f32({3, 2}), i64({1}, 3)); }, bad_index, "[embedding] index 3 is outside [0, 3)"},
      {[] { embedding(f32({3, 2}), f32({1})); }, bad_dtype,
       "[embedding] ids must hold i64 or i32 indices, got f32 [1]"},
  });
}

TEST_CASE("ops: refusals of matrix products, norms and losses") {
  check_refusals({
      {[] { matmul(f32({2, 3}), f32({4, 2})); }, bad_shape, "[matmul] inner sizes differ: f32 [2, 3] x f32 [4, 2]"},
      {[] { matmul(f32({2, 3}), Tensor::zeros({3, 2}, DType::f64)); }, bad_dtype,
       "[matmul] inputs must have one dtype, got f32 [2, 3] and f64 [3, 2]"},
      {[] { matmul(i64({2, 3}), i64({3, 2})); }, bad_dtype, "[matmul] left must be of a floating type, got i64 [2, 3]"},
      {[] { matmul(f32({2, 2, 3}), f32({3, 3, 2})); }, bad_shape, "[matmul] shapes [2] and [3] do not broadcast"},
      {[] { matmul(f32({}), f32({3, 2})); }, bad_shape, "[matmul] left must have at least 1 dimensions, got f32 []"},
      {[] { linear(f32({2, 3}), f32({4, 5})); }, bad_shape, "[linear] input must be [..., K=5], got f32 [2, 3]"},
      {[] { linear(f32({2, 3}), f32({3})); }, bad_shape, "[linear] weight must be [N, K], got f32 [3]"},
      {[] { linear(f32({2, 3}), f32({4, 3}), f32({3})); }, bad_shape, "[linear] bias must be [4], got f32 [3]"},
      {[] { linear(f32({2, 3}), i64({4, 3})); }, bad_dtype,
       "[linear] weight must be of a floating or block type, got i64 [4, 3]"},
      {[] { rms_norm(f32({2, 3}), f32({2}), 1e-5); }, bad_shape, "[rms_norm] weight must be [3], got f32 [2]"},
      {[] { layer_norm(f32({2, 3}), f32({3}), f32({2}), 1e-5); }, bad_shape,
       "[layer_norm] bias must be [3], got f32 [2]"},
      {[] { layer_norm(i64({2}), Tensor(), Tensor(), 1e-5); }, bad_dtype,
       "[layer_norm] input must be of a floating type, got i64 [2]"},
      {[] { softmax(f32({2}), 1); }, bad_index, "[softmax] dimension 1 is outside a tensor of rank 1"},
      {[] { log_softmax(i64({2})); }, bad_dtype, "[log_softmax] input must be of a floating type, got i64 [2]"},
      {[] { cross_entropy(f32({2}), i64({2})); }, bad_shape, "[cross_entropy] logits must be [N, C], got f32 [2]"},
      {[] { cross_entropy(f32({2, 3}), i64({3})); }, bad_shape, "[cross_entropy] targets must be [2], got i64 [3]"},
      {[] { cross_entropy(f32({2, 3}), f32({2})); }, bad_dtype,
       "[cross_entropy] targets must hold i64 or i32 indices, got f32 [2]"},
      {[] { cross_entropy(f32({2, 3}), i64({2}, 3)); }, bad_index, "[gather] index 3 is outside [0, 3)"},
  });
  // What goes wrong inside a decomposition names the op that was called as well.
  CHECK_THROWS_WITH(cross_entropy(f32({2, 3}), i64({2}, 3)), doctest::Contains("while computing cross_entropy"));
}

TEST_CASE("ops: refusals of attention, rope and convolution") {
  const Tensor q = f32({1, 4, 2, 8});
  const Tensor k = f32({1, 2, 3, 8});
  const AttentionAttrs plain;
  check_refusals({
      {[=] { attention(f32({4, 2, 8}), k, k, plain); }, bad_shape,
       "[attention] q, k, v must be [B, H, L, D], got f32 [4, 2, 8], f32 [1, 2, 3, 8], f32 [1, 2, 3, 8]"},
      {[=] { attention(q, f32({1, 3, 3, 8}), f32({1, 3, 3, 8}), plain); }, bad_shape,
       "[attention] k and v do not fit q: f32 [1, 4, 2, 8], f32 [1, 3, 3, 8], f32 [1, 3, 3, 8]"},
      {[=] { attention(q, k, k, plain, f32({1, 3})); }, bad_dtype, "[attention] key_mask must be bool, got f32 [1, 3]"},
      {[=] { attention(q, k, k, plain, Tensor::ones({1, 2}, DType::boolean)); }, bad_shape,
       "[attention] key_mask must be [1, 3], got bool [1, 2]"},
      {[=] { attention(q, k, k, plain, Tensor(), f32({2, 2, 3})); }, bad_shape,
       "[attention] shapes [2, 2, 3] and [1, 4, 2, 3] do not broadcast"},
      {[=] { attention(q, k, k, plain, Tensor(), f32({2, 4, 2, 3})); }, bad_shape,
       "[attention] bias f32 [2, 4, 2, 3] does not broadcast to [1, 4, 2, 3]"},
      {[=] { rope(f32({1, 2, 3}), f32({5, 4}), f32({5, 4}), i64({1, 3})); }, bad_shape,
       "[rope] input must be [B, H, L, D], got f32 [1, 2, 3]"},
      {[=] { rope(q, f32({5, 5}), f32({5, 5}), i64({1, 2})); }, bad_shape,
       "[rope] cos must be [P, R] with 2R <= D=8, got f32 [5, 5]"},
      {[=] { rope(q, f32({5, 4}), f32({5, 3}), i64({1, 2})); }, bad_shape, "[rope] sin must be [5, 4], got f32 [5, 3]"},
      {[=] { rope(q, f32({5, 4}), f32({5, 4}), i64({1, 3})); }, bad_shape,
       "[rope] positions must be [B=1 or 1, L=2], got i64 [1, 3]"},
      {[=] { rope(q, f32({5, 4}), f32({5, 4}), i64({1, 2}, 5)); }, bad_index, "[rope] position 5 is outside [0, 5)"},
      {[=] { conv2d(f32({1, 2, 3}), f32({1, 2, 1, 1}), Tensor()); }, bad_shape,
       "[conv2d] input must be [B, C, H, W] and weight [O, C/groups, kh, kw], got f32 [1, 2, 3] and f32 [1, 2, 1, 1]"},
      {[=] { conv2d(f32({1, 3, 4, 4}), f32({2, 2, 1, 1}), Tensor()); }, bad_shape,
       "[conv2d] 1 groups do not fit input f32 [1, 3, 4, 4] and weight f32 [2, 2, 1, 1]"},
      {[=] { conv2d(f32({1, 2, 2, 2}), f32({2, 2, 3, 3}), Tensor()); }, bad_shape,
       "[conv2d] the kernel f32 [2, 2, 3, 3] is larger than the padded input f32 [1, 2, 2, 2]"},
      {[=] { conv2d(f32({1, 2, 4, 4}), f32({2, 2, 1, 1}), Tensor(), {.stride = {0, 1}}); }, bad_value,
       "[conv2d] stride and dilation must be positive and padding not negative"},
      {[=] { conv2d(f32({1, 2, 4, 4}), f32({2, 2, 1, 1}), f32({3})); }, bad_shape,
       "[conv2d] bias must be [2], got f32 [3]"},
      {[=] { conv1d(f32({2, 4}), f32({2, 2, 1}), Tensor()); }, bad_shape,
       "[conv1d] input must be [B, C, L] and weight [O, C/groups, k], got f32 [2, 4] and f32 [2, 2, 1]"},
  });
}

TEST_CASE("ops: a kernel refuses dtypes that it does not have") {
  CHECK_THROWS_WITH(dispatch1(div_op, {i64({2}), i64({2})}), "[div] needs a floating type, got i64");
}
