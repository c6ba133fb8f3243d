#include "adapter.h"

#include <cmath>

#include "../base/file.h"
#include "../ops/elementwise/unary.h"
#include "../weights/load_report.h"

namespace trustformers {
namespace {

const std::string name_prefix = "base_model.model.";  // before the model's own names
constexpr std::string_view config_file = "adapter_config.json", weights_file = "adapter_model.safetensors";

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

/// What the file calls the whole parameter `name`: a bias beside low-rank weights is one of the layer inside. Empty
/// when the file does not have it.
std::string whole_name(const WeightSource& source, const std::string& name) {
  std::string stored = name_prefix + name;
  if (source.find(stored)) return stored;
  constexpr std::string_view bias = ".bias";
  if (!stored.ends_with(bias)) return {};
  stored.insert(stored.size() - bias.size(), ".base_layer");
  return source.find(stored) ? stored : std::string();
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

Adapter::Adapter(Json description, std::string_view where, std::shared_ptr<const WeightSource> source)
    : description_(std::move(description)),
      config_(LoraConfig::parse(description_, where)),
      source_(std::move(source)) {
  for (const TensorEntry& entry : source_->entries()) used_[entry.name] = false;
}

std::shared_ptr<const Adapter> Adapter::open(const std::filesystem::path& folder) {
  const std::string where = (folder / config_file).string();
  return std::shared_ptr<const Adapter>(
      new Adapter(Json::parse(read_text_file(where), where), where, open_safetensors(folder / weights_file)));
}

LoraWeights Adapter::find(const std::string& module, std::string_view down, std::string_view up) const {
  const std::string a = str(name_prefix, module, ".", down);
  const std::string b = str(name_prefix, module, ".", up);
  const TensorEntry* first = source_->find(a);
  const TensorEntry* second = source_->find(b);
  if (!first && !second) return {};
  check(first && second && first->shape.size() == 2 && second->shape.size() == 2 && first->shape[0] == second->shape[1],
        ErrorCode::shape_mismatch, "[adapter] ", source_->describe(), " must hold ", a, " [r, K] and ", b, " [N, r]");
  used_[a] = used_[b] = true;
  const double rank = by_pattern(config_.rank_pattern, module, static_cast<double>(config_.r));
  const double alpha = by_pattern(config_.alpha_pattern, module, config_.lora_alpha);
  return {cast(source_->load(a), DType::f32), cast(source_->load(b), DType::f32),
          alpha / (config_.use_rslora ? std::sqrt(rank) : rank)};
}

Tensor Adapter::find_whole(const std::string& name) const {
  const std::string stored = whole_name(*source_, name);
  if (stored.empty()) return {};
  used_[stored] = true;
  return source_->load(stored);
}

void Adapter::save(const std::filesystem::path& folder, std::span<const NamedTensor> parameters) const {
  std::vector<NamedTensor> tensors;
  for (const NamedTensor& p : parameters) {
    const std::string whole = whole_name(*source_, p.name);
    if (!whole.empty() || p.name.find(".lora_") != std::string::npos)
      tensors.push_back({whole.empty() ? name_prefix + p.name : whole, p.tensor});
  }
  save_safetensors(folder / weights_file, tensors);
  write_file_atomically(folder / config_file, [&](const ByteSink& sink) {
    const std::string text = description_.dump(2) + "\n";
    sink(std::as_bytes(std::span(text.data(), text.size())));
  });
}

void Adapter::check_all_used() const {
  LoadReport report;
  for (const auto& [name, used] : used_)
    if (!used) report.add_unexpected(name);
  // Of an output layer that has an adapter peft also writes the weight beside it.
  report.check(source_->describe(), {.strict = true, .ignore_unexpected = {"*.base_layer.weight"}});
}

}  // namespace trustformers
