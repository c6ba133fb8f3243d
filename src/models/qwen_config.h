// What the configs of the Qwen families share.
#pragma once

#include "decoder.h"

namespace trustformers {

/// Windows are on layers from `max_window_layers` on, and only when switched on.
struct QwenConfig : DecoderConfig {
  bool use_sliding_window = false;
  std::int64_t max_window_layers = 28;

  QwenConfig() {
    num_key_value_heads = 32;
    max_position_embeddings = 32768;
    sliding_window = 4096;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    window_fields(v);
    v("use_sliding_window", use_sliding_window);
    v("max_window_layers", max_window_layers);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    if (!use_sliding_window) sliding_window = 0;
    for (std::int64_t i = std::ssize(layer_types); i < num_hidden_layers; ++i)
      layer_types.emplace_back(sliding_window > 0 && i >= max_window_layers ? "sliding_attention" : "full_attention");
    mlp_bias = false;  // whatever the file says
  }
};

}  // namespace trustformers
