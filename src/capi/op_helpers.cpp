#include "op_helpers.h"

#include <cmath>

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/index/index.h"
#include "../ops/shape/shape_ops.h"

namespace trustformers::capi {

Tensor floating(const Tensor& x) { return is_floating(x.dtype()) ? x : cast(x, DType::f32); }

Tensor scalar_like(const Tensor& x, double value) { return Tensor::scalar(value, x.dtype()); }

std::pair<Tensor, Tensor> operands(const OpArguments& a) {
  const bool scalar = a.options.has("scalar");
  check(scalar != (a.in.size() == 2), ErrorCode::invalid_argument, "[", a.name,
        "] expected two tensors, or one and \"scalar\"");
  if (!scalar) return {a.at(0), a.at(1)};
  const double value = a.options.number("scalar");
  Tensor x = a.at(0);
  if (!is_floating(x.dtype())) {
    if (std::trunc(value) != value)
      x = cast(x, DType::f32);
    else if (x.dtype() == DType::boolean)
      x = cast(x, DType::i64);
  }
  Tensor number = scalar_like(x, value);
  return a.options.flag("reverse", false) ? std::pair(std::move(number), std::move(x))
                                          : std::pair(std::move(x), std::move(number));
}

Tensor power(const OpArguments& a) {
  const double exponent = a.options.number("exponent");
  const Tensor x = a.at(0);
  if (is_floating(x.dtype())) return pow(x, exponent);
  if (std::trunc(exponent) != exponent) return pow(cast(x, DType::f32), exponent);
  check(exponent >= 0, ErrorCode::invalid_argument, "[pow] integers to a negative power, ", exponent,
        ", are not integers: cast first");
  // f64 holds all integers up to 2^53, and powers beyond that leave the smaller types anyway.
  return cast(pow(cast(x, DType::f64), exponent), x.dtype() == DType::boolean ? DType::i64 : x.dtype());
}

Tensor remainder(const Tensor& a, const Tensor& b) {
  const DType type = promote(a.dtype(), b.dtype());
  // In f64 the quotient of integers below 2^53 is exact enough for its floor.
  const DType wide = is_floating(type) ? type : DType::f64;
  const Tensor x = cast(a, wide), y = cast(b, wide);
  return cast(x - y * floor(x / y), type);
}

Tensor round_half_even(const Tensor& x) {
  if (!is_floating(x.dtype())) return x;
  const Tensor below = floor(x), rest = x - below;
  const Tensor odd = below - floor(below * 0.5) * 2.0;
  const Tensor one = scalar_like(x, 1), zero = scalar_like(x, 0), half = scalar_like(x, 0.5);
  return below + where(greater(rest, half), one, where(equal(rest, half), odd, zero));
}

Tensor all_or_any(const OpArguments& a, bool all) {
  const Tensor x = a.at(0);
  const Tensor zero = equal(x, scalar_like(x, 0));
  const Tensor counted = all ? zero : logical_not(zero);
  const Tensor count = sum(counted, a.options.integers("dims"), a.options.flag("keepdim", false));
  const Tensor none = equal(count, scalar_like(count, 0));
  return all ? none : logical_not(none);
}

Tensor logsumexp(const Tensor& x, const Dims& dims, bool keepdim) {
  const Tensor high = max(x, dims, true).detach();
  // An infinite maximum must not become infinity minus infinity.
  const Tensor finite = less(abs(high), scalar_like(high, INFINITY));
  const Tensor shift = where(finite, high, scalar_like(high, 0));
  const Tensor total = log(sum(exp(x - shift), dims, true)) + shift;
  return keepdim ? total : reshape(total, sum(x.detach(), dims, false).shape());
}

Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& index) {
  check(index.rank() == 1, ErrorCode::shape_mismatch, "[index_select] the index must be [N], got ", describe(index));
  const auto at = static_cast<std::size_t>(normalize_dim(dim, x.rank(), "index_select"));
  Shape lined(x.rank(), 1), full = x.shape();
  lined[at] = full[at] = index.size(0);
  return gather(x, dim, expand(reshape(index, lined), full));
}

Tensor flip(const Tensor& x, std::int64_t dim) {
  const std::int64_t n = x.size(dim);
  return index_select(
      x, dim, Tensor::scalar(static_cast<double>(n - 1), DType::i64) - Tensor::arange(0, static_cast<double>(n)));
}

Tensor repeat(const Tensor& x, const Shape& repeats) {
  check(repeats.size() >= x.rank(), ErrorCode::shape_mismatch, "[repeat] ", describe(x), " needs at least ", x.rank(),
        " repeats, got ", repeats.size());
  Shape shape(repeats.size() - x.rank(), 1);
  for (const std::int64_t size : x.shape()) shape.push_back(size);
  Tensor out = reshape(x, shape);
  for (std::size_t d = 0; d < repeats.size(); ++d) {
    check(repeats[d] >= 0, ErrorCode::invalid_argument, "[repeat] repeats must be at least 0, got ", repeats[d]);
    if (repeats[d] == 1) continue;
    if (repeats[d] == 0) {
      out = slice(out, static_cast<std::int64_t>(d), 0, 0);
      continue;
    }
    const std::vector<Tensor> parts(static_cast<std::size_t>(repeats[d]), out);
    out = concat(parts, static_cast<std::int64_t>(d));
  }
  return out;
}

Tensor triangle(const Tensor& x, std::int64_t diagonal, bool lower) {
  check(x.rank() >= 2, ErrorCode::shape_mismatch, "[", lower ? "tril" : "triu", "] expected a matrix, got ",
        describe(x));
  const auto line = [](std::int64_t n) { return Tensor::arange(0, static_cast<double>(n)); };
  const Tensor columns = line(x.size(-1));
  const Tensor limit = reshape(line(x.size(-2)), {x.size(-2), 1}) + static_cast<double>(diagonal);
  return where(lower ? less_equal(columns, limit) : less_equal(limit, columns), x, scalar_like(x, 0));
}

Tensor squeeze_all(const Tensor& x) {
  Shape shape;
  for (const std::int64_t size : x.shape())
    if (size != 1) shape.push_back(size);
  return reshape(x, shape);
}

Tensor expand_to(const Tensor& x, Shape shape) {
  // -1 keeps a size, as in PyTorch.
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t lead = shape.size() - std::min(x.rank(), shape.size());
    if (shape[i] == -1 && i >= lead) shape[i] = x.shape()[i - lead];
  }
  return expand(x, shape);
}

}  // namespace trustformers::capi
