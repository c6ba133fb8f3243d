// Weights that arrive as a stream of bytes, for machines without files: each tensor goes straight to where it stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "gguf_metadata.h"
#include "safetensors.h"
#include "source.h"

namespace trustformers {

/// As parse_safetensors of a whole file, for one of `size` bytes that begins with `start`, which holds the whole
/// header.
SafetensorsHeader parse_safetensors_start(std::span<const std::byte> start, std::string_view where, std::uint64_t size);

/// A weight file that was streamed. `data[i]` holds the stored bytes of `entries[i]`.
struct StreamedFile {
  std::string name;
  std::vector<TensorEntry> entries;
  std::vector<std::shared_ptr<const std::byte>> data;
  std::optional<GgufMetadata> metadata;        // of a GGUF file
  std::shared_ptr<const void> metadata_bytes;  // what `metadata` looks at
};

/// Takes the bytes of one .safetensors or .gguf file in order. Memory is taken tensor by tensor, when its bytes come.
class WeightStream {
 public:
  /// `name` tells the format by its ending and is named in errors. Errors: unsupported for other endings.
  WeightStream(std::string name, std::uint64_t size);

  /// Where the next bytes belong; empty when the file is whole. Errors: out_of_memory.
  std::span<std::byte> space();
  /// So many bytes were put there. Errors: parse and unsupported, as of the readers of files.
  void commit(std::size_t count);
  bool complete() const { return received_ == size_; }
  std::uint64_t received() const { return received_; }
  /// The tensors; the stream is empty afterwards. Errors: parse when bytes are missing.
  StreamedFile finish();

  static bool is_weight_file(std::string_view name);

 private:
  void read_header();
  void take_header(std::vector<TensorEntry> entries, std::uint64_t end);
  /// Hands over bytes that came with the header.
  void spread(std::span<const std::byte> bytes);
  void next_part();

  std::uint64_t size_;
  std::uint64_t received_ = 0;
  bool gguf_;
  bool in_header_ = true;
  std::vector<std::byte> header_;  // with room for what is wanted next
  std::size_t header_filled_ = 0;
  StreamedFile file_;
  std::vector<std::size_t> order_;  // entries by their place in the file
  std::size_t next_ = 0;            // in order_
  std::byte* target_ = nullptr;     // the part under way: a tensor, or bytes between tensors
  std::uint64_t target_left_ = 0;
  std::vector<std::byte> scrap_;  // where bytes between tensors go
};

/// Tensors that were streamed. The first load() of a tensor gives it away: packing it takes its memory over, and later
/// ones unpack it when they look. Errors: parse where a name occurs twice.
class MemorySource final : public WeightSource {
 public:
  explicit MemorySource(std::vector<StreamedFile> files);

  std::span<const TensorEntry> entries() const override { return entries_; }
  const TensorEntry* find(std::string_view name) const override;
  Tensor load(std::string_view name) const override;
  void release(std::string_view) const override {}
  std::string location(std::string_view name) const override;
  std::string describe() const override;
  const std::vector<StreamedFile>& files() const { return files_; }

 private:
  std::vector<StreamedFile> files_;
  std::vector<TensorEntry> entries_;
  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<const std::byte>> data_;  // of those that were not given away
  mutable std::vector<Tensor> given_;
  std::unordered_map<std::string_view, std::size_t> index_;  // views of the names in entries_
};

}  // namespace trustformers
