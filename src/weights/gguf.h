// GGUF files, versions 2 and 3, little-endian, in one file or in shards
// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "file_source.h"
#include "gguf_metadata.h"

namespace trustformers {

struct GgufHeader {
  std::uint32_t version = 0;
  std::uint64_t alignment = 32;
  GgufMetadata metadata;             // views of the bytes that were parsed
  std::vector<TensorEntry> entries;  // shapes outermost first, the reverse of the file's order
  std::uint64_t end = 0;             // where the header ends
};

/// Reads and checks the header of a file of `size` bytes that begins with `start`, which holds the whole header.
/// `where` is named in errors: parse, and unsupported for big-endian files, other versions, and tensor types that DType
/// lacks.
GgufHeader parse_gguf(std::span<const std::byte> start, std::string_view where, std::uint64_t size);
/// The same of a whole file.
inline GgufHeader parse_gguf(std::span<const std::byte> file, std::string_view where) {
  return parse_gguf(file, where, file.size());
}

class GgufSource : public FileSource {
 public:
  GgufSource(std::filesystem::path opened, std::vector<WeightFile> files, std::vector<TensorEntry> entries,
             GgufMetadata metadata)
      : FileSource(std::move(opened), std::move(files), std::move(entries)), metadata_(std::move(metadata)) {}
  /// Of the first file. Views inside live as long as this source.
  const GgufMetadata& metadata() const { return metadata_; }

 private:
  GgufMetadata metadata_;
};

/// Opens a file, or all shards when `path` is one of `NAME-00001-of-00003.gguf` (whose metadata say so too).
std::shared_ptr<GgufSource> open_gguf(const std::filesystem::path& path);

}  // namespace trustformers
