#include "adam.h"

#include <cmath>

#include "../base/error.h"
#include "parallel_elements.h"

namespace trustformers {

Adam::Adam(std::vector<NamedTensor> parameters, const AdamOptions& options, bool decoupled_decay)
    : Optimizer(std::move(parameters), options.weight_decay), options_(options), decoupled_decay_(decoupled_decay) {
  for (const double beta : {options.beta1, options.beta2})
    check(beta >= 0 && beta < 1, ErrorCode::invalid_argument, "[adam] betas must lie in [0, 1), got ", beta);
  check(options.eps >= 0, ErrorCode::invalid_argument, "[adam] eps must not be negative, got ", options.eps);
}

void Adam::update(const Update& u) {
  const std::span<float> m = first_.at(u.parameter, u.weights.size());
  const std::span<float> v = second_.at(u.parameter, u.weights.size());
  const auto t = static_cast<double>(u.step);
  const auto step_size = static_cast<float>(u.lr / (1 - std::pow(options_.beta1, t)));
  const auto second_scale = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, t)));
  const auto rest1 = static_cast<float>(1 - options_.beta1), rest2 = static_cast<float>(1 - options_.beta2);
  const auto beta2 = static_cast<float>(options_.beta2), eps = static_cast<float>(options_.eps);
  const auto l2 = static_cast<float>(decoupled_decay_ ? 0 : u.weight_decay);
  const auto shrink = static_cast<float>(decoupled_decay_ ? 1 - u.lr * u.weight_decay : 1);
  parallel_elements(u.weights.size(), [&](std::size_t i) {
    const float w = u.weights[i] * shrink;
    const float g = u.grad[i] + l2 * w;
    m[i] += rest1 * (g - m[i]);
    v[i] = beta2 * v[i] + rest2 * g * g;
    u.weights[i] = w - step_size * m[i] / (std::sqrt(v[i]) / second_scale + eps);
  });
}

}  // namespace trustformers
