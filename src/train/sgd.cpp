#include "sgd.h"

#include "../base/error.h"
#include "parallel_elements.h"

namespace trustformers {

Sgd::Sgd(std::vector<NamedTensor> parameters, SgdOptions options)
    : Optimizer(std::move(parameters), options.weight_decay), options_(std::move(options)) {
  check(options_.momentum >= 0, ErrorCode::invalid_argument, "[sgd] momentum must not be negative, got ",
        options_.momentum);
  check(!options_.nesterov || options_.momentum > 0, ErrorCode::invalid_argument,
        "[sgd] Nesterov's momentum needs a momentum");
}

void Sgd::update(const Update& u) {
  const auto lr = static_cast<float>(u.lr), decay = static_cast<float>(u.weight_decay);
  const auto momentum = static_cast<float>(options_.momentum);
  if (options_.momentum == 0)
    return parallel_elements(u.weights.size(),
                             [&](std::size_t i) { u.weights[i] -= lr * (u.grad[i] + decay * u.weights[i]); });
  const std::span<float> buffer = momentum_.at(u.parameter, u.weights.size());
  parallel_elements(u.weights.size(), [&](std::size_t i) {
    const float g = u.grad[i] + decay * u.weights[i];
    buffer[i] = momentum * buffer[i] + g;
    u.weights[i] -= lr * (options_.nesterov ? g + momentum * buffer[i] : buffer[i]);
  });
}

}  // namespace trustformers
