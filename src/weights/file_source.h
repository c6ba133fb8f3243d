// Weights in mapped files: what the safetensors and GGUF readers have in common.
#pragma once

#include <filesystem>
#include <memory>
#include <unordered_map>
#include <vector>

#include "../base/file.h"
#include "source.h"

namespace trustformers {

struct WeightFile {
  std::filesystem::path path;
  std::shared_ptr<const MappedFile> mapping;
};

class FileSource : public WeightSource {
 public:
  /// `opened` is the path the caller gave. Errors: parse where a name occurs twice or data lies outside its file.
  FileSource(std::filesystem::path opened, std::vector<WeightFile> files, std::vector<TensorEntry> entries);

  std::span<const TensorEntry> entries() const override { return entries_; }
  const TensorEntry* find(std::string_view name) const override;
  Tensor load(std::string_view name) const override;
  void release(std::string_view name) const override;
  std::string location(std::string_view name) const override;
  std::string describe() const override { return opened_.string(); }

  const std::vector<WeightFile>& files() const { return files_; }
  /// The bytes of a tensor as stored.
  std::span<const std::byte> raw(const TensorEntry& entry) const;

 private:
  const TensorEntry& at(std::string_view name) const;

  std::filesystem::path opened_;
  std::vector<WeightFile> files_;
  std::vector<TensorEntry> entries_;
  std::unordered_map<std::string_view, std::size_t> index_;  // views of the names in entries_
};

}  // namespace trustformers
