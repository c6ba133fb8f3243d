#include "speculative.h"

#include <algorithm>
#include <cmath>

#include "processors/score_math.h"

namespace trustformers {

double acceptance(std::span<const double> p, std::span<const double> q, std::int64_t token) {
  const auto at = static_cast<std::size_t>(token);
  return q[at] > 0 ? std::min(1.0, p[at] / q[at]) : 0;
}

void residual_law(std::span<const double> p, std::span<const double> q, std::vector<double>& out) {
  out.resize(p.size());
  double total = 0;
  for (std::size_t i = 0; i < p.size(); ++i) total += out[i] = std::max(p[i] - q[i], 0.0);
  if (total <= 0) return out.assign(p.begin(), p.end());
  for (double& weight : out) weight /= total;
}

void law_of(std::span<const float> scores, std::vector<double>& out) {
  const SoftmaxSums sums = softmax_sums(scores);
  out.resize(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) out[i] = std::exp(scores[i] - sums.largest) / sums.total;
}

std::int64_t draw(std::span<const double> law, double uniform) {
  double rest = uniform;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < law.size(); ++i) {
    if (law[i] <= 0) continue;
    last = static_cast<std::int64_t>(i);
    rest -= law[i];
    if (rest < 0) break;
  }
  return last;
}

std::vector<std::int64_t> look_up_continuation(std::span<const std::int64_t> text, std::int64_t ngram,
                                               std::int64_t count) {
  for (auto n = std::min(static_cast<std::size_t>(ngram), text.size()); n > 0; --n) {
    const auto end = text.last(n);
    for (std::size_t from = text.size() - n; from-- > 0;) {
      if (!std::equal(end.begin(), end.end(), text.begin() + static_cast<std::ptrdiff_t>(from))) continue;
      const auto follows = text.subspan(from + n);
      const auto kept = follows.first(std::min(follows.size(), static_cast<std::size_t>(count)));
      return {kept.begin(), kept.end()};
    }
  }
  return {};
}

}  // namespace trustformers
