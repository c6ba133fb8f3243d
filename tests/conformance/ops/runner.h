// Compares results and names the worst element.
#pragma once

#include <string>

#include "rows.h"

namespace trustformers::conformance {

struct Verdict {
  double error = 0;
  double bar = 0;
  std::string text;  // "error 3e-05 > 1e-06, worst at [2, 7]: 1.25 instead of 1.5"
  bool passed() const { return error <= bar; }
};

/// `got` against `want`; the bar is that of got's dtype (or of `bar_of`, where inputs were rounded more).
/// NaN agrees with NaN and an infinity with itself; anything else that is not finite fails.
Verdict judge(const Tensor& got, const Array& want, Measure measure, DType bar_of);
inline Verdict judge(const Tensor& got, const Array& want, Measure measure) {
  return judge(got, want, measure, got.dtype());
}
/// Same dtype, shape and bits (every NaN is like another).
bool same_bits(const Tensor& a, const Tensor& b);

/// Floating inputs (but not block formats) as f64, exactly.
std::vector<Tensor> widened(const std::vector<Tensor>& in);
/// The inputs of a row in a layout.
std::vector<Tensor> laid_out(const std::vector<Tensor>& in, Layout layout);
/// What the row should give, by its reference or by its decomposition in f64.
Array expected(const Row& row, const std::vector<Tensor>& in);
/// The row through dispatch.
Tensor call(const Row& row, const std::vector<Tensor>& in);

}  // namespace trustformers::conformance
