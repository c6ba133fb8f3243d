// Low-rank adapters (LoRA, Hu et al. 2021) in the files of the `peft` package.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "../weights/safetensors.h"
#include "../weights/source.h"
#include "config.h"

namespace trustformers {

struct LoraConfig {
  std::int64_t r = 8;
  double lora_alpha = 8;
  bool use_rslora = false;
  bool fan_in_fan_out = false;
  std::map<std::string, double> rank_pattern;  // by module name or its ending
  std::map<std::string, double> alpha_pattern;

  /// Reads adapter_config.json. Variants that change the formula (DoRA, bone, ...) are refused by name.
  static LoraConfig parse(const Json& object, std::string_view where);
};

/// y += scale · B · A · x beside a linear layer, where x is one-hot beside an embedding.
struct LoraWeights {
  Tensor a;  // [r, K]; of an embedding [r, V]
  Tensor b;  // [N, r]; of an embedding [D, r]
  double scale = 1;
  explicit operator bool() const { return a.defined(); }
};

/// The folder of adapter_config.json and adapter_model.safetensors.
class Adapter {
 public:
  static std::shared_ptr<const Adapter> open(const std::filesystem::path& folder);
  /// The weights for the linear layer `module` ("model.layers.0.self_attn.q_proj"), f32; none when the adapter has
  /// none.
  LoraWeights find(const std::string& module) const { return find(module, "lora_A.weight", "lora_B.weight"); }
  /// The same for an embedding.
  LoraWeights find_embedding(const std::string& module) const {
    return find(module, "lora_embedding_A", "lora_embedding_B");
  }
  /// The parameter `name` when it was trained whole beside the low-rank weights (peft's modules_to_save, or biases), as
  /// the file has it; else undefined.
  Tensor find_whole(const std::string& name) const;
  /// Throws not_found listing adapter tensors that no find() asked for.
  void check_all_used() const;
  /// Writes the folder again with the tensors of `parameters` whose names are an adapter's ("….lora_A.weight", or one
  /// that it holds whole), as a model registers and trains them.
  void save(const std::filesystem::path& folder, std::span<const NamedTensor> parameters) const;

 private:
  Adapter(Json description, std::string_view where, std::shared_ptr<const WeightSource> source);
  LoraWeights find(const std::string& module, std::string_view down, std::string_view up) const;
  Json description_;  // adapter_config.json
  LoraConfig config_;
  std::shared_ptr<const WeightSource> source_;
  mutable std::map<std::string, bool> used_;
};

}  // namespace trustformers
