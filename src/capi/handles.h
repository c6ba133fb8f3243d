// What stands behind the handles of the C interface, and the one way in: guarded().
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "../base/error.h"
#include "../base/file_set.h"
#include "../generation/text_rules.h"
#include "../pipelines/auto_classes.h"
#include "../weights/stream.h"
#include "options.h"
#include "trustformers_c.h"

namespace trustformers::capi {

/// Counts the handles that are alive, for tf_memory.
struct Counted {
  Counted() { ++live; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --live; }
  static inline std::atomic<std::uint32_t> live{0};
};

/// Keeps the error for tf_last_error_*; gives its code.
tf_status remember(const Error& error) noexcept;

/// Runs `body`; whatever leaves it becomes a status and the thread's last error.
template <class Body>
tf_status guarded(Body&& body) noexcept {
  try {
    body();
    return TF_OK;
  } catch (const Error& error) {
    return remember(error);
  } catch (const std::bad_alloc&) {
    return remember(Error(ErrorCode::out_of_memory, "[memory] the system gives no more memory"));
  } catch (const std::exception& error) {
    return remember(Error(ErrorCode::internal, std::string("[internal] ") + error.what()));
  } catch (...) {
    return remember(Error(ErrorCode::internal, "[internal] something that is no error was thrown"));
  }
}

/// The same for functions that make something: *out is NULL unless they succeed. `make` gives a unique_ptr.
template <class T, class Make>
tf_status making(T** out, Make&& make) noexcept {
  if (out != nullptr) *out = nullptr;
  return guarded([&] {
    check(out != nullptr, ErrorCode::invalid_argument, "[capi] the place for the result is NULL");
    *out = make().release();
  });
}

/// The thing behind a pointer that must not be NULL.
template <class T>
T& required(T* pointer, std::string_view what) {
  check(pointer != nullptr, ErrorCode::invalid_argument, "[capi] ", what, " is NULL");
  return *pointer;
}

/// Bytes that must be there unless there are none.
inline std::span<const std::byte> required_bytes(const void* data, std::size_t size, std::string_view what) {
  check(data != nullptr || size == 0, ErrorCode::invalid_argument, "[capi] ", what, " is NULL");
  return {static_cast<const std::byte*>(data), size};
}

inline std::string_view required_text(const char* text, std::string_view what) {
  return std::string_view(&required(text, what));
}

/// A text for tf_string_free.
std::unique_ptr<char, void (*)(char*)> copy_text(std::string_view text);
tf_status make_text(char** out, std::size_t* size, const std::function<std::string()>& make) noexcept;

/// Checks struct_size, and copies as much as both sides know.
template <class Struct>
void give_struct(Struct* out, Struct value, std::size_t least) {
  required(out, "the struct");
  const std::uint32_t size = out->struct_size;
  check(size >= least && size <= 4096, ErrorCode::invalid_argument, "[capi] struct_size must be at least ", least,
        ", got ", size);
  value.struct_size = size;
  std::memcpy(out, &value, std::min<std::size_t>(size, sizeof(Struct)));
}

/// What a caller's struct says, members beyond its size being 0.
template <class Struct>
Struct take_struct(const Struct* given, std::size_t least) {
  Struct out{};
  if (!given) return out;
  check(given->struct_size >= least && given->struct_size <= 4096, ErrorCode::invalid_argument,
        "[capi] struct_size must be at least ", least, ", got ", given->struct_size);
  std::memcpy(&out, given, std::min<std::size_t>(given->struct_size, sizeof(Struct)));
  return out;
}

std::unique_ptr<tf_tensor> wrap(Tensor tensor);
/// Fills the inputs of a model; errors name the input.
ModelInputs model_inputs(const tf_named_tensor* inputs, std::size_t count);

}  // namespace trustformers::capi

struct tf_tensor : trustformers::capi::Counted {
  trustformers::Tensor tensor;
};

struct tf_cancel : trustformers::capi::Counted {
  trustformers::CancelToken token;
};

struct tf_files : trustformers::capi::Counted {
  /// Shared with the streams of files that are under way.
  struct Folder {
    trustformers::MemoryFiles small;
    std::vector<trustformers::StreamedFile> weights;
  };
  std::shared_ptr<Folder> folder = std::make_shared<Folder>();
};

struct tf_tokenizer : trustformers::capi::Counted {
  explicit tf_tokenizer(trustformers::PreTrainedTokenizer t) : tokenizer(std::move(t)) {}
  trustformers::PreTrainedTokenizer tokenizer;
};

namespace trustformers::capi {

/// The tokenizer of a model, for options that speak of text, and its vocabulary once a grammar has asked for it.
class ModelText {
 public:
  explicit ModelText(PreTrainedTokenizer t) : tokenizer(std::move(t)) {}
  const PreTrainedTokenizer tokenizer;
  std::shared_ptr<const TokenTrie> vocabulary() {
    std::call_once(once_, [&] { vocabulary_ = token_trie(tokenizer.tokenizer()); });
    return vocabulary_;
  }

 private:
  std::once_flag once_;
  std::shared_ptr<const TokenTrie> vocabulary_;
};

}  // namespace trustformers::capi

struct tf_model : trustformers::capi::Counted {
  std::shared_ptr<const trustformers::Model> model;
  std::shared_ptr<trustformers::capi::ModelText> text;  // NULL: no tokenizer was given
  trustformers::GenerationConfig defaults;
  trustformers::Json generation_config = trustformers::Json::object();  // as it was read
};
