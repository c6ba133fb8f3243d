#include "weights/safetensors.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "files.h"
#include "weights/open.h"

namespace trustformers {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::Folder;
using test::mentions;
using test::safetensors;
using test::write_bytes;

std::vector<NamedTensor> all_tensors(const WeightSource& source) {
  std::vector<NamedTensor> tensors;
  for (const TensorEntry& entry : source.entries()) tensors.push_back({entry.name, source.load(entry.name)});
  return tensors;
}

TEST_CASE("weights: safetensors written here have the bytes of the reference library") {
  const Folder folder;
  const fs::path golden = test::data("goldens/weights/safetensors-llama-f32/model.safetensors");
  auto tensors = all_tensors(*open_safetensors(golden));
  std::reverse(tensors.begin(), tensors.end());  // the order of the caller has no say
  save_safetensors(folder / "copy.safetensors", tensors);
  CHECK(read_text_file(folder / "copy.safetensors") == read_text_file(golden));
}

TEST_CASE("weights: safetensors keep every plain dtype, shape and name") {
  const Folder folder;
  const fs::path file = folder / "all.safetensors";
  std::vector<NamedTensor> tensors;
  for (const DType dtype :
       {DType::boolean, DType::u8, DType::i8, DType::f16, DType::bf16, DType::i32, DType::f32, DType::i64, DType::f64})
    tensors.push_back({str("t.", to_string(dtype)), Tensor::arange(0, dtype == DType::boolean ? 2 : 7, 1, dtype)});
  tensors.push_back({"scalar", Tensor::scalar(2.5)});
  tensors.push_back({"empty", Tensor::zeros({0, 3})});
  tensors.push_back({"n\xc3\xa4me \"quoted\" \\", Tensor::ones({2, 1})});
  save_safetensors(file, tensors, {{"format", "pt"}, {"note", "\xe2\x9c\x93"}});

  const auto source = open_safetensors(file);
  CHECK(source->metadata() == SafetensorsMetadata{{"format", "pt"}, {"note", "\xe2\x9c\x93"}});
  CHECK(source->entries().size() == tensors.size());
  for (const auto& [name, tensor] : tensors) {
    CAPTURE(name);
    const Tensor got = source->load(name);
    CHECK(got.dtype() == tensor.dtype());
    CHECK(got.shape() == tensor.shape());
    CHECK(got.to_vector<double>() == tensor.to_vector<double>());
  }
}

TEST_CASE("weights: a strided tensor is written in row-major order") {
  const Folder folder;
  const Tensor base = Tensor::arange(0, 6, 1, DType::f32);
  save_safetensors(folder / "t.safetensors", std::vector<NamedTensor>{{"t", make_view(base, {3, 2}, {1, 3}, 0)}});
  CHECK(open_safetensors(folder / "t.safetensors")->load("t").to_vector<float>() ==
        std::vector<float>{0, 3, 1, 4, 2, 5});
}

TEST_CASE("weights: aligned data is used where it lies, other data is copied") {
  const Folder folder;
  // The header has 61 bytes: the f32 of b lies at an odd offset.
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"F32","shape":[1],"data_offsets":[3,7]}})";
  test::Bytes body;
  body.number<std::uint8_t>(1).number<std::uint8_t>(2).number<std::uint8_t>(3).number(1.5f);
  const auto source = open_safetensors(write_bytes(folder / "t.safetensors", safetensors(header, body.text())));
  const auto raw = [&](const char* name) { return source->raw(*source->find(name)).data(); };
  const Tensor a = source->load("a"), b = source->load("b");
  CHECK(a.raw() == raw("a"));
  CHECK(b.raw() != raw("b"));
  CHECK(b.to_vector<float>() == std::vector<float>{1.5f});
  source->release("a");
  CHECK(a.to_vector<int>() == std::vector<int>{1, 2, 3});
}

TEST_CASE("weights: a tensor outlives its source") {
  Tensor tensor;
  {
    tensor = open_safetensors(test::data("goldens/weights/safetensors-llama-f32/model.safetensors"))
                 ->load("model.norm.weight");
  }
  CHECK(tensor.to_vector<float>().size() == 24);
}

TEST_CASE("weights: bytes that are no bool become one") {
  const Folder folder;
  const std::string header = R"({"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}})";
  const auto file = write_bytes(folder / "t.safetensors", safetensors(header, std::string_view("\x00\x01\x02", 3)));
  CHECK(open_safetensors(file)->load("a").to_vector<int>() == std::vector<int>{0, 1, 1});
}

TEST_CASE("weights: what cannot be loaded is listed, and refused by name") {
  const Folder folder;
  const std::string header =
      R"({"big":{"dtype":"U64","shape":[1],"data_offsets":[0,8]},"four":{"dtype":"F4","shape":[2],"data_offsets":[8,9]}})";
  const auto source = open_safetensors(
      write_bytes(folder / "t.safetensors", safetensors(header, "\xff\xff\xff\xff\xff\xff\xff\xff\x12")));
  CHECK(source->find("four")->stored == "F4");
  const Error four = error_of([&] { source->load("four"); }), big = error_of([&] { source->load("big"); });
  CHECK(four.code() == ErrorCode::unsupported);
  CHECK(mentions(four, "'four'"));
  CHECK(mentions(four, "t.safetensors"));
  CHECK(big.code() == ErrorCode::out_of_range);
  const Error absent = error_of([&] { source->load("five"); });
  CHECK(absent.code() == ErrorCode::not_found);
  CHECK(mentions(absent, "'five'"));
}

TEST_CASE("weights: headers are read as strictly as the reference library reads them") {
  const auto code = [](std::string_view header, std::size_t bytes) {
    return error_of([&] { parse_safetensors(test::as_bytes(safetensors(header, std::string(bytes, '\0'))), "t"); })
        .code();
  };
  const ErrorCode none = ErrorCode::internal, refused = ErrorCode::parse;
  const auto entry = [](std::string_view text) { return str(R"({"a":{)", text, "}}"); };
  CHECK(code(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), 8) == none);
  CHECK(code(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,8],"more":[{}])"), 8) == none);
  CHECK(code(R"({"__metadata__":null})", 0) == none);
  CHECK(code(R"({"__metadata__":[]})", 0) == refused);
  CHECK(code(std::string_view("{}\0\0\0\0\0\0", 8), 0) == refused);
  CHECK(code("{} {}", 0) == refused);
  CHECK(code("\xef\xbb\xbf{}", 0) == refused);
  CHECK(code(R"({"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8) == refused);
  CHECK(code(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,8])"), 8) == refused);
  CHECK(code(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0])"), 8) == refused);
  CHECK(code(entry(R"("dtype":"F32","shape":[2e0],"data_offsets":[0,8])"), 8) == refused);
  CHECK(code(entry(R"("dtype":"F32","shape":2,"data_offsets":[0,8])"), 8) == refused);
  CHECK(code(entry(R"("dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8])"), 8) == refused);
  CHECK(code(entry(R"("dtype":"F4","shape":[3],"data_offsets":[0,1])"), 1) == refused);  // a byte and a half
  CHECK(code(entry(R"("dtype":"F4","shape":[2],"data_offsets":[0,1])"), 1) == none);
  CHECK(code(entry(R"("dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8])"), 8) == refused);
}

TEST_CASE("weights: an index must keep its promises") {
  const Folder folder;
  const auto copy = [&](const char* name) {
    fs::copy_file(test::data("goldens/weights/safetensors-llama-sharded") / name, folder / name);
  };
  for (const char* name :
       {"model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors"})
    copy(name);
  const fs::path index = folder / "model.safetensors.index.json";
  const auto open_index = [&](std::string_view text) {
    return error_of([&] { open_safetensors(write_bytes(index, text)); });
  };

  const Error wrong = open_index(
      R"({"weight_map":{"model.norm.weight":"model-00001-of-00003.safetensors","x":"model-00002-of-00003.safetensors"}})");
  CHECK(wrong.code() == ErrorCode::parse);
  CHECK(mentions(wrong, "'model.norm.weight'"));
  CHECK(mentions(wrong, "'x' in model-00002-of-00003.safetensors"));
  CHECK(open_index(R"({"weight_map":{"x":"model-00004-of-00004.safetensors"}})").code() == ErrorCode::not_found);
  for (const char* outside : {"../model.safetensors", "/etc/passwd", "a/../../b", "", "..\\\\b"})
    CHECK(mentions(open_index(str(R"({"weight_map":{"x":")", outside, R"("}})")), "beside the index"));
  CHECK(open_index(R"({"weight_map":{}})").code() == ErrorCode::parse);
  CHECK(open_index(R"({"weight_map":{"x":3}})").code() == ErrorCode::parse);
  CHECK(open_index("[]").code() == ErrorCode::parse);
  CHECK(open_index("{").code() == ErrorCode::parse);

  // Tensors that the index does not name are there all the same.
  write_bytes(index, R"({"weight_map":{"model.norm.weight":"model-00003-of-00003.safetensors"}})");
  const auto source = open_safetensors(index);
  CHECK(source->location("model.norm.weight") == (folder / "model-00003-of-00003.safetensors").string());
  fs::remove(folder / "model-00001-of-00003.safetensors");
  CHECK(open_index(R"({"weight_map":{"x":"model-00001-of-00003.safetensors"}})").code() == ErrorCode::not_found);
}

TEST_CASE("weights: a tensor in two shards is an error") {
  const Folder folder;
  for (const char* name : {"a.safetensors", "b.safetensors"})
    save_safetensors(folder / name, std::vector<NamedTensor>{{"t", Tensor::ones({2})}});
  write_bytes(folder / "i.json", R"({"weight_map":{"t":"a.safetensors","u":"b.safetensors"}})");
  const Error error = error_of([&] { open_safetensors(folder / "i.json"); });
  CHECK(error.code() == ErrorCode::parse);
  CHECK(mentions(error, "'t' occurs twice"));
}

TEST_CASE("weights: what safetensors cannot hold is refused before a file is made") {
  const Folder folder;
  const fs::path file = folder / "t.safetensors";
  const auto code = [&](std::vector<NamedTensor> tensors) {
    return error_of([&] { save_safetensors(file, tensors); }).code();
  };
  const std::vector<std::byte> block(18);
  CHECK(code({{"q", Tensor::from_bytes(block, {32}, DType::q4_0)}}) == ErrorCode::unsupported);
  CHECK(code({{"t", Tensor::ones({1})}, {"t", Tensor::ones({2}, DType::i64)}}) == ErrorCode::invalid_argument);
  CHECK(code({{"__metadata__", Tensor::ones({1})}}) == ErrorCode::invalid_argument);
  CHECK(fs::is_empty(folder.path()));
  CHECK(error_of([&] {
          save_safetensors(folder / "no" / "t", std::vector<NamedTensor>{{"t", Tensor::ones({1})}});
        }).code() == ErrorCode::not_found);
}

TEST_CASE("weights: a folder's weights are found") {
  const Folder folder;
  const auto found = [&] { return find_weights(folder.path()).filename().string(); };
  const Error none = error_of([&] { found(); });
  CHECK(none.code() == ErrorCode::not_found);
  CHECK(mentions(none, "model.safetensors"));
  write_bytes(folder / "m-00001-of-00002.gguf", "");
  write_bytes(folder / "m-00002-of-00002.gguf", "");
  CHECK(found() == "m-00001-of-00002.gguf");
  write_bytes(folder / "other.gguf", "");
  const Error many = error_of([&] { found(); });
  CHECK(many.code() == ErrorCode::invalid_argument);
  CHECK(mentions(many, "other.gguf"));
  write_bytes(folder / "model.safetensors.index.json", "");
  CHECK(found() == "model.safetensors.index.json");
  write_bytes(folder / "model.safetensors", "");
  CHECK(found() == "model.safetensors");
  CHECK(error_of([&] { open_weights(folder / "absent"); }).code() == ErrorCode::not_found);
  CHECK(error_of([&] { open_weights(write_bytes(folder / "pytorch_model.bin", "")); }).code() ==
        ErrorCode::unsupported);
  CHECK(open_weights(test::data("goldens/weights/safetensors-llama-f32"))->entries().size() == 21);
  CHECK(open_weights(test::data("goldens/gguf/sharded"))->entries().size() == 10);
}

}  // namespace
}  // namespace trustformers
