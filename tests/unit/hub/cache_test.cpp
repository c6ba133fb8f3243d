#include "hub/cache.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

#include "base/error.h"

using namespace trustformers;
namespace fs = std::filesystem;

namespace {

/// A home folder of its own, with the variables that point elsewhere taken away.
class FakeHome {
 public:
  FakeHome() : root_(fs::temp_directory_path() / ("trustformers-hub-" + std::to_string(::rand()))) {
    fs::create_directories(root_);
    for (const char* name : {"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"}) ::unsetenv(name);
    const char* home = std::getenv("HOME");
    home_ = home ? home : "";
    ::setenv("HOME", root_.c_str(), 1);
  }
  ~FakeHome() {
    ::setenv("HOME", home_.c_str(), 1);
    fs::remove_all(root_);
  }
  fs::path write(const fs::path& relative, const std::string& text) const {
    fs::create_directories((root_ / relative).parent_path());
    std::ofstream(root_ / relative) << text;
    return root_ / relative;
  }
  const fs::path& root() const { return root_; }

 private:
  fs::path root_;
  std::string home_;
};

ErrorCode hub_code_of(std::string_view model) {
  try {
    hub::resolve_model(model);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

}  // namespace

TEST_CASE("hub: a revision leads through refs to its snapshot") {
  const FakeHome home;
  const fs::path repository = ".cache/huggingface/hub/models--org--name";
  home.write(repository / "refs/main", "abc123\n");
  const fs::path config = home.write(repository / "snapshots/abc123/config.json", "{}");
  CHECK(hub::resolve_model("org/name") == config.parent_path());
  CHECK(hub::resolve_model("org/name@abc123") == config.parent_path());
  CHECK(hub_code_of("org/name@other") == ErrorCode::not_found);
  CHECK(hub_code_of("org/absent") == ErrorCode::not_found);
}

TEST_CASE("hub: the name of a branch may have slashes, but leads nowhere else") {
  const FakeHome home;
  const fs::path repository = ".cache/huggingface/hub/models--org--name";
  home.write(repository / "refs/refs/pr/1", "def456");
  const fs::path config = home.write(repository / "snapshots/def456/config.json", "{}");
  CHECK(hub::resolve_model("org/name@refs/pr/1") == config.parent_path());
  for (const char* text : {"org/name@../../x", "org/name@refs/../x", "org/name@/x", "org/name@refs/"})
    CHECK(hub_code_of(text) == ErrorCode::invalid_argument);
}

TEST_CASE("hub: paths and fetched models go before the hub's cache") {
  const FakeHome home;
  const fs::path model = home.write(".cache/trustformers/models/tiny/config.json", "{}").parent_path();
  CHECK(hub::resolve_model("tiny") == model);
  CHECK(hub::resolve_model(model.string()) == model);
}

TEST_CASE("hub: a ref cannot lead out of the cache") {
  const FakeHome home;
  home.write(".cache/huggingface/hub/models--org--name/refs/main", "../../../secret");
  home.write(".cache/huggingface/hub/secret/config.json", "{}");
  CHECK(hub_code_of("org/name") == ErrorCode::not_found);
}

TEST_CASE("hub: what is no id is refused before anything is looked up") {
  for (const char* text : {"../x", "a/../b", "a/b/c", "/absent", "org/na me", "org/name@", "a//b", "@x"})
    CHECK(hub_code_of(text) == ErrorCode::invalid_argument);
  CHECK(hub_code_of("") == ErrorCode::invalid_argument);
}

TEST_CASE("hub: the error lists where was looked") {
  const FakeHome home;
  try {
    hub::resolve_model("org/name");
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find((home.root() / ".cache/huggingface/hub").string()) != std::string::npos);
  }
}
