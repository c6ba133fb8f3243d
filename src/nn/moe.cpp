#include "moe.h"

#include <utility>

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/matmul/matmul.h"
#include "../ops/reduce/reduce.h"
#include "../ops/shape/shape_ops.h"

namespace trustformers {
namespace {

/// One expert after another: expert e over x [n, D] -> [n, D].
class Experts {
 public:
  virtual ~Experts() = default;
  virtual Tensor operator()(std::int64_t expert, const Tensor& x) const = 0;
};

class SeparateExperts final : public Experts {
 public:
  SeparateExperts(const Scope& scope, std::int64_t hidden_size, std::int64_t count, const ExpertsConfig& c) {
    const MlpShape shape{.hidden_size = hidden_size, .intermediate_size = c.intermediate_size};
    for (std::int64_t e = 0; e < count; ++e) experts_.push_back(gated_mlp(scope / e, shape, c.activation, c.names));
  }
  Tensor operator()(std::int64_t expert, const Tensor& x) const override {
    return (*experts_[static_cast<std::size_t>(expert)])(x);
  }

 private:
  std::vector<std::unique_ptr<FeedForward>> experts_;
};

/// Linear layers whose weights are one tensor [E, N, K] or [E, K, N].
class StackedLinear {
 public:
  /// `bias` names the biases [E, N]; empty: none.
  StackedLinear(const Scope& scope, std::string_view name, const std::string& bias, std::int64_t count,
                std::int64_t inputs, std::int64_t outputs, bool input_major)
      : exact_(scope.options().exact_activations || scope.options().trainable), input_major_(input_major) {
    weight_ = scope.get(name, input_major ? Shape{count, inputs, outputs} : Shape{count, outputs, inputs});
    if (!bias.empty()) bias_ = scope.get(bias, {count, outputs}, init_zeros);
    if (!weight_.defined() || scope.options().trains_model()) return;
    if (bias_.defined()) bias_ = cast(bias_, DType::f32);
    // Each expert's part becomes a tensor of its own, as a backend keeps one repacked copy a storage.
    const auto bytes = static_cast<std::size_t>(byte_size(weight_.dtype(), inputs * outputs));
    for (std::int64_t e = 0; e < count; ++e) {
      parts_.push_back(oriented(Tensor::borrow({weight_.raw() + static_cast<std::size_t>(e) * bytes, bytes},
                                               input_major ? Shape{inputs, outputs} : Shape{outputs, inputs},
                                               weight_.dtype(), weight_.impl_ptr())));
      scope.parameters().prepack(scope.name(name), parts_.back());
    }
  }

  Tensor operator()(std::int64_t expert, const Tensor& x) const {
    const Tensor weight =
        parts_.empty() ? oriented(select(weight_, 0, expert)) : parts_[static_cast<std::size_t>(expert)];
    return linear(x, weight, bias_.defined() ? select(bias_, 0, expert) : Tensor(), exact_);
  }

 private:
  Tensor oriented(const Tensor& t) const { return input_major_ ? transpose(t, 0, 1) : t; }

  Tensor weight_, bias_;
  std::vector<Tensor> parts_;  // [N, K] each; empty while the weights are trained
  bool exact_, input_major_;
};

/// What stands between the three matrices.
Tensor gated(const ExpertsConfig& c, const Tensor& gate, const Tensor& up) {
  if (c.limit <= 0) return c.activation.gated(gate, up);
  const Tensor high = Tensor::full({1}, c.limit, gate.dtype());
  const Tensor g = minimum(gate, high);
  return g * sigmoid(g * c.alpha) * (maximum(minimum(up, high), -high) + 1);
}

class StackedExperts final : public Experts {
 public:
  StackedExperts(const Scope& scope, std::int64_t hidden_size, std::int64_t count, const ExpertsConfig& c)
      : config_(c),
        gate_up_(scope, c.gate_up, bias(c.gate_up), count, hidden_size, 2 * c.intermediate_size, input_major()),
        down_(scope, c.down, bias(c.down), count, c.intermediate_size, hidden_size, input_major()) {}

  Tensor operator()(std::int64_t expert, const Tensor& x) const override {
    const Tensor both = gate_up_(expert, x);
    const std::int64_t width = config_.intermediate_size;
    const Tensor gate = config_.interleaved ? slice(both, -1, 0, INT64_MAX, 2) : slice(both, -1, 0, width);
    const Tensor up = config_.interleaved ? slice(both, -1, 1, INT64_MAX, 2) : slice(both, -1, width);
    return down_(expert, gated(config_, gate, up));
  }

 private:
  bool input_major() const { return config_.stored == ExpertsConfig::Stored::stacked_input_major; }
  std::string bias(std::string_view name) const { return config_.bias ? std::string(name) + "_bias" : std::string(); }

  ExpertsConfig config_;
  StackedLinear gate_up_, down_;
};

/// Gate and up in stacks of their own (GGUF).
class ApartExperts final : public Experts {
 public:
  ApartExperts(const Scope& scope, std::int64_t hidden_size, std::int64_t count, const ExpertsConfig& c)
      : config_(c),
        gate_(scope / "gate_proj", "weight", bias(), count, hidden_size, c.intermediate_size, false),
        up_(scope / "up_proj", "weight", bias(), count, hidden_size, c.intermediate_size, false),
        down_(scope / "down_proj", "weight", bias(), count, c.intermediate_size, hidden_size, false) {}

  Tensor operator()(std::int64_t expert, const Tensor& x) const override {
    return down_(expert, gated(config_, gate_(expert, x), up_(expert, x)));
  }
  static bool stored(const Scope& scope) { return (scope / "gate_proj").stored("weight"); }

 private:
  std::string bias() const { return config_.bias ? "bias" : ""; }

  ExpertsConfig config_;
  StackedLinear gate_, up_, down_;
};

class MixtureOfExperts final : public FeedForward {
 public:
  MixtureOfExperts(Router router, std::unique_ptr<Experts> experts, const MoeConfig& config, SharedExpert shared)
      : router_(std::move(router)),
        experts_(std::move(experts)),
        shared_(std::move(shared)),
        count_(config.router.experts),
        chosen_(config.router.chosen),
        weigh_inputs_(config.weigh_inputs) {}

  Tensor operator()(const Tensor& x) const override { return routed(x, nullptr); }

  Tensor routed(const Tensor& x, std::vector<Tensor>* router_logits) const override {
    const Tensor tokens = reshape(x, {-1, x.size(-1)});
    const Routing routing = router_(tokens);
    if (router_logits) router_logits->push_back(routing.logits);
    Tensor y = chosen_experts(tokens, routing);
    if (shared_.mlp) {
      const Tensor shared = (*shared_.mlp)(tokens);
      y = y + (shared_.gated ? shared * sigmoid(shared_.gate(tokens)) : shared);
    }
    return reshape(y, x.shape());
  }

 private:
  Tensor chosen_experts(const Tensor& tokens, const Routing& routing) const {
    const std::int64_t count = tokens.size(0);
    if (count == 0) return tokens;
    // The choices (token · k + rank) that fell on each expert.
    std::vector<std::vector<std::int64_t>> choices(static_cast<std::size_t>(count_));
    for (std::size_t i = 0; i < routing.experts.size(); ++i)
      choices[static_cast<std::size_t>(routing.experts[i])].push_back(static_cast<std::int64_t>(i));

    const Tensor weights = reshape(routing.weights, {count * chosen_, 1});
    std::vector<Tensor> results;
    std::vector<std::int64_t> place(routing.experts.size());  // of a choice in the results
    std::int64_t done = 0;
    for (std::size_t e = 0; e < choices.size(); ++e) {
      if (choices[e].empty()) continue;
      std::vector<std::int64_t> rows;
      for (const std::int64_t choice : choices[e]) {
        rows.push_back(choice / chosen_);
        place[static_cast<std::size_t>(choice)] = done++;
      }
      const auto taken = static_cast<std::int64_t>(rows.size());
      Tensor in = count == 1 ? tokens : embedding(tokens, Tensor::from(rows, {taken}));
      if (weigh_inputs_) in = in * embedding(weights, Tensor::from(choices[e], {taken}));
      results.push_back((*experts_)(static_cast<std::int64_t>(e), in));
    }
    // Back in the order of the choices: a token's sum is then taken in the order of its own experts, whoever else is in
    // the batch.
    Tensor y = embedding(concat(results, 0), Tensor::from(place, {count * chosen_}));
    if (!weigh_inputs_) y = y * weights;
    return sum(reshape(y, {count, chosen_, -1}), {1});
  }

  Router router_;
  std::unique_ptr<Experts> experts_;
  SharedExpert shared_;
  std::int64_t count_, chosen_;
  bool weigh_inputs_;
};

}  // namespace

std::unique_ptr<FeedForward> mixture_of_experts(const Scope& router_scope, const Scope& experts_scope,
                                                const MoeConfig& config, SharedExpert shared) {
  const RouterConfig& r = config.router;
  check(config.experts.intermediate_size > 0, ErrorCode::parse, "[moe] an expert needs a width, got ",
        config.experts.intermediate_size, " (\"moe_intermediate_size\" or \"intermediate_size\")");
  Router router(router_scope, r);
  std::unique_ptr<Experts> experts;
  if (ApartExperts::stored(experts_scope))
    experts = std::make_unique<ApartExperts>(experts_scope, r.hidden_size, r.experts, config.experts);
  else if (config.experts.stored == ExpertsConfig::Stored::one_by_one)
    experts = std::make_unique<SeparateExperts>(experts_scope, r.hidden_size, r.experts, config.experts);
  else
    experts = std::make_unique<StackedExperts>(experts_scope, r.hidden_size, r.experts, config.experts);
  return std::make_unique<MixtureOfExperts>(std::move(router), std::move(experts), config, std::move(shared));
}

}  // namespace trustformers
