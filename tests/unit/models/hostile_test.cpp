// Models from damaged and mismatched files: typed errors that say what is wrong.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "models/auto.h"
#include "models/inspect.h"

using namespace trustformers;
namespace fs = std::filesystem;

namespace {

const fs::path golden_cases = TRUSTFORMERS_TEST_DATA "/goldens";

/// A copy of a golden model in a folder of its own, to be damaged.
class ModelCopy {
 public:
  explicit ModelCopy(const std::string& name) : folder_(fs::temp_directory_path() / ("trustformers-model-" + name)) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    for (const char* file : {"config.json", "model.safetensors"})
      fs::copy_file(golden_cases / name / file, folder_ / file);
    fs::permissions(folder_ / "config.json", fs::perms::owner_all);
    fs::permissions(folder_ / "model.safetensors", fs::perms::owner_all);
  }
  ~ModelCopy() { fs::remove_all(folder_); }
  const fs::path& folder() const { return folder_; }
  Json config() const { return Json::parse(read_text_file(folder_ / "config.json")); }
  void set_config(const Json& config) const { std::ofstream(folder_ / "config.json") << config.dump(); }
  void set(std::string_view key, Json value) const {
    Json changed = config();
    changed.set(key, std::move(value));
    set_config(changed);
  }

 private:
  fs::path folder_;
};

struct Failure {
  ErrorCode code;
  std::string text;
  bool names(std::string_view part) const { return text.find(part) != std::string::npos; }
};

Failure failure_of(const fs::path& folder) {
  try {
    LoadOptions options;
    options.task = Task::causal_lm;
    load_model(open_checkpoint(folder), options);
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  FAIL("nothing was thrown");
  return {ErrorCode::internal, ""};
}

}  // namespace

TEST_CASE("models: all missing tensors and all wrong shapes are told at once") {
  const ModelCopy copy("llama.causal_lm");
  copy.set("num_hidden_layers", 3);
  const Failure missing = failure_of(copy.folder());
  CHECK(missing.code == ErrorCode::not_found);
  CHECK(missing.names("model.layers.2.self_attn.q_proj.weight"));
  CHECK(missing.names("model.layers.2.mlp.down_proj.weight"));
  copy.set("num_hidden_layers", 2);
  copy.set("intermediate_size", 45);
  const Failure wrong = failure_of(copy.folder());
  CHECK(wrong.code == ErrorCode::shape_mismatch);
  CHECK(wrong.names("model.layers.0.mlp.gate_proj.weight"));
  CHECK(wrong.names("model.layers.1.mlp.down_proj.weight"));
  CHECK(wrong.names("[45, 32]"));
  CHECK(wrong.names("model.safetensors"));
}

TEST_CASE("models: configs of other models and impossible values are refused by key") {
  const ModelCopy copy("llama.causal_lm");
  const Json good = copy.config();
  copy.set("model_type", "gpt2");
  CHECK(failure_of(copy.folder()).code != ErrorCode::internal);
  copy.set("model_type", "no_such_model");
  CHECK(failure_of(copy.folder()).code == ErrorCode::unsupported);
  CHECK(failure_of(copy.folder()).names("no_such_model"));
  for (const auto& [key, value] : std::vector<std::pair<std::string, Json>>{{"hidden_size", 0},
                                                                            {"hidden_size", "many"},
                                                                            {"num_attention_heads", -4},
                                                                            {"num_hidden_layers", 1e30},
                                                                            {"num_key_value_heads", 3},
                                                                            {"vocab_size", std::int64_t{1} << 40},
                                                                            {"hidden_act", "softsign"},
                                                                            {"rms_norm_eps", Json::array()}}) {
    copy.set_config(good);
    copy.set(key, value);
    const Failure failure = failure_of(copy.folder());
    CHECK_MESSAGE(failure.names(key), failure.text);
  }
  // Far more layers than the file holds: an error, not a list without end.
  copy.set_config(good);
  copy.set("num_hidden_layers", 2000000000);
  CHECK(failure_of(copy.folder()).code == ErrorCode::not_found);
}

TEST_CASE("models: absent and truncated files") {
  const ModelCopy copy("llama.causal_lm");
  const auto size = fs::file_size(copy.folder() / "model.safetensors");
  for (const std::uintmax_t keep : {size - 1, size / 2, std::uintmax_t{100}, std::uintmax_t{7}, std::uintmax_t{0}}) {
    fs::resize_file(copy.folder() / "model.safetensors", keep);
    const Failure failure = failure_of(copy.folder());
    CHECK(failure.code == ErrorCode::parse);
    CHECK(failure.names("model.safetensors"));
  }
  fs::remove(copy.folder() / "model.safetensors");
  CHECK(failure_of(copy.folder()).code == ErrorCode::not_found);
  std::ofstream(copy.folder() / "config.json") << "{\"model_type\": ";
  fs::copy_file(golden_cases / "llama.causal_lm" / "model.safetensors", copy.folder() / "model.safetensors");
  CHECK(failure_of(copy.folder()).code == ErrorCode::parse);
  fs::remove(copy.folder() / "config.json");
  CHECK(failure_of(copy.folder()).code == ErrorCode::not_found);
  CHECK(failure_of(copy.folder() / "absent").code == ErrorCode::not_found);
}

TEST_CASE("models: inspect tells from headers what loading would") {
  const ModelCopy copy("llama.causal_lm");
  const Inspection whole = inspect(open_checkpoint(copy.folder()));
  CHECK(whole.class_name == "LlamaForCausalLM");
  CHECK(whole.report.empty());
  LoadOptions options;
  options.task = Task::causal_lm;
  CHECK(whole.parameters == load_model(open_checkpoint(copy.folder()), options)->parameter_count());
  CHECK(whole.weight_bytes == 4 * whole.parameters);
  copy.set("num_hidden_layers", 3);
  const Inspection lacking = inspect(open_checkpoint(copy.folder()));
  CHECK(lacking.report.missing().size() == 9);
}

TEST_CASE("models: saved weights load again and are the same") {
  const ModelCopy copy("llama.causal_lm");
  LoadOptions options;
  options.task = Task::causal_lm;
  const auto model = load_model(open_checkpoint(copy.folder()), options);
  const fs::path saved = copy.folder() / "saved";
  save_pretrained(*model, saved);
  const auto again = load_model(open_checkpoint(saved), options);
  ModelInputs inputs;
  inputs.input_ids = Tensor::from({std::int64_t{8}, std::int64_t{52}, std::int64_t{79}}, {1, 3});
  CHECK(again->forward(inputs).logits.to_vector<float>() == model->forward(inputs).logits.to_vector<float>());
}
