// The modules of sentence-transformers against their formulas.
#include "pipelines/sentence_modules.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "weights/safetensors.h"

namespace trustformers {
namespace {

// Two texts of four positions with two features; the second has two positions of padding with large values.
const std::vector<float> token_states = {1, -2, 3, 4, -5, 6, 7, 8, 2, 1, 4, -3, 99, 99, -99, 99};
const std::vector<std::int64_t> visible = {1, 1, 1, 1, 1, 1, 0, 0};

std::vector<float> pooled(const char* config) {
  const SentencePooling pooling = SentencePooling::parse(Json::parse(config), "test");
  return pooling(Tensor::from(token_states, {2, 4, 2}), Tensor::from(visible, {2, 4})).to_vector<float>();
}

TEST_CASE("pipelines: each pooling mode has its formula and leaves padding out") {
  const float root4 = 2, root2 = std::sqrt(2.0f);
  const std::pair<const char*, std::vector<float>> rows[] = {
      {R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false})", {1, -2, 2, 1}},
      {R"({"pooling_mode_max_tokens": true, "pooling_mode_mean_tokens": false})", {7, 8, 4, 1}},
      {R"({"pooling_mode_mean_tokens": true})", {1.5f, 4, 3, -1}},
      {R"({})", {1.5f, 4, 3, -1}},
      {R"({"pooling_mode_mean_sqrt_len_tokens": true, "pooling_mode_mean_tokens": false})",
       {6 / root4, 16 / root4, 6 / root2, -2 / root2}},
      {R"({"pooling_mode_weightedmean_tokens": true, "pooling_mode_mean_tokens": false})",
       {2, 5.6f, 10.0f / 3, -5.0f / 3}},
      {R"({"pooling_mode_lasttoken": true, "pooling_mode_mean_tokens": false})", {7, 8, 4, -3}},
      {R"({"pooling_mode": "lasttoken"})", {7, 8, 4, -3}}};
  for (const auto& [config, expected] : rows) {
    INFO(config);
    const std::vector<float> got = pooled(config);
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(expected[i]));
  }
  // Several modes stand side by side, in a fixed order.
  CHECK(pooled(R"({"pooling_mode_max_tokens": true, "pooling_mode_cls_token": true,
                   "pooling_mode_mean_tokens": false})") == std::vector<float>{1, -2, 7, 8, 2, 1, 4, 1});
  CHECK_THROWS_WITH_AS(pooled(R"({"pooling_mode": "median"})"), doctest::Contains("median"), Error);
  CHECK_THROWS_AS(pooled(R"({"pooling_mode_mean_tokens": false})"), Error);
}

TEST_CASE("pipelines: a dense module reads its folder") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / "trustformers-sentence-dense";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const NamedTensor weights[] = {{"linear.weight", Tensor::from({1.0f, 2.0f, 0.0f, -1.0f, 0.5f, 0.5f}, {3, 2})},
                                 {"linear.bias", Tensor::from({0.0f, 1.0f, -1.0f}, {3})}};
  save_safetensors(folder / "model.safetensors", weights);
  const auto write = [&](const char* text) { std::ofstream(folder / "config.json") << text; };
  const Tensor x = Tensor::from({1.0f, -1.0f}, {1, 2});

  write(
      R"({"in_features": 2, "out_features": 3, "bias": true, "activation_function": "torch.nn.modules.linear.Identity"})");
  CHECK(SentenceDense::open(folder)(x).to_vector<float>() == std::vector<float>{-1, 2, -1});
  write(R"({"in_features": 2, "out_features": 3})");
  const SentenceDense dense = SentenceDense::open(folder);
  CHECK(dense.inputs() == 2);
  CHECK(dense.outputs() == 3);
  CHECK(dense(x).to_vector<float>()[1] == doctest::Approx(std::tanh(2.0f)));
  write(R"({"in_features": 2, "out_features": 4})");
  CHECK_THROWS_WITH_AS(SentenceDense::open(folder), doctest::Contains("linear.weight"), Error);
  write(R"({"in_features": 2, "out_features": 3, "activation_function": "torch.nn.Softsign"})");
  CHECK_THROWS_WITH_AS(SentenceDense::open(folder), doctest::Contains("activation_function"), Error);
  fs::remove_all(folder);

  const std::vector<float> unit = l2_normalized(Tensor::from({3.0f, -4.0f, 0.0f, 0.0f}, {2, 2})).to_vector<float>();
  CHECK(unit == std::vector<float>{0.6f, -0.8f, 0, 0});
}

}  // namespace
}  // namespace trustformers
