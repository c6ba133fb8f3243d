// The one way untrusted bytes are read: every access is checked against what remains.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "error.h"

namespace trustformers {

/// Reads little-endian values from a span of bytes. Errors are ErrorCode::parse and name `where` and the offset.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string_view where) : bytes_(bytes), where_(where) {}

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return bytes_.size() - offset_; }
  std::string_view where() const { return where_; }

  /// The next `count` bytes.
  std::span<const std::byte> take(std::uint64_t count, std::string_view what) {
    require(count, what);
    auto part = bytes_.subspan(offset_, static_cast<std::size_t>(count));
    offset_ += static_cast<std::size_t>(count);
    return part;
  }
  void skip(std::uint64_t count, std::string_view what) { take(count, what); }
  void seek(std::uint64_t offset, std::string_view what) {
    check(offset <= bytes_.size(), ErrorCode::parse, "[", where_, "] ", what, " at offset ", offset,
          ", but there are only ", bytes_.size(), " bytes");
    offset_ = static_cast<std::size_t>(offset);
  }

  template <class T>
    requires std::is_arithmetic_v<T>
  T read(std::string_view what) {
    static_assert(std::endian::native == std::endian::little, "big-endian machines need byte swaps here");
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  std::string_view text(std::uint64_t count, std::string_view what) {
    const auto part = take(count, what);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }

  /// Throws unless `count` elements of at least `element_bytes` can still follow: call it before allocating for them.
  void require_elements(std::uint64_t count, std::uint64_t element_bytes, std::string_view what) const {
    check(element_bytes == 0 || count <= remaining() / element_bytes, ErrorCode::parse, "[", where_, "] ", what,
          " claims ", count, " elements of ", element_bytes, " bytes at offset ", offset_, ", but only ", remaining(),
          " bytes remain");
  }

 private:
  void require(std::uint64_t count, std::string_view what) const {
    check(count <= remaining(), ErrorCode::parse, "[", where_, "] ", what, " needs ", count, " bytes at offset ",
          offset_, ", but only ", remaining(), " remain");
  }

  std::span<const std::byte> bytes_;
  std::string_view where_;
  std::size_t offset_ = 0;
};

}  // namespace trustformers
