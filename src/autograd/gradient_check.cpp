#include "gradient_check.h"

#include <algorithm>
#include <cmath>

#include "../ops/elementwise/binary.h"
#include "../ops/reduce/reduce.h"

namespace trustformers {

double gradient_error(const std::function<Tensor(std::span<const Tensor>)>& f, std::span<const Tensor> inputs,
                      double step) {
  // A fixed random direction in the output makes one scalar of it without symmetries that hide mistakes.
  Tensor direction;
  const auto objective = [&](std::span<const Tensor> at) {
    const Tensor y = f(at);
    if (!direction.defined()) direction = Tensor::rand(y.shape(), 7, y.dtype());
    return sum(y * direction);
  };
  std::vector<Tensor> leaves;
  for (const Tensor& t : inputs) {
    if (t.defined() && t.requires_grad()) {
      check(t.dtype() == DType::f64, ErrorCode::dtype_mismatch, "[gradient_error] needs f64, got ", describe(t));
      leaves.push_back(Tensor::from(t.to_vector<double>(), t.shape()).set_requires_grad(true));
    } else {
      leaves.push_back(t);
    }
  }
  objective(leaves).backward();

  const NoGrad quiet;
  double worst = 0;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (!leaves[i].defined() || !leaves[i].requires_grad()) continue;
    const std::vector<double> values = leaves[i].to_vector<double>();
    const std::vector<double> analytic =
        leaves[i].grad().defined() ? leaves[i].grad().to_vector<double>() : std::vector<double>(values.size(), 0.0);
    double scale = 1;
    for (const double g : analytic) scale = std::max(scale, std::abs(g));
    for (std::size_t e = 0; e < values.size(); ++e) {
      const auto at = [&](double shift) {
        std::vector<double> moved = values;
        moved[e] += shift;
        std::vector<Tensor> arguments = leaves;
        arguments[i] = Tensor::from(moved, leaves[i].shape());
        return objective(arguments).item();
      };
      const double numeric = (at(step) - at(-step)) / (2 * step);
      const double difference = std::abs(numeric - analytic[e]) / scale;
      if (!(difference <= worst)) worst = difference;  // NaN is the worst
    }
  }
  return worst;
}

}  // namespace trustformers
