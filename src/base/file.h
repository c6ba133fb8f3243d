// Files: read-only mappings, and writes that appear whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace trustformers {

/// A whole file as bytes: mapped where the system can, read into memory elsewhere. Errors: not_found, io.
class MappedFile {
 public:
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  virtual ~MappedFile() = default;
  virtual std::span<const std::byte> bytes() const = 0;
  /// Tells the system that these bytes (inside bytes()) are not needed soon, so that they stop counting as resident.
  /// They stay readable. Does nothing where the file is not mapped.
  virtual void release(std::span<const std::byte> part) const = 0;
};

/// Reads a text file of at most `max_bytes`.
std::string read_text_file(const std::filesystem::path& path, std::uint64_t max_bytes = std::uint64_t{1} << 30);

/// Writes through a temporary file beside `path`, flushes it and renames it: on failure `path` is as it was before and
/// no temporary file stays. `write` receives a sink to call with the parts in order.
using ByteSink = std::function<void(std::span<const std::byte>)>;
void write_file_atomically(const std::filesystem::path& path, const std::function<void(const ByteSink&)>& write);

}  // namespace trustformers
