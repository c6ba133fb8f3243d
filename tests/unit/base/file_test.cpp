#include "base/file.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "unit/support.h"

#if defined(__linux__)
#include <sys/resource.h>

#include <csignal>
#endif

namespace trustformers {
namespace {

using test::code_of;
using test::Folder;

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

void write(const fs::path& path, const std::string& text) {
  write_file_atomically(path, [&](const ByteSink& sink) { sink(bytes_of(text)); });
}

TEST_CASE("base: files are written, mapped and read back") {
  const Folder folder;
  const fs::path path = folder / "data";
  write_file_atomically(path, [](const ByteSink& sink) {
    sink(bytes_of("one "));
    sink({});
    sink(bytes_of("two"));
  });
  CHECK(read_text_file(path) == "one two");
  const auto file = MappedFile::open(path);
  CHECK(std::ranges::equal(file->bytes(), bytes_of("one two")));
  write(path, "three");
  CHECK(read_text_file(path) == "three");
  CHECK(std::ranges::equal(file->bytes(), bytes_of("one two")));  // a reader keeps what it opened
  CHECK(folder.files() == 1);
}

TEST_CASE("base: empty files can be written and mapped") {
  const Folder folder;
  write_file_atomically(folder / "empty", [](const ByteSink&) {});
  CHECK(read_text_file(folder / "empty").empty());
  const auto file = MappedFile::open(folder / "empty");
  CHECK(file->bytes().empty());
  file->release(file->bytes());
}

TEST_CASE("base: a failing writer leaves the old file and no temporary one") {
  const Folder folder;
  const fs::path path = folder / "data";
  const auto failing = [](const ByteSink& sink) {
    sink(bytes_of("half"));
    throw std::runtime_error("no more");
  };
  CHECK_THROWS_WITH_AS(write_file_atomically(path, failing), "no more", std::runtime_error);
  CHECK(folder.files() == 0);
  write(path, "old");
  CHECK_THROWS_WITH_AS(write_file_atomically(path, failing), "no more", std::runtime_error);
  CHECK(read_text_file(path) == "old");
  CHECK(folder.files() == 1);
}

#if defined(__linux__)
TEST_CASE("base: a system that refuses to store more leaves the old file and no temporary one") {
  const Folder folder;
  const fs::path path = folder / "data";
  write(path, "old");
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100000, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string message;
  try {
    write(path, std::string(1000000, 'x'));
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::io);
    message = error.message();
  }
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK(message.find("cannot write " + path.string()) != std::string::npos);
  CHECK(read_text_file(path) == "old");
  CHECK(folder.files() == 1);
}
#endif

TEST_CASE("base: a target that cannot be replaced leaves no temporary file") {
  const Folder folder;
  fs::create_directory(folder / "taken");
  write(folder / "taken" / "inside", "x");
  CHECK(code_of([&] { write(folder / "taken", "x"); }) == ErrorCode::io);
  CHECK(folder.files() == 1);
  CHECK(code_of([&] { write(folder / "absent" / "data", "x"); }) == ErrorCode::not_found);
  CHECK(code_of([&] { write(folder / "", "x"); }) == ErrorCode::invalid_argument);
  write(folder / std::string(255, 'n'), "as long as names can be");
  CHECK(folder.files() == 2);
}

#if !defined(__EMSCRIPTEN__) || defined(__EMSCRIPTEN_PTHREADS__)
TEST_CASE("base: many writers of one file leave one whole text") {
  const Folder folder;
  const fs::path path = folder / "data";
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i)
    writers.emplace_back([&path, i] {
      for (int round = 0; round < 10; ++round) write(path, std::string(10000, static_cast<char>('a' + i)));
    });
  for (auto& writer : writers) writer.join();
  const std::string text = read_text_file(path);
  CHECK(text.size() == 10000);
  CHECK(text == std::string(10000, text[0]));
  CHECK(folder.files() == 1);
}
#endif

TEST_CASE("base: absent files and folders give typed errors that name the path") {
  const Folder folder;
  CHECK(code_of([&] { MappedFile::open(folder / "absent"); }) == ErrorCode::not_found);
  CHECK(code_of([&] { read_text_file(folder / "absent"); }) == ErrorCode::not_found);
  CHECK(code_of([&] { MappedFile::open(folder / ""); }) == ErrorCode::io);
  write(folder / "data", "12345");
  CHECK(read_text_file(folder / "data", 5) == "12345");
  CHECK(code_of([&] { read_text_file(folder / "data", 4); }) == ErrorCode::io);
  try {
    MappedFile::open(folder / "absent");
  } catch (const Error& error) {
    CHECK(error.message().find((folder / "absent").string()) != std::string::npos);
  }
}

TEST_CASE("base: released parts stay readable") {
  const Folder folder;
  std::string text(1000003, '\0');
  const Philox random(5);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(random.bits(i));
  write(folder / "data", text);
  const auto file = MappedFile::open(folder / "data");
  const auto bytes = file->bytes();
  REQUIRE(std::ranges::equal(bytes, bytes_of(text)));
  file->release(bytes.subspan(1, 5));
  file->release(bytes.subspan(4000, 500000));
  file->release(bytes.last(3));
  file->release(bytes.subspan(bytes.size()));
  file->release(bytes);
  CHECK(std::ranges::equal(bytes, bytes_of(text)));
}

}  // namespace
}  // namespace trustformers
