// Weights in memory: what was packed in their place is unpacked for whoever looks.
#include "weights/stream.h"

#include <doctest/doctest.h>

#include "ops/index/index.h"
#include "ops/matmul/matmul.h"
#include "tensor/device.h"

using namespace trustformers;

namespace {

/// One f32 matrix [16, 8] of ascending numbers, as a file that was streamed.
MemorySource source_of_one() {
  auto data = std::make_shared<std::vector<float>>();
  for (int i = 0; i < 128; ++i) data->push_back(static_cast<float>(i));
  StreamedFile file;
  file.name = "model.safetensors";
  file.entries.push_back({.name = "w", .dtype = DType::f32, .shape = {16, 8}, .stored = "F32", .bytes = 512});
  file.data.emplace_back(data, reinterpret_cast<const std::byte*>(data->data()));
  std::vector<StreamedFile> files;
  files.push_back(std::move(file));
  return MemorySource(std::move(files));
}

}  // namespace

TEST_CASE("weights: a streamed matrix is packed in its place and still gives its elements") {
  const MemorySource source = source_of_one();
  const Tensor w = source.load("w");
  const std::vector<float> before = w.to_vector<float>();
  const Tensor x = Tensor::rand({2, 8}, 1);
  const std::vector<float> product = linear(x, w).to_vector<float>();
  w.device().prepack(w);
  CHECK(w.impl().storage->data == nullptr);
  CHECK(linear(x, w).to_vector<float>() == product);
  const Tensor ids = Tensor::from<std::int64_t>({15, 0}, {2});
  const std::vector<float> rows = embedding(w, ids).to_vector<float>();
  CHECK(std::vector<float>(rows.begin(), rows.begin() + 8) == std::vector<float>(before.end() - 8, before.end()));
  CHECK(w.to_vector<float>() == before);
  CHECK(source.load("w").to_vector<float>() == before);
  CHECK_THROWS_AS(w.mutable_data<float>(), Error);
}

TEST_CASE("weights: a streamed matrix that was asked for twice stays as it is") {
  const MemorySource source = source_of_one();
  const Tensor first = source.load("w"), second = source.load("w");
  first.device().prepack(first);
  CHECK(first.impl().storage->data != nullptr);
  CHECK(first.impl().storage->packed != nullptr);
  CHECK(second.impl().storage->packed == nullptr);
  CHECK(first.raw() == second.raw());
  CHECK(second.to_vector<float>()[127] == 127.0f);
}
