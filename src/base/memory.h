// Large buffers, and how much memory the process holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace trustformers {

/// Uninitialised memory for `bytes` bytes (0 is allowed), aligned to 64 bytes; from 2 MiB on it is aligned to 2 MiB and
/// asks the system for pages of that size, which saves most address translation misses when weights are streamed.
/// Errors: out_of_memory.
std::shared_ptr<std::byte> allocate_huge(std::size_t bytes);

/// Bytes of this process in physical memory now, and the most there ever were; 0 where the system does not tell.
std::uint64_t resident_bytes();
std::uint64_t peak_resident_bytes();

}  // namespace trustformers
