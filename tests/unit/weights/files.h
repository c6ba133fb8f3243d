// What the tests of weight files share: small files made by hand.
#pragma once

#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "unit/support.h"

namespace trustformers::test {

inline std::filesystem::path data(const std::string& name) {
  return std::filesystem::path(TRUSTFORMERS_TEST_DATA) / name;
}

inline std::filesystem::path write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Little-endian bytes put one after the other.
class Bytes {
 public:
  template <class T>
  Bytes& number(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof(T));
    return *this;
  }
  Bytes& raw(std::string_view text) {
    text_ += text;
    return *this;
  }
  /// Eight bytes of length, then the text: how GGUF writes strings.
  Bytes& string(std::string_view text) { return number<std::uint64_t>(text.size()).raw(text); }
  Bytes& pad(std::size_t alignment) {
    text_.append((alignment - text_.size() % alignment) % alignment, '\0');
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// A safetensors file of a header and data.
inline std::string safetensors(std::string_view header, std::string_view body = {}) {
  return Bytes().string(header).raw(body).text();
}

/// The start of a GGUF file.
inline Bytes gguf(std::uint64_t tensors, std::uint64_t values, std::uint32_t version = 3) {
  Bytes bytes;
  bytes.raw("GGUF").number(version).number(tensors).number(values);
  return bytes;
}

}  // namespace trustformers::test
