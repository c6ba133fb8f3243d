#include "sentence_modules.h"

#include <limits>

#include "../base/file.h"
#include "../nn/attention.h"
#include "../nn/config.h"
#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/index/index.h"
#include "../ops/reduce/reduce.h"
#include "../ops/shape/shape_ops.h"
#include "../weights/open.h"

namespace trustformers {
namespace {

using Mode = SentencePooling::Mode;

struct ModeName {
  std::string_view flag, name;
  Mode mode;
};
constexpr ModeName mode_names[] = {{"pooling_mode_cls_token", "cls", Mode::cls},
                                   {"pooling_mode_max_tokens", "max", Mode::max},
                                   {"pooling_mode_mean_tokens", "mean", Mode::mean},
                                   {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", Mode::mean_sqrt_len},
                                   {"pooling_mode_weightedmean_tokens", "weightedmean", Mode::weighted_mean},
                                   {"pooling_mode_lasttoken", "lasttoken", Mode::last_token}};

/// sum(hidden · weights) / divisor, both [B, L, 1] or [B, 1].
Tensor weighted_sum(const Tensor& hidden, const Tensor& weights, const Tensor& divisor) {
  return sum(hidden * weights, {1}) / divisor;
}

Tensor pool(Mode mode, const Tensor& hidden, const Tensor& attention_mask) {
  const std::int64_t length = hidden.size(1);
  const Tensor seen = unsqueeze(cast(attention_mask, DType::f32), 2);
  const Tensor count = maximum(sum(seen, {1}), Tensor::scalar(1e-9));
  switch (mode) {
    case Mode::cls: return contiguous(select(hidden, 1, 0));
    case Mode::max: {
      const Tensor lowest = Tensor::scalar(std::numeric_limits<float>::lowest());
      return max(where(cast(seen, DType::boolean), hidden, lowest), {1});
    }
    case Mode::mean: return weighted_sum(hidden, seen, count);
    case Mode::mean_sqrt_len: return weighted_sum(hidden, seen, sqrt(count));
    case Mode::weighted_mean: {
      const Tensor weights = seen * reshape(cast(consecutive_positions(1, length), DType::f32), {1, length, 1});
      return weighted_sum(hidden, weights, maximum(sum(weights, {1}), Tensor::scalar(1e-9)));
    }
    case Mode::last_token: {
      // the position with the largest number among those that are seen
      const Tensor numbered = squeeze(seen, 2) * cast(consecutive_positions(1, length), DType::f32);
      const Tensor at = reshape(argmax(numbered, 1), {hidden.size(0), 1, 1});
      return squeeze(gather(hidden, 1, expand(at, {hidden.size(0), 1, hidden.size(2)})), 1);
    }
  }
  fail(ErrorCode::internal, "[pooling] no such mode");
}

struct DenseConfig {
  std::int64_t in_features = 0, out_features = 0;
  bool bias = true;
  std::string activation_function = "torch.nn.modules.activation.Tanh";

  void fields(auto& v) {
    v.size("in_features", in_features);
    v.size("out_features", out_features);
    v("bias", bias);
    v("activation_function", activation_function);
  }
};

/// A class of torch.nn by its full name.
ActivationFunction torch_activation(std::string_view name, std::string_view where) {
  constexpr std::pair<std::string_view, std::string_view> known[] = {
      {"Identity", "linear"}, {"Tanh", "tanh"}, {"ReLU", "relu"}, {"GELU", "gelu"},
      {"Sigmoid", "sigmoid"}, {"SiLU", "silu"}, {"Mish", "mish"}, {"LeakyReLU", "leaky_relu"}};
  const std::string_view last = name.substr(name.rfind('.') + 1);
  for (const auto& [theirs, ours] : known)
    if (last == theirs) return ActivationFunction::parse(ours, where);
  fail(ErrorCode::unsupported, "[sentence_transformer] ", where, ": \"activation_function\" ", name,
       " is not supported");
}

}  // namespace

std::optional<Mode> SentencePooling::find_mode(std::string_view name) {
  for (const ModeName& known : mode_names)
    if (known.name == name) return known.mode;
  return std::nullopt;
}

SentencePooling SentencePooling::parse(const Json& config, std::string_view where) {
  std::vector<Mode> modes;
  if (const Json* named = config.find("pooling_mode"); named && !named->is_null()) {
    std::vector<std::string> wanted;
    ConfigReader(config, where)("pooling_mode", wanted);
    for (const std::string& name : wanted) {
      const std::optional<Mode> mode = find_mode(name);
      check(mode.has_value(), ErrorCode::unsupported, "[sentence_transformer] ", where,
            ": no \"pooling_mode\" is called ", name);
      modes.push_back(*mode);
    }
  } else {
    ConfigReader reader(config, where);
    for (const ModeName& known : mode_names) {
      bool on = known.mode == Mode::mean;  // what a module without flags does
      reader(known.flag, on);
      if (on) modes.push_back(known.mode);
    }
  }
  check(!modes.empty(), ErrorCode::parse, "[sentence_transformer] ", where, " has no \"pooling_mode\" that is on");
  return SentencePooling(std::move(modes));
}

Tensor SentencePooling::operator()(const Tensor& hidden, const Tensor& attention_mask) const {
  std::vector<Tensor> parts;
  for (const Mode mode : modes_) parts.push_back(pool(mode, hidden, attention_mask));
  return parts.size() == 1 ? parts[0] : concat(parts, 1);
}

SentenceDense SentenceDense::open(const std::filesystem::path& folder) {
  const std::string where = (folder / "config.json").string();
  const Json json = Json::parse(read_text_file(folder / "config.json", std::uint64_t{1} << 24), where);
  const auto config = read_config<DenseConfig>(json, where);
  SentenceDense out;
  out.act_ = torch_activation(config.activation_function, where);
  const auto parameters = Parameters::load(
      open_weights(folder), [](const std::string& name) { return std::vector<StoredName>{{name, nullptr}}; }, {});
  out.linear_ = Linear(Scope(parameters) / "linear", config.in_features, config.out_features, config.bias);
  parameters->finish();
  return out;
}

Tensor l2_normalized(const Tensor& x) { return x / maximum(sqrt(sum(x * x, {-1}, true)), Tensor::scalar(1e-12)); }

}  // namespace trustformers
