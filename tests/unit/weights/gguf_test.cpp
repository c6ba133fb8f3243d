#include "weights/gguf.h"

#include <doctest/doctest.h>

#include <chrono>

#include "files.h"

namespace trustformers {
namespace {

namespace fs = std::filesystem;
using test::as_bytes;
using test::Bytes;
using test::error_of;
using test::Folder;
using test::gguf;
using test::mentions;
using test::write_bytes;

Bytes& key(Bytes& bytes, std::string_view name, GgufType type) {
  return bytes.string(name).number(static_cast<std::uint32_t>(type));
}
Bytes& array(Bytes& bytes, GgufType type, std::uint64_t count) {
  return bytes.number(static_cast<std::uint32_t>(type)).number(count);
}

/// A tensor's description in the file's order: innermost size first.
Bytes& tensor(Bytes& bytes, std::string_view name, std::vector<std::uint64_t> sizes, std::uint32_t type,
              std::uint64_t offset) {
  bytes.string(name).number(static_cast<std::uint32_t>(sizes.size()));
  for (const std::uint64_t size : sizes) bytes.number(size);
  return bytes.number(type).number(offset);
}

Error parse_error(const Bytes& bytes) {
  return error_of([&] { parse_gguf(as_bytes(bytes.text()), "t.gguf"); });
}

TEST_CASE("weights: GGUF getters name the key and the type") {
  Bytes bytes = gguf(0, 4);
  key(bytes, "llama.block_count", GgufType::u32).number(std::uint32_t{30});
  key(bytes, "llama.rope.freq_base", GgufType::f32).number(1e4f);
  key(bytes, "general.architecture", GgufType::string).string("llama");
  key(bytes, "big", GgufType::u64).number(~std::uint64_t{0});
  const GgufHeader header = parse_gguf(as_bytes(bytes.text()), "t.gguf");
  const GgufMetadata& metadata = header.metadata;
  CHECK(metadata.get_int("llama.block_count") == 30);
  CHECK(metadata.get_int("absent", 7) == 7);
  CHECK(metadata.get_double("llama.rope.freq_base") == 1e4);
  CHECK(metadata.get_double("llama.block_count", 0) == 30);
  CHECK(metadata.get_string("general.architecture") == "llama");
  CHECK(metadata.get_string("absent", "x") == "x");
  CHECK(metadata.get_bool("absent", true));
  CHECK(metadata.at("big").as_uint() == ~std::uint64_t{0});

  const Error absent = error_of([&] { metadata.get_int("llama.embedding_length"); });
  CHECK(absent.code() == ErrorCode::not_found);
  CHECK(mentions(absent, "'llama.embedding_length'"));
  CHECK(mentions(absent, "t.gguf"));
  const Error wrong = error_of([&] { metadata.get_int("general.architecture", 1); });
  CHECK(wrong.code() == ErrorCode::parse);
  CHECK(mentions(wrong, "'general.architecture': expected an integer, got string"));
  CHECK(error_of([&] { metadata.get_int("llama.rope.freq_base"); }).code() == ErrorCode::parse);
  CHECK(error_of([&] { metadata.get_int("big"); }).code() == ErrorCode::out_of_range);
  CHECK(error_of([&] { metadata.at("llama.block_count").as_strings(); }).code() == ErrorCode::parse);
}

TEST_CASE("weights: GGUF arrays of other elements than asked for") {
  Bytes bytes = gguf(0, 2);
  array(key(bytes, "pieces", GgufType::array), GgufType::string, 2).string("a").string("");
  array(key(bytes, "heads", GgufType::array), GgufType::i32, 3)
      .number(std::int32_t{-1})
      .number(std::int32_t{2})
      .number(std::int32_t{3});
  const GgufHeader header = parse_gguf(as_bytes(bytes.text()), "t.gguf");
  CHECK(header.metadata.at("pieces").as_strings() == std::vector<std::string_view>{"a", ""});
  CHECK(header.metadata.at("heads").as_ints() == std::vector<std::int64_t>{-1, 2, 3});
  CHECK(header.metadata.at("heads").as_floats() == std::vector<float>{-1, 2, 3});
  const Error error = error_of([&] { header.metadata.at("pieces").as_ints(); });
  CHECK(error.code() == ErrorCode::parse);
  CHECK(mentions(error, "'pieces'"));
  CHECK(header.metadata.at("pieces").describe_type() == "array of 2 string");
}

TEST_CASE("weights: a large vocabulary is read in one pass") {
  constexpr std::uint64_t count = 262144;
  Bytes bytes = gguf(0, 1);
  array(key(bytes, "tokenizer.ggml.tokens", GgufType::array), GgufType::string, count);
  for (std::uint64_t i = 0; i < count; ++i) bytes.string(str("token", i));
  const auto start = std::chrono::steady_clock::now();
  const GgufHeader header = parse_gguf(as_bytes(bytes.text()), "t.gguf");
  const auto pieces = header.metadata.at("tokenizer.ggml.tokens").as_strings();
  CHECK(pieces.size() == count);
  CHECK(pieces.back() == "token262143");
  // A pass from the start for each piece would take minutes; the bound leaves room for sanitizers.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("weights: GGUF shapes are turned around, data is aligned as the file says") {
  Bytes bytes = gguf(2, 1, 2);
  key(bytes, "general.alignment", GgufType::u32).number(std::uint32_t{64});
  tensor(bytes, "a", {3, 2}, 0, 64);
  tensor(bytes, "b", {32, 1, 2}, 8, 0);
  bytes.pad(64);
  const std::size_t begin = bytes.text().size();
  for (int i = 0; i < 128; ++i) bytes.number(std::int8_t{1});
  CHECK(mentions(parse_error(bytes), "overlap"));

  const Folder folder;
  Bytes good = gguf(2, 1, 2);
  key(good, "general.alignment", GgufType::u32).number(std::uint32_t{64});
  tensor(good, "a", {3, 2}, 0, 128);
  tensor(good, "b", {32, 1, 2}, 8, 0);
  good.pad(64);
  for (int i = 0; i < 128; ++i) good.number(std::int8_t{1});
  for (int i = 0; i < 6; ++i) good.number(static_cast<float>(i));
  const auto source = open_gguf(write_bytes(folder / "t.gguf", good.text()));
  CHECK(source->find("a")->shape == Shape{2, 3});
  CHECK(source->find("a")->offset == begin + 128);
  CHECK(source->find("b")->shape == Shape{2, 1, 32});
  CHECK(source->find("b")->stored == "Q8_0");
  const Tensor a = source->load("a");
  CHECK(a.to_vector<float>() == std::vector<float>{0, 1, 2, 3, 4, 5});
  CHECK(a.raw() == source->raw(*source->find("a")).data());
  CHECK(source->load("b").dtype() == DType::q8_0);
}

TEST_CASE("weights: broken GGUF files are refused with the reason") {
  const auto with_tensor = [](std::vector<std::uint64_t> sizes, std::uint32_t type, std::uint64_t offset) {
    Bytes bytes = gguf(1, 0);
    tensor(bytes, "t", std::move(sizes), type, offset).pad(32);
    for (int i = 0; i < 64; ++i) bytes.number(1.0f);
    return bytes;
  };
  const auto with_value = [](GgufType type, auto value) {
    Bytes bytes = gguf(0, 1);
    key(bytes, "general.alignment", type).number(value);
    return bytes;
  };
  CHECK(parse_error(with_tensor({64}, 0, 0)).code() == ErrorCode::internal);  // nothing wrong with it
  struct Row {
    Bytes bytes;
    ErrorCode code;
    const char* reason;
  };
  Bytes twice = gguf(0, 2);
  for (int i = 0; i < 2; ++i) key(twice, "k", GgufType::u8).number(std::uint8_t{1});
  Bytes nested = gguf(0, 1);
  key(nested, "k", GgufType::array);
  for (int i = 0; i < 20; ++i) array(nested, GgufType::array, 1);
  Bytes lying = gguf(0, 1);
  array(key(lying, "k", GgufType::array), GgufType::f64, std::uint64_t{1} << 61);
  Bytes unknown = gguf(0, 1);
  unknown.string("k").number(std::uint32_t{13}).number(std::uint64_t{0});
  Bytes big_endian;
  big_endian.raw("GGUF").raw(std::string_view("\0\0\0\3", 4)).number(std::uint64_t{0}).number(std::uint64_t{0});
  Bytes magic;
  magic.raw("GGML").number(std::uint32_t{3}).number(std::uint64_t{0}).number(std::uint64_t{0});
  const Row rows[] = {
      {magic, ErrorCode::parse, "not a GGUF file"},
      {big_endian, ErrorCode::unsupported, "big-endian"},
      {gguf(0, 0, 1), ErrorCode::unsupported, "version 2 or 3, got 1"},
      {gguf(0, 0, 4), ErrorCode::unsupported, "version 2 or 3, got 4"},
      {gguf(std::uint64_t{1} << 60, 0), ErrorCode::parse, "tensor count"},
      {gguf(0, ~std::uint64_t{0}), ErrorCode::parse, "metadata count"},
      {twice, ErrorCode::parse, "'k' occurs twice"},
      {nested, ErrorCode::parse, "'k' nests"},
      {lying, ErrorCode::parse, "k claims"},
      {unknown, ErrorCode::parse, "'k' has the unknown type 13"},
      {with_value(GgufType::u32, std::uint32_t{0}), ErrorCode::parse, "power of two"},
      {with_value(GgufType::u32, std::uint32_t{24}), ErrorCode::parse, "power of two"},
      {with_value(GgufType::f32, 32.0f), ErrorCode::parse, "'general.alignment': expected an integer"},
      {with_tensor({65}, 0, 0), ErrorCode::parse, "'t' (260 bytes at offset 0) lies beyond"},
      {with_tensor({32}, 0, 160), ErrorCode::parse, "'t' (128 bytes at offset 160) lies beyond"},
      {with_tensor({1}, 0, ~std::uint64_t{31}), ErrorCode::parse, "lies beyond"},
      {with_tensor({1}, 0, 8), ErrorCode::parse, "no multiple of 32"},
      {with_tensor({16, 2}, 8, 0), ErrorCode::parse, "blocks of 32"},
      {with_tensor({32}, 4, 0), ErrorCode::unsupported, "tensors of type number 4"},
      {with_tensor({std::uint64_t{1} << 63}, 0, 0), ErrorCode::parse, "sizes below 2^63"},
      {with_tensor({std::uint64_t{1} << 40, std::uint64_t{1} << 40}, 0, 0), ErrorCode::out_of_range, "'t'"},
      {with_tensor({1, 1, 1, 1, 1, 1, 1, 1, 1}, 0, 0), ErrorCode::parse, "at most 8 dimensions, got 9"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.reason);
    const Error error = parse_error(row.bytes);
    CAPTURE(error.what());
    CHECK(error.code() == row.code);
    CHECK(mentions(error, row.reason));
    if (row.bytes.text().find("general.alignment") == std::string::npos) CHECK(mentions(error, "t.gguf"));
  }
}

TEST_CASE("weights: GGUF shards must all be there and fit together") {
  const Folder folder;
  const auto name = [](int i) { return str("tiny-0000", i, "-of-00003.gguf"); };
  for (int i = 1; i <= 3; ++i) fs::copy_file(test::data("goldens/gguf/sharded") / name(i), folder / name(i));
  const auto source = open_gguf(folder / name(2));
  CHECK(source->entries().size() == 10);
  CHECK(source->files().size() == 3);
  CHECK(source->metadata().contains("general.architecture"));
  CHECK(source->location(source->entries().back().name) == (folder / name(3)).string());

  fs::copy_file(folder / name(1), folder / "renamed.gguf");
  CHECK(mentions(error_of([&] { open_gguf(folder / "renamed.gguf"); }), "-00001-of-00003.gguf"));
  fs::remove(folder / name(3));
  const Error absent = error_of([&] { open_gguf(folder / name(1)); });
  CHECK(absent.code() == ErrorCode::not_found);
  CHECK(mentions(absent, name(3)));
  fs::copy_file(folder / name(2), folder / name(3));
  CHECK(mentions(error_of([&] { open_gguf(folder / name(1)); }), "shard 3 of 3"));
}

}  // namespace
}  // namespace trustformers
