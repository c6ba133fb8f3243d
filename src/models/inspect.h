// What a checkpoint holds and what its model would need, from headers alone.
#pragma once

#include <map>
#include <string>

#include "auto.h"

namespace trustformers {

struct Inspection {
  std::string model_type, class_name;
  std::int64_t parameters = 0;                 // that the model asks for, shared ones counted once
  std::map<std::string, std::int64_t> dtypes;  // bytes by the file's type names, of what the model uses
  std::int64_t weight_bytes = 0;               // of what the model uses, as stored
  std::int64_t cache_bytes_per_token = 0;      // keys and values of one position, 0 for encoders
  LoadReport report;                           // missing, misshapen and unused tensors
};

/// `class_name` empty: the first of config.json's "architectures" that is known, else the base model.
Inspection inspect(const Checkpoint& checkpoint, std::string class_name = "");

}  // namespace trustformers
