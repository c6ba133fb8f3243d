// Models by the names people know: built from their configs without memory, each has the published number of
// parameters.
#include <doctest/doctest.h>

#include <filesystem>

#include "base/file.h"
#include "models/auto.h"

namespace trustformers {
namespace {

/// What PyTorch keeps as a buffer is no parameter there.
bool is_buffer(const std::string& name) {
  return name.ends_with("e_score_correction_bias") || name.ends_with("final_logits_bias");
}

TEST_CASE("models: published sizes have the published number of parameters") {
  const std::filesystem::path path =
      std::filesystem::path(TRUSTFORMERS_TEST_DATA) / "unit" / "models" / "named_configs.json";
  const Json all = Json::parse(read_text_file(path), path.string());
  CHECK(all.size() >= 70);
  for (const Json& named : all.as_array()) {
    INFO(named.at("name").as_string());
    const auto model = meta_model(named.at("config"), {.class_name = named.at("class").as_string()});
    std::int64_t count = 0;
    for (const ParameterShape& p : model->parameters().shapes())
      if (!is_buffer(p.name)) count += element_count(p.shape);
    CHECK(count == named.at("parameters").as_int());
  }
}

}  // namespace
}  // namespace trustformers
