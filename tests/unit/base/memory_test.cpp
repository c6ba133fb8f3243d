#include "base/memory.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace trustformers {
namespace {

TEST_CASE("base: large memory is aligned, writable and given back") {
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, std::size_t{4097}, std::size_t{2} << 20, (std::size_t{5} << 20) + 3}) {
    const auto memory = allocate_huge(bytes);
    REQUIRE(memory != nullptr);
    const std::uintptr_t alignment = bytes >= (std::size_t{2} << 20) ? std::size_t{2} << 20 : 64;
    CHECK(reinterpret_cast<std::uintptr_t>(memory.get()) % alignment == 0);
    std::memset(memory.get(), 0x5a, bytes);
  }
}

TEST_CASE("base: memory that cannot be had is a typed error") {
  for (const std::size_t bytes :
       {std::numeric_limits<std::size_t>::max(), std::numeric_limits<std::size_t>::max() / 2}) {
    ErrorCode code{};
    try {
      allocate_huge(bytes);
    } catch (const Error& error) {
      code = error.code();
    }
    CHECK(code == ErrorCode::out_of_memory);
  }
}

#if defined(__linux__)
TEST_CASE("base: resident memory grows with what is touched and its peak stays") {
  constexpr std::size_t bytes = std::size_t{64} << 20;
  const auto before = resident_bytes();
  CHECK(before > 0);
  auto memory = allocate_huge(bytes);
  std::memset(memory.get(), 1, bytes);
  const auto during = resident_bytes();
  memory.reset();
  CHECK(during >= before + bytes * 9 / 10);
  CHECK(resident_bytes() < during - bytes / 2);
  CHECK(peak_resident_bytes() >= during - (std::size_t{1} << 20));
}
#endif

}  // namespace
}  // namespace trustformers
