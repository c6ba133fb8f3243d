#include "feed_forward.h"

#include "../ops/shape/shape_ops.h"

namespace trustformers {
namespace {

class PlainMlp final : public FeedForward {
 public:
  PlainMlp(Linear input, ActivationFunction act, Linear output)
      : input_(std::move(input)), output_(std::move(output)), act_(act) {}
  Tensor operator()(const Tensor& x) const override { return output_(act_(input_(x))); }

 private:
  Linear input_, output_;
  ActivationFunction act_;
};

class GatedMlp final : public FeedForward {
 public:
  GatedMlp(Linear gate, Linear up, ActivationFunction act, Linear down)
      : gate_(std::move(gate)), up_(std::move(up)), down_(std::move(down)), act_(act) {}
  Tensor operator()(const Tensor& x) const override { return down_(act_.gated(gate_(x), up_(x))); }

 private:
  Linear gate_, up_, down_;
  ActivationFunction act_;
};

class FusedGatedMlp final : public FeedForward {
 public:
  FusedGatedMlp(Linear gate_up, ActivationFunction act, Linear down)
      : gate_up_(std::move(gate_up)), down_(std::move(down)), act_(act) {}
  Tensor operator()(const Tensor& x) const override {
    const Tensor both = gate_up_(x);
    const std::int64_t width = both.size(-1) / 2;
    return down_(act_.gated(slice(both, -1, 0, width), slice(both, -1, width)));
  }

 private:
  Linear gate_up_, down_;
  ActivationFunction act_;
};

}  // namespace

std::unique_ptr<FeedForward> plain_mlp(const Scope& scope, const MlpShape& s, ActivationFunction act,
                                       std::string_view input, std::string_view output) {
  Linear in(scope / input, s.hidden_size, s.intermediate_size, s.bias, s.stored);
  Linear out(scope / output, s.intermediate_size, s.hidden_size, s.bias, s.stored);
  return std::make_unique<PlainMlp>(std::move(in), act, std::move(out));
}

std::unique_ptr<FeedForward> gated_mlp(const Scope& scope, const MlpShape& s, ActivationFunction act,
                                       const GatedMlpNames& names) {
  Linear gate(scope / names.gate, s.hidden_size, s.intermediate_size, s.bias, s.stored);
  Linear up(scope / names.up, s.hidden_size, s.intermediate_size, s.bias, s.stored);
  Linear down(scope / names.down, s.intermediate_size, s.hidden_size, s.bias, s.stored);
  return std::make_unique<GatedMlp>(std::move(gate), std::move(up), act, std::move(down));
}

std::unique_ptr<FeedForward> fused_gated_mlp(const Scope& scope, const MlpShape& s, ActivationFunction act,
                                             std::string_view gate_up, std::string_view down) {
  Linear both(scope / gate_up, s.hidden_size, 2 * s.intermediate_size, s.bias, s.stored);
  Linear out(scope / down, s.intermediate_size, s.hidden_size, s.bias, s.stored);
  return std::make_unique<FusedGatedMlp>(std::move(both), act, std::move(out));
}

}  // namespace trustformers
