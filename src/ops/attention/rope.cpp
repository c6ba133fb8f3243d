#include "rope.h"

#include "../elementwise/binary.h"
#include "../elementwise/unary.h"
#include "../index/index.h"
#include "../infer.h"
#include "../shape/shape_ops.h"

namespace trustformers {
namespace {

void infer_rope(const OpCall& call, OutputSpecs& out) {
  const Tensor& x = call.in[0];
  const Tensor& cosines = call.in[1];
  const Tensor& positions = call.in[3];
  infer::require_floating("rope", "input", x);
  check(x.rank() == 4, ErrorCode::shape_mismatch, "[rope] input must be [B, H, L, D], got ", describe(x));
  check(cosines.rank() == 2 && 2 * cosines.size(1) <= x.size(3), ErrorCode::shape_mismatch,
        "[rope] cos must be [P, R] with 2R <= D=", x.size(3), ", got ", describe(cosines));
  infer::require_shape("rope", "sin", call.in[2], cosines.shape());
  infer::require_index("rope", "positions", positions);
  check(positions.rank() == 2 && (positions.size(0) == x.size(0) || positions.size(0) == 1) &&
            positions.size(1) == x.size(2),
        ErrorCode::shape_mismatch, "[rope] positions must be [B=", x.size(0), " or 1, L=", x.size(2), "], got ",
        describe(positions));
  out.push_back({x.shape(), x.dtype()});
}

Tensors decompose_rope(const OpCall& call) {
  const bool interleaved = call.as<RopeAttrs>().interleaved;
  const DType dtype = call.in[0].dtype();
  const DType wide = dtype == DType::f64 ? DType::f64 : DType::f32;
  const Tensor x = cast(call.in[0], wide);
  const std::int64_t half = call.in[1].size(1);
  const auto rows = [&](const Tensor& table) { return unsqueeze(embedding(cast(table, wide), call.in[3]), 1); };
  const Tensor c = rows(call.in[1]);  // [B, 1, L, R]
  const Tensor s = rows(call.in[2]);
  const Tensor rotated = slice(x, -1, 0, 2 * half);
  const Tensor a = interleaved ? slice(rotated, -1, 0, INT64_MAX, 2) : slice(rotated, -1, 0, half);
  const Tensor b = interleaved ? slice(rotated, -1, 1, INT64_MAX, 2) : slice(rotated, -1, half);
  const std::array<Tensor, 2> turned = {a * c - b * s, b * c + a * s};
  Tensor out = interleaved ? reshape(stack(turned, -1), rotated.shape()) : concat(turned, -1);
  if (2 * half < x.size(-1)) {
    const std::array<Tensor, 2> parts = {out, slice(x, -1, 2 * half)};
    out = concat(parts, -1);
  }
  return {cast(out, dtype)};
}

}  // namespace

// A rotation by the negative angle is the transpose: the gradient is rope with -sin.
const OpDef rope_op = {.name = "rope",
                       .attrs = attrs_type<RopeAttrs>(),
                       .infer = infer_rope,
                       .decompose = decompose_rope,
                       .vjp = [](const VjpCall& c) {
                         return std::vector{
                             rope(c.grads[0], c.in[1], neg(c.in[2]), c.in[3], c.as<RopeAttrs>().interleaved), Tensor(),
                             Tensor(), Tensor()};
                       }};

Tensor rope(const Tensor& x, const Tensor& cos, const Tensor& sin, const Tensor& positions, bool interleaved) {
  return dispatch1(rope_op, RopeAttrs{interleaved}, {x, cos, sin, positions});
}

}  // namespace trustformers
