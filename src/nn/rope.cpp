#include "rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace trustformers {

namespace {

void read_scaling(const Json& object, std::string_view where, RopeConfig& rope) {
  check(object.is_object(), ErrorCode::parse, "[config] ", where, ": the rope parameters must be an object, got ",
        object.type_name());
  // What the config says of scaling stands for itself.
  RopeConfig plain;
  plain.theta = rope.theta;
  plain.partial_rotary_factor = rope.partial_rotary_factor;
  plain.original_max_positions = rope.original_max_positions;
  rope = std::move(plain);
  ConfigReader v(object, where);
  v("rope_type", rope.type, {"type"});
  v("rope_theta", rope.theta);
  v("partial_rotary_factor", rope.partial_rotary_factor);
  v("factor", rope.factor);
  v("attention_factor", rope.attention_factor);
  v("original_max_position_embeddings", rope.original_max_positions);
  v("beta_fast", rope.beta_fast);
  v("beta_slow", rope.beta_slow);
  v("mscale", rope.mscale);
  v("mscale_all_dim", rope.mscale_all_dim);
  v("truncate", rope.truncate);
  v("low_freq_factor", rope.low_freq_factor);
  v("high_freq_factor", rope.high_freq_factor);
  v("short_factor", rope.short_factor);
  v("long_factor", rope.long_factor);
  v("short_mscale", rope.short_mscale);
  v("long_mscale", rope.long_mscale);
  if (rope.type == "su") rope.type = "longrope";
  static constexpr std::string_view known[] = {"default", "linear", "dynamic", "yarn", "longrope", "llama3"};
  check(std::find(std::begin(known), std::end(known), rope.type) != std::end(known), ErrorCode::unsupported,
        "[config] ", where, ": no rope scaling is called \"", rope.type, "\"");
}

std::int64_t rotary_features(std::int64_t head_dim, double share) {
  check(share > 0 && share < 2, ErrorCode::parse, "[rope] \"partial_rotary_factor\" must lie between 0 and 1, got ",
        share);
  return static_cast<std::int64_t>(static_cast<double>(head_dim) * share);
}

/// nullptr when the key is absent or null.
const Json* present(const Json& config, std::string_view key) {
  const Json* found = config.find(key);
  return found && !found->is_null() ? found : nullptr;
}

}  // namespace

RopeConfig RopeConfig::parse(const Json& config, std::string_view where, const RopeConfig& defaults) {
  RopeConfig rope = defaults;
  ConfigReader outer(config, where);
  outer("rope_theta", rope.theta, {"rotary_emb_base"});
  outer("partial_rotary_factor", rope.partial_rotary_factor, {"rotary_pct", "rope_pct"});
  outer("original_max_position_embeddings", rope.original_max_positions);
  if (const Json* parameters = present(config, "rope_parameters"))
    read_scaling(*parameters, where, rope);
  else if (const Json* scaling = present(config, "rope_scaling"))
    read_scaling(*scaling, where, rope);
  return rope;
}

RopeConfig RopeConfig::parse_nested(const Json& config, std::string_view where, const RopeConfig& defaults,
                                    std::string_view layer_type) {
  RopeConfig rope = defaults;
  const Json* parameters = present(config, "rope_parameters");
  if (!parameters || !parameters->is_object()) return rope;
  if (const Json* nested = present(*parameters, layer_type)) read_scaling(*nested, where, rope);
  return rope;
}

RotaryEmbedding::RotaryEmbedding(const RopeConfig& config, std::int64_t head_dim, std::int64_t max_positions,
                                 bool interleaved)
    : config_(config),
      rotary_dim_(rotary_features(head_dim, config.partial_rotary_factor)),
      max_positions_(max_positions),
      interleaved_(interleaved) {
  check(rotary_dim_ > 0 && rotary_dim_ + rotary_dim_ % 2 <= head_dim && config.theta > 0, ErrorCode::invalid_argument,
        "[rope] needs pairs of features in a head of ", head_dim, " and a positive base, got ", rotary_dim_,
        " features and ", config.theta);
  if (config_.original_max_positions == 0) config_.original_max_positions = max_positions;
  if (config_.type == "longrope") {
    const auto half = static_cast<std::size_t>((rotary_dim_ + 1) / 2);
    check(config_.short_factor.size() == half && config_.long_factor.size() == half, ErrorCode::parse,
          "[rope] longrope needs ", half, " short and long factors, got ", config_.short_factor.size(), " and ",
          config_.long_factor.size());
  }
}

/// As the reference computes them: in f32 from the exponents on, because angles of far positions magnify rounding.
std::vector<float> RotaryEmbedding::inverse_frequencies(std::int64_t length) const {
  const std::int64_t half = (rotary_dim_ + 1) / 2;  // an odd number of features turns one more
  const auto dim = static_cast<double>(rotary_dim_);
  double base = config_.theta;
  if (config_.type == "dynamic" && length > max_positions_) {
    const double ratio = static_cast<double>(length) / static_cast<double>(max_positions_);
    base *= std::pow(factor() * ratio - (factor() - 1), dim / (dim - 2));
  }
  const auto frequency = [&](std::int64_t i) { return 1.0 / std::pow(base, 2.0 * static_cast<double>(i) / dim); };
  const auto original = static_cast<double>(config_.original_max_positions);

  // yarn: which dimension makes this many rotations over the original context
  const auto rotations_to_dim = [&](double rotations) {
    return dim * std::log(original / (rotations * 2 * std::numbers::pi)) / (2 * std::log(base));
  };
  double low = rotations_to_dim(config_.beta_fast);
  double high = rotations_to_dim(config_.beta_slow);
  if (config_.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, dim - 1);
  if (low == high) high += 0.001;

  std::vector<float> out;
  for (std::int64_t i = 0; i < half; ++i) {
    double f = frequency(i);
    if (config_.type == "linear") {
      f /= factor();
    } else if (config_.type == "yarn") {
      const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
      f = f / factor() * ramp + f * (1 - ramp);
    } else if (config_.type == "longrope") {
      f /= (length > config_.original_max_positions ? config_.long_factor
                                                    : config_.short_factor)[static_cast<std::size_t>(i)];
    } else if (config_.type == "llama3") {
      const double wavelength = 2 * std::numbers::pi / f;
      if (wavelength > original / config_.low_freq_factor) {
        f /= factor();
      } else if (wavelength >= original / config_.high_freq_factor) {
        const double smooth =
            (original / wavelength - config_.low_freq_factor) / (config_.high_freq_factor - config_.low_freq_factor);
        f = (1 - smooth) * f / factor() + smooth * f;
      }
    }
    out.push_back(static_cast<float>(f));
  }
  return out;
}

double RotaryEmbedding::factor() const {
  if (config_.factor || (config_.type != "yarn" && config_.type != "longrope")) return config_.factor.value_or(1);
  return static_cast<double>(max_positions_) / static_cast<double>(config_.original_max_positions);
}

double RotaryEmbedding::attention_factor(std::int64_t length) const {
  const auto original = static_cast<double>(config_.original_max_positions);
  if (config_.short_mscale && config_.long_mscale)
    return length > config_.original_max_positions ? *config_.long_mscale : *config_.short_mscale;
  if (config_.type == "yarn") {
    if (config_.attention_factor) return *config_.attention_factor;
    const auto scale = [&](double m) { return factor() <= 1 ? 1.0 : 0.1 * m * std::log(factor()) + 1; };
    if (config_.mscale.value_or(0) != 0 && config_.mscale_all_dim.value_or(0) != 0)
      return scale(*config_.mscale) / scale(*config_.mscale_all_dim);
    return scale(1);
  }
  if (config_.type == "longrope") {
    if (config_.attention_factor) return *config_.attention_factor;
    return factor() <= 1 ? 1.0 : std::sqrt(1 + std::log(factor()) / std::log(original));
  }
  return 1;
}

bool RotaryEmbedding::has_long_set() const {
  return config_.type == "longrope" && config_.long_factor != config_.short_factor;
}

RotaryEmbedding::Tables RotaryEmbedding::tables(std::int64_t positions) const {
  const bool grown = positions > (config_.type == "dynamic" ? max_positions_ : config_.original_max_positions);
  // dynamic: a new base for each length beyond the original; longrope: one switch.
  const std::int64_t key = follows_length() && grown ? (config_.type == "dynamic" ? positions : 1) : 0;
  if (cache_->key == key && cache_->tables.cos.defined() && cache_->tables.cos.size(0) >= positions)
    return cache_->tables;

  std::int64_t rows = 64;
  while (rows < positions) rows *= 2;
  const std::vector<float> frequencies = inverse_frequencies(positions);
  const double factor = attention_factor(positions);
  std::vector<float> cosines, sines;
  cosines.reserve(static_cast<std::size_t>(rows) * frequencies.size());
  sines.reserve(cosines.capacity());
  for (std::int64_t p = 0; p < rows; ++p)
    for (const float f : frequencies) {
      const double angle = static_cast<float>(p) * f;
      cosines.push_back(static_cast<float>(std::cos(angle) * factor));
      sines.push_back(static_cast<float>(std::sin(angle) * factor));
    }
  const Shape shape = {rows, static_cast<std::int64_t>(frequencies.size())};
  *cache_ = {key, {Tensor::from(cosines, shape), Tensor::from(sines, shape)}};
  return cache_->tables;
}

}  // namespace trustformers
