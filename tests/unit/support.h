// What tests of all rooms share: the error that something throws, and a folder that goes with the test.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>

#include "base/error.h"

namespace trustformers::test {

/// The Error that `body` throws; code internal when it throws none.
template <class Body>
Error error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::internal, "no error"};
}
template <class Body>
ErrorCode code_of(Body&& body) {
  return error_of(body).code();
}

inline bool mentions(const Error& error, std::string_view text) {
  return std::string_view(error.what()).find(text) != std::string_view::npos;
}

/// An empty folder that goes with the test.
class Folder {
 public:
  Folder() {
    static int count = 0;
    do {
      path_ = std::filesystem::temp_directory_path() / ("trustformers_test_" + std::to_string(count++));
    } while (!std::filesystem::create_directory(path_));
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

}  // namespace trustformers::test
