// Safetensors files: 8 bytes of header length, a JSON header, then the data of all tensors without holes.
// Refuses what the reference library refuses (https://github.com/huggingface/safetensors), and names given twice.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "file_source.h"

namespace trustformers {

/// Longer headers are refused, as the reference library does.
inline constexpr std::uint64_t max_safetensors_header = 100'000'000;

using SafetensorsMetadata = std::vector<std::pair<std::string, std::string>>;

struct SafetensorsHeader {
  SafetensorsMetadata metadata;      // "__metadata__", in the order of the file
  std::vector<TensorEntry> entries;  // in the order of their data
};

/// Reads and checks the header of a whole file. `where` is named in errors, which are ErrorCode::parse.
SafetensorsHeader parse_safetensors(std::span<const std::byte> file, std::string_view where);

class SafetensorsSource : public FileSource {
 public:
  SafetensorsSource(std::filesystem::path opened, std::vector<WeightFile> files, std::vector<TensorEntry> entries,
                    SafetensorsMetadata metadata)
      : FileSource(std::move(opened), std::move(files), std::move(entries)), metadata_(std::move(metadata)) {}
  /// Of the first file.
  const SafetensorsMetadata& metadata() const { return metadata_; }

 private:
  SafetensorsMetadata metadata_;
};

/// Opens one file, or the shards of a `*.safetensors.index.json`. An index that promises tensors which its shards lack,
/// and tensors in two shards, are parse errors; tensors that the index does not name are kept.
std::shared_ptr<SafetensorsSource> open_safetensors(const std::filesystem::path& path);

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// Writes `tensors` (plain dtypes) as one file, whole or not at all. Widest types first and names in order, so that
/// data is aligned and equal tensors give equal bytes: those the reference library writes.
void save_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                      const SafetensorsMetadata& metadata = {{"format", "pt"}});

}  // namespace trustformers
