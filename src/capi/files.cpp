// Folders in memory whose files may come piece by piece.
#include <cstring>

#include "handles.h"

using namespace trustformers;

/// A file under way: weights go to their tensors, anything else into one text.
struct tf_file : capi::Counted {
  tf_file(std::shared_ptr<tf_files::Folder> f, std::string n, std::uint64_t s)
      : folder(std::move(f)), name(std::move(n)), size(s) {
    check_file_name(name);
    if (WeightStream::is_weight_file(name)) {
      stream = std::make_unique<WeightStream>(name, size);
      return;
    }
    constexpr std::uint64_t most = std::uint64_t{1} << 30;
    check(size <= most, ErrorCode::out_of_memory, "[files] ", name, " has ", size, " bytes; files that are no weights ",
          "may have ", most);
    content.resize(static_cast<std::size_t>(size));
  }
  std::span<std::byte> space() {
    check(!finished, ErrorCode::invalid_argument, "[files] ", name, " is finished");
    return stream ? stream->space() : std::as_writable_bytes(std::span(content)).subspan(filled);
  }
  void commit(std::size_t count) {
    if (stream) return stream->commit(count);
    check(count <= content.size() - filled, ErrorCode::invalid_argument, "[files] ", name, " has no room for ", count,
          " more bytes");
    filled += count;
  }
  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const std::span<std::byte> room = space();
      check(!room.empty(), ErrorCode::invalid_argument, "[files] ", name, " is whole, but ", bytes.size(),
            " more bytes came");
      const std::size_t count = std::min(room.size(), bytes.size());
      std::memcpy(room.data(), bytes.data(), count);
      commit(count);
      bytes = bytes.subspan(count);
    }
  }
  void finish() {
    check(!finished, ErrorCode::invalid_argument, "[files] ", name, " is finished");
    if (stream) {
      folder->weights.push_back(stream->finish());
    } else {
      check(filled == content.size(), ErrorCode::parse, "[files] ", filled, " of ", content.size(), " bytes of ", name,
            " came");
      folder->small.add(name, std::move(content));
    }
    finished = true;
  }

  std::shared_ptr<tf_files::Folder> folder;
  std::string name;
  std::uint64_t size;
  std::unique_ptr<WeightStream> stream;
  std::string content;
  std::size_t filled = 0;
  bool finished = false;
};

using namespace trustformers::capi;

extern "C" {

tf_status tf_files_create(tf_files** out) {
  return making(out, [] { return std::make_unique<tf_files>(); });
}
void tf_files_free(tf_files* files) { delete files; }

tf_status tf_files_add(tf_files* files, const char* name, const void* data, size_t size) {
  return guarded([&] {
    tf_file file(required(files, "the files").folder, std::string(required_text(name, "the name")), size);
    file.write(required_bytes(data, size, "the data"));
    file.finish();
  });
}

tf_status tf_files_begin(tf_files* files, const char* name, uint64_t size, tf_file** out) {
  return making(out, [&] {
    return std::make_unique<tf_file>(required(files, "the files").folder, std::string(required_text(name, "the name")),
                                     size);
  });
}

tf_status tf_file_space(tf_file* file, void** data, size_t* size) {
  return guarded([&] {
    const std::span<std::byte> room = required(file, "the file").space();
    required(data, "the place for the address") = room.data();
    required(size, "the place for the size") = room.size();
  });
}

tf_status tf_file_commit(tf_file* file, size_t size) {
  return guarded([&] { required(file, "the file").commit(size); });
}

tf_status tf_file_write(tf_file* file, const void* data, size_t size) {
  return guarded([&] { required(file, "the file").write(required_bytes(data, size, "the data")); });
}

tf_status tf_file_finish(tf_file* file) {
  return guarded([&] { required(file, "the file").finish(); });
}

void tf_file_free(tf_file* file) { delete file; }
}
