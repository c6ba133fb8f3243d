#include "router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/norm/norm.h"
#include "../ops/reduce/reduce.h"
#include "../ops/shape/shape_ops.h"

namespace trustformers {
namespace {

constexpr float hidden = -std::numeric_limits<float>::infinity();

/// The indices of the `count` largest of `scores`, largest first; of equals the first.
std::vector<std::int64_t> best(std::span<const float> scores, std::int64_t count) {
  std::vector<std::int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::int64_t a, std::int64_t b) {
                      const float x = scores[static_cast<std::size_t>(a)], y = scores[static_cast<std::size_t>(b)];
                      return x > y || (x == y && a < b);
                    });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

/// Hides the scores of all but the best groups.
void keep_best_groups(std::span<float> scores, const RouterConfig& c) {
  const auto size = static_cast<std::size_t>(c.experts / c.groups);
  std::vector<float> of_group;
  for (std::size_t first = 0; first < scores.size(); first += size) {
    const std::span<const float> group = scores.subspan(first, size);
    float score = 0;
    for (const std::int64_t e : best(group, c.groups_by_two ? 2 : 1)) score += group[static_cast<std::size_t>(e)];
    of_group.push_back(score);
  }
  const std::vector<std::int64_t> kept = best(of_group, c.chosen_groups);
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (std::find(kept.begin(), kept.end(), static_cast<std::int64_t>(i / size)) == kept.end()) scores[i] = hidden;
}

std::vector<float> one_hot_counts(const std::vector<float>& logits, std::int64_t experts, std::int64_t chosen,
                                  const std::vector<float>& counted) {
  std::vector<float> counts(static_cast<std::size_t>(experts));
  const auto width = static_cast<std::size_t>(experts);
  for (std::size_t t = 0; t < counted.size(); ++t)
    for (const std::int64_t e : best(std::span(logits).subspan(t * width, width), chosen))
      counts[static_cast<std::size_t>(e)] += counted[t];
  return counts;
}

}  // namespace

Router::Router(const Scope& scope, const RouterConfig& c) : config_(c), gate_(scope, c.hidden_size, c.experts, c.bias) {
  check(c.chosen > 0 && c.chosen <= c.experts, ErrorCode::parse, "[router] cannot choose ", c.chosen, " of ", c.experts,
        " experts (\"num_experts_per_tok\")");
  check(c.scoring != RouterConfig::Scoring::sparsemixer || c.chosen == 2, ErrorCode::unsupported,
        "[router] sparsemixer chooses 2 experts, \"num_experts_per_tok\" is ", c.chosen);
  if (c.groups > 0) {
    const std::int64_t size = c.experts / c.groups;
    check(c.experts % c.groups == 0 && size >= (c.groups_by_two ? 2 : 1), ErrorCode::parse, "[router] ", c.experts,
          " experts do not form ", c.groups, " groups (\"n_group\")");
    check(c.chosen_groups > 0 && c.chosen_groups <= c.groups && c.chosen_groups * size >= c.chosen, ErrorCode::parse,
          "[router] cannot choose ", c.chosen, " experts in ", c.chosen_groups, " of ", c.groups,
          " groups (\"topk_group\")");
  }
  if (c.correction_bias) correction_ = scope.get_buffer("e_score_correction_bias", {c.experts}, init_zeros);
}

Routing Router::operator()(const Tensor& x) const {
  const Tensor logits = gate_(x);
  if (config_.scoring == RouterConfig::Scoring::sparsemixer) return sparsemixer(logits);
  const bool by_softmax = config_.scoring == RouterConfig::Scoring::softmax;
  const std::int64_t tokens = logits.size(0);

  // Softmax and sigmoid keep the order, so that the logits decide where nothing is added to the scores or summed up.
  const bool logits_decide = config_.groups == 0 && !config_.correction_bias;
  const Tensor scores = by_softmax ? softmax(logits) : sigmoid(logits);
  std::vector<float> compared = (logits_decide           ? logits
                                 : correction_.defined() ? scores + correction_
                                                         : scores)
                                    .to_vector<float>();
  Routing out{.logits = logits, .weights = {}, .experts = {}};
  out.experts.reserve(static_cast<std::size_t>(tokens * config_.chosen));
  const auto width = static_cast<std::size_t>(config_.experts);
  for (std::size_t t = 0; t < static_cast<std::size_t>(tokens); ++t) {
    const std::span<float> row = std::span(compared).subspan(t * width, width);
    if (config_.groups > 0) keep_best_groups(row, config_);
    const std::vector<std::int64_t> chosen = best(row, config_.chosen);
    out.experts.insert(out.experts.end(), chosen.begin(), chosen.end());
  }

  const Tensor index = Tensor::from(out.experts, {tokens, config_.chosen});
  if (by_softmax && config_.renormalise) {
    out.weights = softmax(gather(logits, 1, index));  // what a softmax over all becomes when it is renormalised
  } else {
    out.weights = gather(scores, 1, index);
    if (config_.renormalise) out.weights = out.weights / (sum(out.weights, {1}, true) + 1e-20);
  }
  if (config_.scale != 1) out.weights = out.weights * config_.scale;
  return out;
}

Routing Router::sparsemixer(const Tensor& logits) const {
  const std::int64_t tokens = logits.size(0);
  const auto width = static_cast<std::size_t>(config_.experts);
  const std::vector<float> values = logits.to_vector<float>();
  Routing out{
      .logits = logits, .weights = {}, .experts = std::vector<std::int64_t>(2 * static_cast<std::size_t>(tokens))};
  std::vector<float> left = values;
  std::array<Tensor, 2> weights;
  for (std::size_t rank = 0; rank < 2; ++rank) {
    // Experts that fall behind the best by more than a share of their own size take no part.
    std::vector<float> penalty(values.size());
    std::vector<std::int64_t> chosen(static_cast<std::size_t>(tokens));
    for (std::size_t t = 0; t < chosen.size(); ++t) {
      const std::span<float> row = std::span(left).subspan(t * width, width);
      chosen[t] = best(row, 1)[0];
      const float top = row[static_cast<std::size_t>(chosen[t])];
      for (std::size_t e = 0; e < width; ++e) {
        const float own = values[t * width + e];
        const bool far = (top - own) / std::max(std::abs(own), top) > static_cast<float>(2 * config_.jitter);
        penalty[t * width + e] = far || row[e] == hidden ? hidden : 0;
      }
      out.experts[2 * t + rank] = chosen[t];
    }
    weights[rank] =
        gather(softmax(logits + Tensor::from(penalty, logits.shape())), 1, Tensor::from(chosen, {tokens, 1}));
    for (std::size_t t = 0; t < chosen.size(); ++t) left[t * width + static_cast<std::size_t>(chosen[t])] = hidden;
  }
  out.weights = concat(weights, 1);
  return out;
}

Tensor load_balancing_loss(std::span<const Tensor> logits, std::int64_t chosen, const Tensor& attention_mask) {
  check(!logits.empty(), ErrorCode::invalid_argument, "[load_balancing_loss] no layer has a router");
  const std::int64_t experts = logits[0].size(1), tokens = logits[0].size(0);
  std::vector<float> counted(static_cast<std::size_t>(tokens), 1.0F);
  if (attention_mask.defined()) {
    counted = attention_mask.to_vector<float>();
    check(counted.size() == static_cast<std::size_t>(tokens), ErrorCode::shape_mismatch,
          "[load_balancing_loss] the mask ", describe(attention_mask), " does not fit ", tokens, " tokens");
  }
  const Tensor mask = Tensor::from(counted, {tokens, 1});
  Tensor probabilities;  // [E], summed over tokens and layers
  std::vector<float> shares(static_cast<std::size_t>(experts));
  for (const Tensor& layer : logits) {
    const Tensor summed = sum(softmax(layer) * mask, {0});
    probabilities = probabilities.defined() ? probabilities + summed : summed;
    const std::vector<float> counts = one_hot_counts(layer.to_vector<float>(), experts, chosen, counted);
    for (std::size_t e = 0; e < shares.size(); ++e) shares[e] += counts[e];
  }
  const double rows = std::accumulate(counted.begin(), counted.end(), 0.0) * static_cast<double>(logits.size());
  return sum(Tensor::from(shares, {experts}) * probabilities) * (static_cast<double>(experts) / (rows * rows));
}

}  // namespace trustformers
