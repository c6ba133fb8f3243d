#include "runner.h"

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "ops/elementwise/unary.h"
#include "ops/shape/shape_ops.h"

namespace trustformers::conformance {

Verdict judge(const Tensor& got, const Array& want, Measure measure, DType bar_of) {
  Verdict verdict;
  verdict.bar = measure == Measure::exact || !is_floating(got.dtype()) ? 0 : tolerance(measure, bar_of);
  if (got.shape() != want.shape) {
    verdict.error = HUGE_VAL;
    verdict.text = str("shape ", got.shape(), " instead of ", want.shape);
    return verdict;
  }
  const std::vector<double> values = got.to_vector<double>();
  double energy = 0;
  std::size_t finite = 0;
  for (const double x : want.values)
    if (std::isfinite(x)) {
      energy += x * x;
      ++finite;
    }
  const double scale = finite ? std::sqrt(energy / static_cast<double>(finite)) : 0;
  double squares = 0;
  double worst = -1;
  std::size_t worst_at = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = values[i];
    const double y = want.values[i];
    double error = 0;
    if (x == y || (std::isnan(x) && std::isnan(y))) {
      error = 0;
    } else if (!std::isfinite(x) || !std::isfinite(y)) {
      error = HUGE_VAL;
    } else {
      squares += (x - y) * (x - y);
      error = std::abs(x - y) / std::max({std::abs(y), scale, 1e-300});
    }
    if (error > worst) {
      worst = error;
      worst_at = i;
    }
  }
  verdict.error = std::max(worst, 0.0);
  if (measure == Measure::normalised && std::isfinite(worst)) verdict.error = squares > 0 ? squares / energy : 0;
  if (worst > 0) {
    Shape index(got.rank());
    std::size_t rest = worst_at;
    for (std::size_t d = got.rank(); d-- > 0;) {
      const auto size = static_cast<std::size_t>(got.shape()[d]);
      index[d] = static_cast<std::int64_t>(rest % size);
      rest /= size;
    }
    verdict.text = str("error ", verdict.error, ", bar ", verdict.bar, ", worst at ", index, ": ", values[worst_at],
                       " instead of ", want.values[worst_at]);
  }
  return verdict;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  const Tensor x = contiguous(a);
  const Tensor y = contiguous(b);
  const auto bytes = static_cast<std::size_t>(byte_size(a.dtype(), a.numel()));
  if (bytes == 0 || std::memcmp(x.raw(), y.raw(), bytes) == 0) return true;
  const std::vector<double> left = x.to_vector<double>();
  const std::vector<double> right = y.to_vector<double>();
  for (std::size_t i = 0; i < left.size(); ++i)
    if (left[i] != right[i] && !(std::isnan(left[i]) && std::isnan(right[i]))) return false;
  return true;
}

std::vector<Tensor> widened(const std::vector<Tensor>& in) {
  std::vector<Tensor> out;
  for (const Tensor& t : in) out.push_back(t.defined() && is_floating(t.dtype()) ? cast(t, DType::f64) : t);
  return out;
}

std::vector<Tensor> laid_out(const std::vector<Tensor>& in, Layout layout) {
  std::vector<Tensor> out;
  for (const Tensor& t : in) out.push_back(with_layout(t, layout));
  return out;
}

Array expected(const Row& row, const std::vector<Tensor>& in) {
  if (row.reference) {
    std::vector<Array> arrays;
    for (const Tensor& t : in) arrays.emplace_back(t);
    return row.reference(arrays);
  }
  const std::vector<Tensor> wide = widened(in);
  return Array(row.op->decompose({row.attrs.get(), wide})[0]);
}

Tensor call(const Row& row, const std::vector<Tensor>& in) { return dispatch(*row.op, row.attrs.get(), in)[0]; }

}  // namespace trustformers::conformance
