#include "conv.h"

#include "../elementwise/binary.h"
#include "../elementwise/unary.h"
#include "../infer.h"
#include "../matmul/matmul.h"
#include "../shape/shape_ops.h"

namespace trustformers {
namespace {

std::int64_t output_size(std::int64_t size, std::int64_t kernel, const ConvAttrs& a, std::size_t axis) {
  const std::int64_t span = size + 2 * a.padding[axis] - a.dilation[axis] * (kernel - 1) - 1;
  return span < 0 ? 0 : span / a.stride[axis] + 1;
}

void infer_conv(const OpCall& call, OutputSpecs& out) {
  const Tensor& x = call.in[0];
  const Tensor& weight = call.in[1];
  const auto& a = call.as<ConvAttrs>();
  infer::require_floating("conv2d", "input", x);
  infer::require_same_dtype("conv2d", x, weight);
  check(x.rank() == 4 && weight.rank() == 4, ErrorCode::shape_mismatch,
        "[conv2d] input must be [B, C, H, W] and weight [O, C/groups, kh, kw], got ", describe(x), " and ",
        describe(weight));
  for (std::size_t i = 0; i < 2; ++i)
    check(a.stride[i] > 0 && a.dilation[i] > 0 && a.padding[i] >= 0, ErrorCode::invalid_argument,
          "[conv2d] stride and dilation must be positive and padding not negative");
  check(a.groups > 0 && weight.size(0) % a.groups == 0 && x.size(1) == weight.size(1) * a.groups,
        ErrorCode::shape_mismatch, "[conv2d] ", a.groups, " groups do not fit input ", describe(x), " and weight ",
        describe(weight));
  if (call.in[2].defined()) infer::require_shape("conv2d", "bias", call.in[2], {weight.size(0)});
  const std::int64_t rows = output_size(x.size(2), weight.size(2), a, 0);
  const std::int64_t columns = output_size(x.size(3), weight.size(3), a, 1);
  check(rows > 0 && columns > 0, ErrorCode::shape_mismatch, "[conv2d] the kernel ", describe(weight),
        " is larger than the padded input ", describe(x));
  out.push_back({{x.size(0), weight.size(0), rows, columns}, x.dtype()});
}

/// The sum over kernel positions of (strided slice of the padded input) x (weight at that position).
Tensors decompose_conv(const OpCall& call) {
  const auto& a = call.as<ConvAttrs>();
  const Tensor& x = call.in[0];
  const Tensor& weight = call.in[1];
  const std::int64_t batch = x.size(0);
  const std::int64_t outputs = weight.size(0);
  const std::int64_t inputs = weight.size(1);
  const std::int64_t rows = output_size(x.size(2), weight.size(2), a, 0);
  const std::int64_t columns = output_size(x.size(3), weight.size(3), a, 1);
  const DType wide = x.dtype() == DType::f64 ? DType::f64 : DType::f32;
  const Tensor padded = pad(pad(cast(x, wide), 2, a.padding[0], a.padding[0]), 3, a.padding[1], a.padding[1]);
  Tensor total;
  for (std::int64_t i = 0; i < weight.size(2); ++i)
    for (std::int64_t j = 0; j < weight.size(3); ++j) {
      const std::int64_t top = i * a.dilation[0];
      const std::int64_t left = j * a.dilation[1];
      const Tensor rows_of = slice(padded, 2, top, top + (rows - 1) * a.stride[0] + 1, a.stride[0]);
      const Tensor patch = slice(rows_of, 3, left, left + (columns - 1) * a.stride[1] + 1, a.stride[1]);
      const Tensor flat = reshape(patch, {batch, a.groups, inputs, rows * columns});
      const Tensor w = reshape(select(select(cast(weight, wide), 3, j), 2, i), {a.groups, outputs / a.groups, inputs});
      const Tensor part = matmul(w, flat);  // [B, groups, O/groups, rows·columns]
      total = total.defined() ? total + part : part;
    }
  Tensor y = reshape(total, {batch, outputs, rows, columns});
  if (call.in[2].defined()) y = y + reshape(cast(call.in[2], wide), {outputs, 1, 1});
  return {cast(y, x.dtype())};
}

}  // namespace

const OpDef conv2d_op = {
    .name = "conv2d", .attrs = attrs_type<ConvAttrs>(), .infer = infer_conv, .decompose = decompose_conv};

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvAttrs& attrs) {
  return dispatch1(conv2d_op, attrs, {x, weight, bias});
}

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t stride, std::int64_t padding,
              std::int64_t dilation, std::int64_t groups) {
  const ConvAttrs attrs{{1, stride}, {0, padding}, {1, dilation}, groups};
  check(x.rank() == 3 && weight.rank() == 3, ErrorCode::shape_mismatch,
        "[conv1d] input must be [B, C, L] and weight [O, C/groups, k], got ", describe(x), " and ", describe(weight));
  return squeeze(conv2d(unsqueeze(x, 2), unsqueeze(weight, 2), bias, attrs), 2);
}

}  // namespace trustformers
