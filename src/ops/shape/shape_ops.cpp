#include "shape_ops.h"

#include <algorithm>

#include "../../tensor/device.h"
#include "../infer.h"
#include "../reduce/reduce.h"

namespace trustformers {
namespace {

void infer_reshape(const OpCall& call, OutputSpecs& out) {
  const Shape& shape = call.as<ReshapeAttrs>().shape;
  check(element_count(shape) == call.in[0].numel(), ErrorCode::shape_mismatch, "[reshape] ", describe(call.in[0]),
        " cannot become ", shape);
  out.push_back({shape, call.in[0].dtype()});
}

/// Strides under which `shape` addresses the same elements as x, or false when a copy is needed.
bool reshaped_strides(const Tensor& x, const Shape& shape, Strides& out) {
  if (x.is_contiguous()) {
    out = contiguous_strides(shape);
    return true;
  }
  // Dimensions of x that are contiguous with each other form groups; each group must be covered by whole new
  // dimensions.
  out = Strides(shape.size());
  std::size_t next = 0;
  std::size_t d = 0;
  while (d < x.rank()) {
    std::int64_t group = x.shape()[d];
    while (d + 1 < x.rank() && x.strides()[d] == x.strides()[d + 1] * x.shape()[d + 1]) group *= x.shape()[++d];
    std::int64_t stride = x.strides()[d];
    const std::size_t first = next;
    std::int64_t covered = 1;
    while (next < shape.size() && covered < group) covered *= shape[next++];
    if (covered != group) return false;
    for (std::size_t i = next; i-- > first;) {
      out[i] = stride;
      stride *= shape[i];
    }
    ++d;
  }
  for (; next < shape.size(); ++next) out[next] = 1;  // trailing sizes of 1
  return true;
}

Tensor view_reshape(const OpCall& call) {
  const Shape& shape = call.as<ReshapeAttrs>().shape;
  Tensor x = call.in[0];
  Strides strides;
  if (x.numel() == 0 || !reshaped_strides(x, shape, strides)) {
    x = x.device().contiguous(x);
    strides = contiguous_strides(shape);
  }
  return make_view(x, shape, strides, x.impl().offset);
}

void infer_permute(const OpCall& call, OutputSpecs& out) {
  const auto& dims = call.as<PermuteAttrs>().dims;
  const Tensor& x = call.in[0];
  check(dims.size() == x.rank(), ErrorCode::shape_mismatch, "[permute] ", describe(x), " needs ", x.rank(),
        " dimensions, got ", dims.size());
  Shape shape;
  std::array<bool, max_rank> seen{};
  for (const std::int64_t d : dims) {
    check(d >= 0 && d < static_cast<std::int64_t>(x.rank()) && !seen[static_cast<std::size_t>(d)],
          ErrorCode::invalid_argument, "[permute] the dimensions must be 0 to ", x.rank() - 1, " once each, got ",
          dims);
    seen[static_cast<std::size_t>(d)] = true;
    shape.push_back(x.shape()[static_cast<std::size_t>(d)]);
  }
  out.push_back({shape, x.dtype()});
}

Tensor view_permute(const OpCall& call) {
  const Tensor& x = call.in[0];
  Shape shape;
  Strides strides;
  for (const std::int64_t d : call.as<PermuteAttrs>().dims) {
    shape.push_back(x.shape()[static_cast<std::size_t>(d)]);
    strides.push_back(x.strides()[static_cast<std::size_t>(d)]);
  }
  return make_view(x, shape, strides, x.impl().offset);
}

void infer_expand(const OpCall& call, OutputSpecs& out) {
  const Shape& shape = call.as<ExpandAttrs>().shape;
  check(broadcast_shapes(call.in[0].shape(), shape, "expand") == shape, ErrorCode::shape_mismatch, "[expand] ",
        describe(call.in[0]), " does not broadcast to ", shape);
  out.push_back({shape, call.in[0].dtype()});
}

Tensor view_expand(const OpCall& call) {
  const Shape& shape = call.as<ExpandAttrs>().shape;
  const Tensor& x = call.in[0];
  Strides strides(shape.size());
  const std::size_t extra = shape.size() - x.rank();
  for (std::size_t d = extra; d < shape.size(); ++d)
    strides[d] = x.shape()[d - extra] == shape[d] ? x.strides()[d - extra] : 0;
  return make_view(x, shape, strides, x.impl().offset);
}

/// A step beyond the dimension reaches what one as long as it does; bounded, it cannot overflow when multiplied.
std::int64_t bounded_step(std::int64_t step, std::int64_t size) {
  return std::min(step, std::max<std::int64_t>(size, 1));
}

Shape sliced_shape(const Tensor& x, const SliceAttrs& a, std::string_view op) {
  check(a.step >= 1 && a.start >= 0 && a.length >= 0 &&
            (a.length == 0 || a.start + (a.length - 1) * a.step < x.size(a.dim)),
        ErrorCode::out_of_range, "[", op, "] ", a.length, " elements from ", a.start, " by ", a.step,
        " do not lie inside dimension ", a.dim, " of ", describe(x));
  Shape shape = x.shape();
  shape[static_cast<std::size_t>(a.dim)] = a.length;
  return shape;
}

void infer_slice(const OpCall& call, OutputSpecs& out) {
  check(!is_block(call.in[0].dtype()) || call.as<SliceAttrs>().dim + 1 < static_cast<std::int64_t>(call.in[0].rank()),
        ErrorCode::dtype_mismatch, "[slice] cannot cut through the blocks of ", describe(call.in[0]));
  out.push_back({sliced_shape(call.in[0], call.as<SliceAttrs>(), "slice"), call.in[0].dtype()});
}

Tensor view_slice(const OpCall& call) {
  const auto& a = call.as<SliceAttrs>();
  const Tensor& x = call.in[0];
  const auto d = static_cast<std::size_t>(a.dim);
  Shape shape = x.shape();
  Strides strides = x.strides();
  shape[d] = a.length;
  strides[d] *= a.step;
  const std::int64_t shift = a.length > 0 ? a.start * x.strides()[d] : 0;
  return make_view(x, shape, strides, x.impl().offset + shift);
}

void infer_concat(const OpCall& call, OutputSpecs& out) {
  check(!call.in.empty(), ErrorCode::invalid_argument, "[concat] needs at least one tensor");
  const Tensor& first = call.in[0];
  const auto dim = static_cast<std::size_t>(call.as<ConcatAttrs>().dim);
  Shape shape = first.shape();
  check(dim < shape.size(), ErrorCode::out_of_range, "[concat] dimension ", dim, " is outside ", describe(first));
  shape[dim] = 0;
  for (const Tensor& part : call.in) {
    infer::require_same_dtype("concat", first, part);
    check(part.rank() == first.rank(), ErrorCode::shape_mismatch, "[concat] ", describe(part), " does not fit ",
          describe(first));
    for (std::size_t d = 0; d < shape.size(); ++d)
      check(d == dim || part.shape()[d] == first.shape()[d], ErrorCode::shape_mismatch, "[concat] ", describe(part),
            " does not fit ", describe(first), " along dimension ", dim);
    shape[dim] += part.shape()[dim];
  }
  out.push_back({shape, first.dtype()});
}

}  // namespace

const OpDef reshape_op = {.name = "reshape",
                          .attrs = attrs_type<ReshapeAttrs>(),
                          .infer = infer_reshape,
                          .vjp = [](const VjpCall& c) { return std::vector{reshape(c.grads[0], c.in[0].shape())}; },
                          .view = view_reshape};
const OpDef permute_op = {.name = "permute",
                          .attrs = attrs_type<PermuteAttrs>(),
                          .infer = infer_permute,
                          .vjp =
                              [](const VjpCall& c) {
                                const auto& dims = c.as<PermuteAttrs>().dims;
                                InlineVector<std::int64_t, max_rank> inverse(dims.size());
                                for (std::size_t i = 0; i < dims.size(); ++i)
                                  inverse[static_cast<std::size_t>(dims[i])] = static_cast<std::int64_t>(i);
                                return std::vector{permute(c.grads[0], inverse)};
                              },
                          .view = view_permute};
const OpDef expand_op = {.name = "expand",
                         .attrs = attrs_type<ExpandAttrs>(),
                         .infer = infer_expand,
                         .vjp = [](const VjpCall& c) { return std::vector{sum_to(c.grads[0], c.in[0].shape())}; },
                         .view = view_expand};
const OpDef slice_op = {.name = "slice",
                        .attrs = attrs_type<SliceAttrs>(),
                        .infer = infer_slice,
                        .vjp =
                            [](const VjpCall& c) {
                              const auto& a = c.as<SliceAttrs>();
                              const Tensor zero = Tensor::zeros(c.in[0].shape(), c.grads[0].dtype());
                              return std::vector{slice_scatter(zero, c.grads[0], a.dim, a.start, a.step)};
                            },
                        .view = view_slice};
const OpDef slice_scatter_op = {
    .name = "slice_scatter",
    .attrs = attrs_type<SliceAttrs>(),
    .infer =
        [](const OpCall& call, OutputSpecs& out) {
          infer::require_same_dtype("slice_scatter", call.in[0], call.in[1]);
          infer::require_shape("slice_scatter", "source", call.in[1],
                               sliced_shape(call.in[0], call.as<SliceAttrs>(), "slice_scatter"));
          out.push_back({call.in[0].shape(), call.in[0].dtype()});
        },
    .vjp =
        [](const VjpCall& c) {
          const auto& a = c.as<SliceAttrs>();
          const Tensor& g = c.grads[0];
          const Tensor none = Tensor::zeros(c.in[1].shape(), g.dtype());
          const std::int64_t end = a.start + a.length * a.step;
          return std::vector{slice_scatter(g, none, a.dim, a.start, a.step), slice(g, a.dim, a.start, end, a.step)};
        }};
const OpDef concat_op = {
    .name = "concat", .attrs = attrs_type<ConcatAttrs>(), .infer = infer_concat, .vjp = [](const VjpCall& c) {
      const std::int64_t dim = c.as<ConcatAttrs>().dim;
      std::vector<Tensor> grads;
      std::int64_t at = 0;
      for (const Tensor& part : c.in) {
        grads.push_back(slice(c.grads[0], dim, at, at + part.size(dim)));
        at += part.size(dim);
      }
      return grads;
    }};
const OpDef contiguous_op = {
    .name = "contiguous",
    .attrs = attrs_type<NoAttrs>(),
    .infer = [](const OpCall& call, OutputSpecs& out) { out.push_back({call.in[0].shape(), call.in[0].dtype()}); },
    .vjp = [](const VjpCall& c) { return std::vector{c.grads[0]}; },
    .view =
        [](const OpCall& call) {
          const Tensor& x = call.in[0];
          // The tape marks what it gets, so the input itself must not come back.
          return x.is_contiguous() ? make_view(x, x.shape(), x.strides(), x.impl().offset) : x.device().contiguous(x);
        }};

Tensor reshape(const Tensor& x, const Shape& shape) {
  ReshapeAttrs attrs{shape};
  std::int64_t* open = nullptr;
  for (std::int64_t& size : attrs.shape) {
    if (size != -1) continue;
    check(!open, ErrorCode::invalid_argument, "[reshape] only one size may be -1: ", shape);
    open = &size;
  }
  if (open) {
    *open = 1;
    const std::int64_t known = element_count(attrs.shape);
    check(known > 0 && x.numel() % known == 0, ErrorCode::shape_mismatch, "[reshape] ", describe(x), " cannot become ",
          shape);
    *open = x.numel() / known;
  }
  return x.shape() == attrs.shape ? x : dispatch1(reshape_op, attrs, {x});
}

Tensor permute(const Tensor& x, const InlineVector<std::int64_t, max_rank>& dims) {
  PermuteAttrs attrs;
  for (const std::int64_t d : dims) attrs.dims.push_back(normalize_dim(d, x.rank(), "permute"));
  return dispatch1(permute_op, attrs, {x});
}

Tensor transpose(const Tensor& x, std::int64_t a, std::int64_t b) {
  PermuteAttrs attrs;
  for (std::size_t d = 0; d < x.rank(); ++d) attrs.dims.push_back(static_cast<std::int64_t>(d));
  std::swap(attrs.dims[static_cast<std::size_t>(normalize_dim(a, x.rank(), "transpose"))],
            attrs.dims[static_cast<std::size_t>(normalize_dim(b, x.rank(), "transpose"))]);
  return dispatch1(permute_op, attrs, {x});
}

Tensor expand(const Tensor& x, const Shape& shape) {
  return x.shape() == shape ? x : dispatch1(expand_op, ExpandAttrs{shape}, {x});
}

Tensor slice(const Tensor& x, std::int64_t dim, std::int64_t start, std::int64_t end, std::int64_t step) {
  check(step >= 1, ErrorCode::invalid_argument, "[slice] the step must be at least 1, got ", step);
  infer::require_rank("slice", "input", x, 1);
  const int d = normalize_dim(dim, x.rank(), "slice");
  const std::int64_t size = x.size(d);
  const auto clamp = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size); };
  start = clamp(start);
  end = clamp(end);
  const std::int64_t length = end > start ? (end - start - 1) / step + 1 : 0;
  if (length == size) return x;
  return dispatch1(slice_op, SliceAttrs{d, start, length, bounded_step(step, size)}, {x});
}

Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index) {
  const int d = normalize_dim(dim, x.rank(), "select");
  const std::int64_t i = index < 0 ? index + x.size(d) : index;
  check(i >= 0 && i < x.size(d), ErrorCode::out_of_range, "[select] index ", index, " is outside dimension ", dim,
        " of ", describe(x));
  return squeeze(slice(x, d, i, i + 1), d);
}

std::vector<Tensor> chunk(const Tensor& x, std::int64_t parts, std::int64_t dim) {
  const std::int64_t size = x.size(dim);
  check(parts >= 1 && size % parts == 0, ErrorCode::shape_mismatch, "[chunk] dimension ", dim, " of ", describe(x),
        " does not split into ", parts, " equal parts");
  std::vector<Tensor> out;
  for (std::int64_t i = 0; i < parts; ++i) out.push_back(slice(x, dim, i * (size / parts), (i + 1) * (size / parts)));
  return out;
}

Tensor slice_scatter(const Tensor& base, const Tensor& source, std::int64_t dim, std::int64_t start,
                     std::int64_t step) {
  const int d = normalize_dim(dim, base.rank(), "slice_scatter");
  infer::require_rank("slice_scatter", "source", source, base.rank());
  if (start < 0) start += base.size(d);
  return dispatch1(slice_scatter_op, SliceAttrs{d, start, source.size(d), bounded_step(step, base.size(d))},
                   {base, source});
}

Tensor concat(std::span<const Tensor> parts, std::int64_t dim) {
  check(!parts.empty(), ErrorCode::invalid_argument, "[concat] needs at least one tensor");
  if (parts.size() == 1) return parts[0];
  const ConcatAttrs attrs{normalize_dim(dim, parts[0].rank(), "concat")};
  return dispatch(concat_op, &attrs, parts)[0];
}

Tensor stack(std::span<const Tensor> parts, std::int64_t dim) {
  check(!parts.empty(), ErrorCode::invalid_argument, "[stack] needs at least one tensor");
  const int d = normalize_dim(dim, parts[0].rank() + 1, "stack");
  std::vector<Tensor> rows;
  for (const Tensor& part : parts) rows.push_back(unsqueeze(part, d));
  return concat(rows, d);
}

Tensor unsqueeze(const Tensor& x, std::int64_t dim) {
  const auto d = static_cast<std::size_t>(normalize_dim(dim, x.rank() + 1, "unsqueeze"));
  Shape shape;
  for (std::size_t i = 0; i <= x.rank(); ++i) {
    if (i == d) shape.push_back(1);
    if (i < x.rank()) shape.push_back(x.shape()[i]);
  }
  return reshape(x, shape);
}

Tensor squeeze(const Tensor& x, std::int64_t dim) {
  const auto d = static_cast<std::size_t>(normalize_dim(dim, x.rank(), "squeeze"));
  check(x.shape()[d] == 1, ErrorCode::shape_mismatch, "[squeeze] dimension ", dim, " of ", describe(x), " is not 1");
  Shape shape;
  for (std::size_t i = 0; i < x.rank(); ++i)
    if (i != d) shape.push_back(x.shape()[i]);
  return reshape(x, shape);
}

Tensor pad(const Tensor& x, std::int64_t dim, std::int64_t before, std::int64_t after) {
  check(before >= 0 && after >= 0, ErrorCode::invalid_argument, "[pad] needs sizes of at least 0, got ", before,
        " and ", after);
  if (before == 0 && after == 0) return x;
  const auto d = static_cast<std::size_t>(normalize_dim(dim, x.rank(), "pad"));
  Shape shape = x.shape();
  shape[d] += before + after;
  return slice_scatter(Tensor::zeros(shape, x.dtype()), x, static_cast<std::int64_t>(d), before);
}

Tensor contiguous(const Tensor& x) { return x.is_contiguous() ? x : dispatch1(contiguous_op, {x}); }

}  // namespace trustformers
