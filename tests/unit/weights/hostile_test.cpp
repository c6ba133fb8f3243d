// Damaged files: every cut, every byte of a header changed, and random flips give a typed Error or a tensor, never a
// crash, and never much memory.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/memory.h"
#include "base/rng.h"
#include "files.h"
#include "weights/gguf.h"
#include "weights/safetensors.h"

namespace trustformers {
namespace {

using test::as_bytes;

// AddressSanitizer keeps freed memory for a while, so that what a process holds says little.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool memory_is_telling = false;
#elif defined(__has_feature)
constexpr bool memory_is_telling = !__has_feature(address_sanitizer);
#else
constexpr bool memory_is_telling = true;
#endif

/// Reads all that a file offers; returns whether it was accepted. Errors of other types leave and fail the test.
template <class Read>
bool accepts(Read read) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    CHECK(error.code() != ErrorCode::internal);
    CHECK(error.code() != ErrorCode::out_of_memory);
    return false;
  }
}

bool read_safetensors(const std::string& file) {
  return accepts([&] { parse_safetensors(as_bytes(file), "hostile"); });
}

bool read_gguf(const std::string& file) {
  return accepts([&] {
    const GgufHeader header = parse_gguf(as_bytes(file), "hostile");
    for (const GgufValue& value : header.metadata.values())
      if (value.is_array()) value.as_values();
  });
}

/// Damages `file` in all the ways above; `header` is how many bytes are no tensor data.
template <class Read>
void damage(const std::string& file, std::size_t header, Read read) {
  REQUIRE(read(file));
  const std::uint64_t before = peak_resident_bytes();
  for (std::size_t length = 0; length < file.size(); ++length) CHECK_FALSE(read(file.substr(0, length)));
  std::string copy = file;
  for (std::size_t at = 0; at < header; ++at) {
    for (const int change : {1, 0x80, 0xff}) {
      copy[at] = static_cast<char>(file[at] ^ change);
      read(copy);
    }
    copy[at] = file[at];
  }
  const Philox random(1);
  for (std::uint64_t i = 0; i < 10000; ++i) {
    // Up to four flips at a time, most of them in the header.
    std::vector<std::size_t> places;
    for (std::uint64_t k = 0; k <= random.bits(8 * i) % 4; ++k) {
      const std::size_t range = random.bits(8 * i + 1) % 8 == 0 ? file.size() : header;
      places.push_back(random.bits(8 * i + 2 + k) % range);
      copy[places.back()] = static_cast<char>(copy[places.back()] ^ (1 << (random.bits(8 * i + 7) >> (3 * k)) % 8));
    }
    read(copy);
    for (const std::size_t place : places) copy[place] = file[place];
  }
  if (memory_is_telling) CHECK(peak_resident_bytes() - before < (std::uint64_t{64} << 20));
}

TEST_CASE("weights: damaged safetensors give errors") {
  const std::string file = read_text_file(test::data("goldens/weights/safetensors-dtypes/tensors.safetensors"));
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof(header));
  damage(file, 8 + static_cast<std::size_t>(header), read_safetensors);
}

TEST_CASE("weights: damaged GGUF files give errors") {
  const std::string file = read_text_file(test::data("goldens/gguf/container/v3.gguf"));
  const GgufHeader header = parse_gguf(as_bytes(file), "container");
  std::uint64_t begin = file.size(), end = 0;
  for (const TensorEntry& entry : header.entries) {
    begin = std::min(begin, entry.offset);
    end = std::max(end, entry.offset + entry.bytes);
  }
  // Bytes after the last tensor are padding, which a cut may lose.
  damage(file.substr(0, static_cast<std::size_t>(end)), static_cast<std::size_t>(begin), read_gguf);
}

TEST_CASE("weights: damaged files on disk give errors or tensors") {
  const test::Folder folder;
  const std::string gguf = read_text_file(test::data("goldens/gguf/container/v2.gguf"));
  const std::string safetensors = read_text_file(test::data("goldens/weights/safetensors-dtypes/tensors.safetensors"));
  const Philox random(2);
  for (std::uint64_t i = 0; i < 300; ++i) {
    for (const std::string* file : {&gguf, &safetensors}) {
      std::string copy = *file;
      for (int k = 0; k < 2; ++k) {
        char& byte = copy[random.bits(4 * i + static_cast<std::uint64_t>(k)) % copy.size()];
        byte = static_cast<char>(byte ^ (1 << random.bits(4 * i + 2) % 8));
      }
      const auto path = test::write_bytes(folder / "file", copy);
      accepts([&] {
        const auto load_all = [](const WeightSource& source) {
          for (const TensorEntry& entry : source.entries())
            accepts([&] { CHECK(source.load(entry.name).shape() == entry.shape); });
        };
        file == &gguf ? load_all(*open_gguf(path)) : load_all(*open_safetensors(path));
      });
    }
  }
}

}  // namespace
}  // namespace trustformers
