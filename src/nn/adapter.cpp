#include "adapter.h"

#include <cmath>

#include "../base/file.h"
#include "../ops/elementwise/unary.h"
#include "../weights/load_report.h"
#include "../weights/safetensors.h"

namespace trustformers {
namespace {

std::map<std::string, double> read_pattern(const Json& object, std::string_view key, std::string_view where) {
  std::map<std::string, double> pattern;
  if (const Json* found = object.find(key); found && !found->is_null())
    for (const auto& [name, value] : found->as_object(str(where, ": \"", key, "\"")))
      pattern[name] = value.as_double(name);
  return pattern;
}

/// The pattern's value for a module: its whole name or an ending at a dot.
double by_pattern(const std::map<std::string, double>& pattern, const std::string& module, double otherwise) {
  for (const auto& [ending, value] : pattern)
    if (module == ending || module.ends_with("." + ending)) return value;
  return otherwise;
}

}  // namespace

LoraConfig LoraConfig::parse(const Json& object, std::string_view where) {
  const std::string type = object.at("peft_type", where).as_string(str(where, ": \"peft_type\""));
  check(type == "LORA", ErrorCode::unsupported, "[adapter] ", where, " is of type ", type, ", only LORA is supported");
  for (const std::string_view key : {"use_dora", "use_qalora", "lora_bias", "use_bdlora"}) {
    const Json* flag = object.find(key);
    check(!flag || !flag->is_bool() || !flag->as_bool(), ErrorCode::unsupported, "[adapter] ", where, " sets ", key,
          ", which is not supported");
  }
  LoraConfig config;
  ConfigReader v(object, where);
  v.size("r", config.r);
  v("lora_alpha", config.lora_alpha);
  v("use_rslora", config.use_rslora);
  v("fan_in_fan_out", config.fan_in_fan_out);
  config.rank_pattern = read_pattern(object, "rank_pattern", where);
  config.alpha_pattern = read_pattern(object, "alpha_pattern", where);
  return config;
}

Adapter::Adapter(LoraConfig config, std::shared_ptr<const WeightSource> source)
    : config_(std::move(config)), source_(std::move(source)) {
  for (const TensorEntry& entry : source_->entries()) used_[entry.name] = false;
}

std::shared_ptr<const Adapter> Adapter::open(const std::filesystem::path& folder) {
  const std::filesystem::path config_path = folder / "adapter_config.json";
  const std::string where = config_path.string();
  LoraConfig config = LoraConfig::parse(Json::parse(read_text_file(config_path), where), where);
  return std::shared_ptr<const Adapter>(
      new Adapter(std::move(config), open_safetensors(folder / "adapter_model.safetensors")));
}

LoraWeights Adapter::find(const std::string& module) const {
  const std::string prefix = "base_model.model." + module;
  const std::string a = prefix + ".lora_A.weight";
  const std::string b = prefix + ".lora_B.weight";
  const TensorEntry* down = source_->find(a);
  const TensorEntry* up = source_->find(b);
  if (!down && !up) return {};
  check(down && up && down->shape.size() == 2 && up->shape.size() == 2 && down->shape[0] == up->shape[1],
        ErrorCode::shape_mismatch, "[adapter] ", source_->describe(), " must hold ", a, " [r, K] and ", b, " [N, r]");
  used_[a] = used_[b] = true;
  const double rank = by_pattern(config_.rank_pattern, module, static_cast<double>(config_.r));
  const double alpha = by_pattern(config_.alpha_pattern, module, config_.lora_alpha);
  return {cast(source_->load(a), DType::f32), cast(source_->load(b), DType::f32),
          alpha / (config_.use_rslora ? std::sqrt(rank) : rank)};
}

void Adapter::check_all_used() const {
  LoadReport report;
  for (const auto& [name, used] : used_)
    if (!used) report.add_unexpected(name);
  // Of an output layer that has an adapter peft also writes the weight beside it.
  report.check(source_->describe(), {.strict = true, .ignore_unexpected = {"*.base_layer.weight"}});
}

}  // namespace trustformers
