// The small files of a model by name ("config.json", "1_Pooling/config.json"): a folder, or bytes in memory.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trustformers {

class FileSet {
 public:
  virtual ~FileSet() = default;
  /// The content, or nothing when there is no such file. Errors: io.
  virtual std::optional<std::string> read(std::string_view name) const = 0;
  /// The names of the files directly in `folder` ("": the top), sorted, without the folder. Absent folders are empty.
  virtual std::vector<std::string> list(std::string_view folder) const = 0;
  /// For messages.
  virtual std::string describe() const = 0;
};

class FolderFiles final : public FileSet {
 public:
  explicit FolderFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::optional<std::string> read(std::string_view name) const override;
  std::vector<std::string> list(std::string_view folder) const override;
  std::string describe() const override { return folder_.string(); }

 private:
  std::filesystem::path folder_;
};

class MemoryFiles final : public FileSet {
 public:
  /// Errors: invalid_argument for names that leave the folder ("", "/x", "a/../b", "a\\b") or are taken.
  void add(std::string name, std::string content);
  std::optional<std::string> read(std::string_view name) const override;
  std::vector<std::string> list(std::string_view folder) const override;
  std::string describe() const override { return "files in memory"; }

 private:
  std::map<std::string, std::string, std::less<>> files_;
};

/// Throws invalid_argument unless `name` is a relative path with plain parts divided by "/".
void check_file_name(std::string_view name);

}  // namespace trustformers
