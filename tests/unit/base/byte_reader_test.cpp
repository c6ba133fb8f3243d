#include "base/byte_reader.h"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <string>

namespace trustformers {
namespace {

constexpr std::array<unsigned char, 12> raw = {1, 0, 0, 0, 0xff, 0xff, 'a', 'b', 'c', 0, 0x80, 0x3f};

ByteReader reader() { return {std::as_bytes(std::span(raw)), "test.bin"}; }

template <class Body>
std::string message_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::parse);
    return error.message();
  }
  return "no error";
}

TEST_CASE("base: a byte reader reads little-endian values in order") {
  auto r = reader();
  CHECK(r.read<std::uint32_t>("count") == 1);
  CHECK(r.read<std::int16_t>("delta") == -1);
  CHECK(r.text(3, "name") == "abc");
  CHECK(r.offset() == 9);
  CHECK(r.remaining() == 3);
  r.skip(1, "padding");
  CHECK(r.read<std::uint16_t>("bits") == 0x3f80);
  CHECK(r.remaining() == 0);
  CHECK(r.take(0, "nothing").empty());
  r.seek(4, "again");
  CHECK(r.read<std::uint8_t>("byte") == 0xff);
  r.seek(12, "end");
}

TEST_CASE("base: a byte reader refuses what lies beyond its bytes and stays where it was") {
  auto r = reader();
  r.skip(10, "start");
  CHECK(message_of([&] { r.read<std::uint32_t>("count"); }) ==
        "[test.bin] count needs 4 bytes at offset 10, but only 2 remain");
  CHECK(r.offset() == 10);
  CHECK(message_of([&] { r.take(std::numeric_limits<std::uint64_t>::max(), "data"); }) != "no error");
  CHECK(message_of([&] { r.seek(13, "table"); }) == "[test.bin] table at offset 13, but there are only 12 bytes");
  CHECK(message_of([&] { r.require_elements(2, 1, "items"); }) == "no error");
  CHECK(message_of([&] { r.require_elements(std::uint64_t{1} << 62, 8, "items"); }) ==
        "[test.bin] items claims 4611686018427387904 elements of 8 bytes at offset 10, but only 2 bytes remain");
}

}  // namespace
}  // namespace trustformers
