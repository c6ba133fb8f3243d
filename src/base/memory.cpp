#include "memory.h"

#include <cstdint>
#include <new>

#include "error.h"
#include "system.h"

namespace trustformers {

std::shared_ptr<std::byte> allocate_huge(std::size_t bytes) {
  constexpr std::size_t huge_page = std::size_t{2} << 20;
  const std::size_t alignment = bytes >= huge_page ? huge_page : 64;
  check(bytes < PTRDIFF_MAX - alignment, ErrorCode::out_of_memory, "[memory] cannot allocate ", bytes, " bytes");
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* const start = ::operator new(rounded, std::align_val_t{alignment}, std::nothrow);
  check(start != nullptr, ErrorCode::out_of_memory, "[memory] cannot allocate ", bytes, " bytes");
  if (alignment == huge_page) system::advise_huge_pages(start, rounded);
  return {static_cast<std::byte*>(start),
          [alignment](std::byte* p) { ::operator delete(p, std::align_val_t{alignment}); }};
}

std::uint64_t resident_bytes() { return system::resident_bytes(); }
std::uint64_t peak_resident_bytes() { return system::peak_resident_bytes(); }

}  // namespace trustformers
