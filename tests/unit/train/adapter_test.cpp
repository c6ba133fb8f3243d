// Training the weights of an adapter alone.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "../support.h"
#include "models/auto.h"
#include "train/adam.h"

namespace trustformers {
namespace {

TEST_CASE("train: with an adapter the model's own weights are frozen") {
  const std::filesystem::path folder = std::filesystem::path(TRUSTFORMERS_TEST_DATA) / "goldens/llama.lora.causal_lm";
  LoadOptions options;
  options.task = Task::causal_lm;
  options.adapter = folder / "adapter";
  options.parameters.trainable = true;
  const std::unique_ptr<Model> model = load_model(open_checkpoint(folder), options);
  std::vector<NamedTensor> trained;
  for (const NamedTensor& p : model->named_parameters()) {
    INFO(p.name);
    const bool adapter = p.name.find(".lora_") != std::string::npos;
    CHECK(p.tensor.requires_grad() == adapter);
    if (adapter) trained.push_back(p);
  }
  REQUIRE(trained.size() == 8);

  ModelInputs in;
  in.input_ids = in.labels = Tensor::from<std::int64_t>({5, 9, 17, 33, 65}, {1, 5});
  const double before = model->forward(in).loss.item();
  AdamW optimizer(trained);
  for (int step = 0; step < 5; ++step) {
    optimizer.zero_grad();
    model->forward(in).loss.backward();
    optimizer.step(0.01);
  }
  CHECK(model->forward(in).loss.item() < before - 0.1);
}

TEST_CASE("train: a merged adapter is trained as part of the weights") {
  const std::filesystem::path folder = std::filesystem::path(TRUSTFORMERS_TEST_DATA) / "goldens/llama.lora.causal_lm";
  LoadOptions options;
  options.task = Task::causal_lm;
  options.adapter = folder / "adapter";
  options.parameters.trainable = true;
  options.parameters.merge_adapter = true;
  const std::unique_ptr<Model> model = load_model(open_checkpoint(folder), options);
  ModelInputs in;
  in.input_ids = in.labels = Tensor::from<std::int64_t>({5, 9, 17, 33, 65}, {1, 5});
  model->forward(in).loss.backward();
  for (const NamedTensor& p : model->named_parameters()) {
    INFO(p.name);
    CHECK(p.name.find(".lora_") == std::string::npos);
    CHECK(p.tensor.grad().defined());
  }
}

TEST_CASE("train: a trained adapter of an embedding is saved as the files it came from") {
  const std::filesystem::path folder = std::filesystem::path(TRUSTFORMERS_TEST_DATA) / "goldens/gpt2.lora.causal_lm";
  LoadOptions options;
  options.task = Task::causal_lm;
  options.adapter = folder / "adapter";
  options.parameters.trainable = true;
  const std::unique_ptr<Model> model = load_model(open_checkpoint(folder), options);
  std::vector<NamedTensor> trained;
  for (const NamedTensor& p : model->named_parameters())
    if (p.tensor.requires_grad()) trained.push_back(p);
  ModelInputs in;
  in.input_ids = in.labels = Tensor::from<std::int64_t>({5, 9, 17, 33, 65}, {1, 5});
  const double untrained = model->forward(in).loss.item();
  AdamW optimizer(trained);
  model->forward(in).loss.backward();
  optimizer.step(0.01);
  const double expected = model->forward(in).loss.item();
  REQUIRE(expected != doctest::Approx(untrained));

  const test::Folder saved;
  save_pretrained(*model, saved.path());
  options.adapter = saved.path();
  options.parameters.trainable = false;
  CHECK(load_model(open_checkpoint(folder), options)->forward(in).loss.item() ==
        doctest::Approx(expected).epsilon(1e-6));
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(saved.path()))
    names.push_back(file.path().filename().string());
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"adapter_config.json", "adapter_model.safetensors"});
}

TEST_CASE("train: a classifier that an adapter holds whole is trained and saved with it") {
  const std::filesystem::path folder =
      std::filesystem::path(TRUSTFORMERS_TEST_DATA) / "goldens/llama.lora_score.sequence_classification";
  const auto load = [&](const std::filesystem::path& adapter) {
    LoadOptions options;
    options.task = Task::sequence_classification;
    options.adapter = adapter;
    options.parameters.trainable = true;
    return load_model(open_checkpoint(folder), options);
  };
  const std::unique_ptr<Model> model = load(folder / "adapter");
  std::vector<NamedTensor> trained;
  for (const NamedTensor& p : model->named_parameters()) {
    INFO(p.name);
    CHECK(p.tensor.requires_grad() == (p.name == "score.weight" || p.name.find(".lora_") != std::string::npos));
    if (p.tensor.requires_grad()) trained.push_back(p);
  }
  ModelInputs in;
  in.input_ids = Tensor::from<std::int64_t>({5, 9, 17, 33, 65}, {1, 5});
  in.labels = Tensor::from<std::int64_t>({1}, {1});
  AdamW optimizer(trained);
  model->forward(in).loss.backward();
  optimizer.step(0.01);

  const test::Folder saved;
  save_pretrained(*model, saved.path());
  CHECK(load(saved.path())->forward(in).logits.to_vector<float>() == model->forward(in).logits.to_vector<float>());
  CHECK(load(folder / "adapter")->forward(in).logits.to_vector<float>() !=
        model->forward(in).logits.to_vector<float>());
}

}  // namespace
}  // namespace trustformers
