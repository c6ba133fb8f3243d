#include "adafactor.h"

#include <algorithm>
#include <cmath>

#include "../base/error.h"
#include "parallel_elements.h"

namespace trustformers {
namespace {

double root_mean_square(std::span<const float> values) {
  double sum = 0;
  for (const float v : values) sum += static_cast<double>(v) * v;
  return std::sqrt(sum) / std::sqrt(static_cast<double>(values.size()));
}

}  // namespace

Adafactor::Adafactor(std::vector<NamedTensor> parameters, AdafactorOptions options)
    : Optimizer(std::move(parameters), options.weight_decay), options_(std::move(options)) {
  check(options_.beta2_decay <= 0 && options_.eps1 > 0 && options_.eps2 >= 0 && options_.clipping >= 1,
        ErrorCode::invalid_argument, "[adafactor] needs beta2_decay <= 0, eps1 > 0, eps2 >= 0 and clipping >= 1, got ",
        options_.beta2_decay, ", ", options_.eps1, ", ", options_.eps2, ", ", options_.clipping);
}

std::vector<float> Adafactor::factored(const Update& u, float memory) {
  const auto width = static_cast<std::size_t>(u.shape[u.shape.size() - 1]);
  const auto height = static_cast<std::size_t>(u.shape[u.shape.size() - 2]);
  const std::size_t matrices = u.weights.size() / (width * height);
  const std::span<float> row_state = rows_.at(u.parameter, matrices * height);
  const std::span<float> column_state = columns_.at(u.parameter, matrices * width);
  const auto blend = [&](float& state, double sum, std::size_t count) {
    state += memory * (static_cast<float>(sum / static_cast<double>(count)) - state);
  };
  // A sum of squares is taken by one thread, in order: results do not depend on how many there are.
  parallel_elements(row_state.size(), [&](std::size_t r) {
    double sum = 0;
    for (const float g : u.grad.subspan(r * width, width)) sum += static_cast<double>(g) * g;
    blend(row_state[r], sum, width);
  });
  parallel_elements(column_state.size(), [&](std::size_t c) {
    const float* first = u.grad.data() + c / width * height * width + c % width;
    double sum = 0;
    for (std::size_t r = 0; r < height; ++r) sum += static_cast<double>(first[r * width]) * first[r * width];
    blend(column_state[c], sum, height);
  });

  const auto eps1 = static_cast<float>(options_.eps1);
  std::vector<float> means(matrices);
  for (std::size_t m = 0; m < matrices; ++m) {
    double sum = 0;
    for (const float r : row_state.subspan(m * height, height)) sum += r;
    means[m] = std::max(static_cast<float>(sum / static_cast<double>(height)), eps1);
  }
  std::vector<float> out(u.weights.size());
  parallel_elements(out.size(), [&](std::size_t i) {
    const std::size_t row = i / width, matrix = row / height;
    const float v = row_state[row] * column_state[matrix * width + i % width] / means[matrix];
    out[i] = u.grad[i] / std::sqrt(std::max(v, eps1 * eps1));
  });
  return out;
}

std::vector<float> Adafactor::whole(const Update& u, float memory) {
  const std::span<float> state = second_.at(u.parameter, u.weights.size());
  const auto eps1 = static_cast<float>(options_.eps1);
  std::vector<float> out(u.weights.size());
  parallel_elements(out.size(), [&](std::size_t i) {
    state[i] += memory * (u.grad[i] * u.grad[i] - state[i]);
    out[i] = u.grad[i] / std::sqrt(std::max(state[i], eps1 * eps1));
  });
  return out;
}

void Adafactor::update(const Update& u) {
  if (u.weights.empty()) return;
  const auto t = static_cast<double>(u.step);
  const double alpha = std::max(options_.eps2, root_mean_square(u.weights)) * std::min(u.lr, 1 / std::sqrt(t));
  const auto memory = static_cast<float>(std::pow(t, options_.beta2_decay));
  const std::vector<float> direction = u.shape.size() > 1 ? factored(u, memory) : whole(u, memory);
  const auto scale = static_cast<float>(alpha / std::max(1.0, root_mean_square(direction) / options_.clipping));
  const auto shrink = static_cast<float>(1 - u.lr * u.weight_decay);
  parallel_elements(u.weights.size(),
                    [&](std::size_t i) { u.weights[i] = u.weights[i] * shrink - scale * direction[i]; });
}

}  // namespace trustformers
