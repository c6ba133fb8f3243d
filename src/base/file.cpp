#include "file.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "error.h"

#if (defined(__unix__) || defined(__APPLE__)) && !defined(__EMSCRIPTEN__)
#define TRUSTFORMERS_POSIX_FILES 1
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#define TRUSTFORMERS_POSIX_FILES 0
#endif

namespace trustformers {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_with(const fs::path& path, std::string_view what, std::error_code reason) {
  const bool absent = reason == std::errc::no_such_file_or_directory || reason == std::errc::not_a_directory;
  fail(absent ? ErrorCode::not_found : ErrorCode::io, "[file] cannot ", what, " ", path.string(), ": ",
       reason.message());
}

/// Size of a regular file.
std::uint64_t regular_size(const fs::path& path) {
  std::error_code reason;
  const auto status = fs::status(path, reason);
  if (!fs::exists(status))
    fail_with(path, "open", reason ? reason : std::make_error_code(std::errc::no_such_file_or_directory));
  check(fs::is_regular_file(status), ErrorCode::io, "[file] ", path.string(), " is not a regular file");
  const auto size = fs::file_size(path, reason);
  if (reason) fail_with(path, "measure", reason);
  return size;
}

using Stream = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// Not a std::fstream: with it comes what a locale can do.
Stream open_stream(const fs::path& path, bool writing) {
#ifdef _WIN32
  return {::_wfopen(path.c_str(), writing ? L"wb" : L"rb"), &std::fclose};
#else
  return {std::fopen(path.c_str(), writing ? "wb" : "rb"), &std::fclose};
#endif
}

void read_whole(const fs::path& path, void* out, std::size_t size) {
  const Stream file = open_stream(path, false);
  check(file != nullptr, ErrorCode::io, "[file] cannot open ", path.string());
  check(size == 0 || std::fread(out, 1, size, file.get()) == size, ErrorCode::io, "[file] cannot read ", path.string());
}

#if TRUSTFORMERS_POSIX_FILES

std::error_code last_error() { return {errno, std::generic_category()}; }

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int number() const { return number_; }
  bool close() { return number_ < 0 || ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

class Mapping final : public MappedFile {
 public:
  Mapping(void* start, std::size_t size) : start_(static_cast<std::byte*>(start)), size_(size) {}
  ~Mapping() override {
    if (size_ > 0) ::munmap(start_, size_);
  }
  std::span<const std::byte> bytes() const override { return {start_, size_}; }

  void release(std::span<const std::byte> part) const override {
    static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    if (part.empty()) return;
    const auto offset = static_cast<std::size_t>(part.data() - start_);
    check(part.data() >= start_ && offset <= size_ && part.size() <= size_ - offset, ErrorCode::invalid_argument,
          "[file] bytes to release lie outside the mapping");
    // Only whole pages: the neighbours on the outer ones may still be in use. The last page of the file is whole.
    const std::size_t begin = (offset + page - 1) / page * page;
    const std::size_t end = offset + part.size() == size_ ? size_ : (offset + part.size()) / page * page;
    if (begin < end) static_cast<void>(::madvise(start_ + begin, end - begin, MADV_DONTNEED));
  }

 private:
  std::byte* start_;
  std::size_t size_;
};

std::shared_ptr<const MappedFile> open_file(const fs::path& path, std::uint64_t) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) fail_with(path, "open", last_error());
  struct stat status;
  if (::fstat(file.number(), &status) != 0) fail_with(path, "measure", last_error());
  const auto size = static_cast<std::size_t>(status.st_size);
  void* start = nullptr;
  if (size > 0) {  // nothing cannot be mapped
    start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
    if (start == MAP_FAILED) fail_with(path, "map", last_error());
  }
  return std::make_shared<Mapping>(start, size);
}

/// A new file, open for writing; errors name `target`, which it is to become.
class NewFile {
 public:
  NewFile(const fs::path& path, const fs::path& target)
      : path_(target), file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) {}
  bool is_open() const { return file_.number() >= 0; }
  bool exists_already() const { return errno == EEXIST; }
  [[noreturn]] void fail_opening() const { fail_with(path_, "create", last_error()); }

  void write(std::span<const std::byte> part) {
    while (!part.empty()) {
      const auto count = ::write(file_.number(), part.data(), part.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail_with(path_, "write", last_error());
      part = part.subspan(static_cast<std::size_t>(count));
    }
  }
  void finish() {
    if (::fsync(file_.number()) != 0) fail_with(path_, "flush", last_error());
    if (!file_.close()) fail_with(path_, "close", last_error());
  }

 private:
  const fs::path& path_;
  Descriptor file_;
};

/// Makes the new name itself survive a crash; some file systems refuse, and then there is nothing more to do.
void flush_folder(const fs::path& folder) {
  const Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.number() >= 0) static_cast<void>(::fsync(handle.number()));
}

std::uint64_t process_number() { return static_cast<std::uint64_t>(::getpid()); }

#else

class Buffer final : public MappedFile {
 public:
  explicit Buffer(std::vector<std::byte> content) : content_(std::move(content)) {}
  std::span<const std::byte> bytes() const override { return content_; }
  void release(std::span<const std::byte>) const override {}

 private:
  std::vector<std::byte> content_;
};

std::shared_ptr<const MappedFile> open_file(const fs::path& path, std::uint64_t size) {
  check(size <= SIZE_MAX / 2, ErrorCode::out_of_memory, "[file] ", path.string(), " has ", size, " bytes");
  std::vector<std::byte> content(static_cast<std::size_t>(size));
  read_whole(path, content.data(), content.size());
  return std::make_shared<Buffer>(std::move(content));
}

class NewFile {
 public:
  NewFile(const fs::path& path, const fs::path& target)
      : path_(target),
        taken_(fs::exists(path)),
        file_(taken_ ? Stream(nullptr, &std::fclose) : open_stream(path, true)) {}
  bool is_open() const { return file_ != nullptr; }
  bool exists_already() const { return taken_; }
  [[noreturn]] void fail_opening() const { fail(ErrorCode::io, "[file] cannot create ", path_.string()); }
  void write(std::span<const std::byte> part) {
    check(std::fwrite(part.data(), 1, part.size(), file_.get()) == part.size(), ErrorCode::io, "[file] cannot write ",
          path_.string());
  }
  void finish() { check(std::fclose(file_.release()) == 0, ErrorCode::io, "[file] cannot flush ", path_.string()); }

 private:
  const fs::path& path_;
  bool taken_;
  Stream file_;
};

void flush_folder(const fs::path&) {}
std::uint64_t process_number() { return 0; }

#endif

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const fs::path& path) { return open_file(path, regular_size(path)); }

std::string read_text_file(const fs::path& path, std::uint64_t max_bytes) {
  const auto size = regular_size(path);
  check(size <= max_bytes, ErrorCode::io, "[file] ", path.string(), " has ", size, " bytes, at most ", max_bytes,
        " are accepted");
  std::string text(static_cast<std::size_t>(size), '\0');
  read_whole(path, text.data(), text.size());
  return text;
}

void write_file_atomically(const fs::path& path, const std::function<void(const ByteSink&)>& write) {
  check(path.has_filename(), ErrorCode::invalid_argument, "[file] \"", path.string(), "\" names no file");
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code unknown;
  check(fs::is_directory(folder, unknown), ErrorCode::not_found, "[file] cannot create ", path.string(), ": ",
        folder.string(), " is no folder");
  static std::atomic<std::uint64_t> counter{0};
  fs::path temporary;
  bool created = false;
  try {
    while (!created) {
      // Not made from the file's own name, which may already be as long as names can be.
      temporary = folder / str(".trustformers-", process_number(), "-", counter.fetch_add(1), ".tmp");
      NewFile file(temporary, path);
      if (!file.is_open() && file.exists_already()) continue;  // left by a crashed process of the same number
      if (!file.is_open()) file.fail_opening();
      created = true;
      write([&file](std::span<const std::byte> part) { file.write(part); });
      file.finish();
    }
    std::error_code reason;
    fs::rename(temporary, path, reason);
    if (reason) fail_with(path, "replace", reason);
  } catch (...) {
    std::error_code ignored;
    if (created) fs::remove(temporary, ignored);
    throw;
  }
  flush_folder(folder);
}

}  // namespace trustformers
