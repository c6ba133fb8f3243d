// Errors, texts, and what the process is.
#include <cstdlib>
#include <cstring>

#include "../base/memory.h"
#include "../tensor/context.h"
#include "../tensor/process_context.h"
#include "handles.h"

#ifndef TRUSTFORMERS_VERSION
#error "the build defines TRUSTFORMERS_VERSION"
#endif

using namespace trustformers;

namespace trustformers::capi {
namespace {

struct LastError {
  tf_status code = TF_OK;
  std::string message, context;
};
thread_local LastError last_error;

static_assert(static_cast<int>(ErrorCode::invalid_argument) == TF_INVALID_ARGUMENT);
static_assert(static_cast<int>(ErrorCode::out_of_memory) == TF_OUT_OF_MEMORY);
static_assert(static_cast<int>(ErrorCode::internal) == TF_INTERNAL);

}  // namespace

tf_status remember(const Error& error) noexcept {
  last_error.code = static_cast<tf_status>(error.code());
  try {
    last_error.message = error.message();
    last_error.context.clear();
    for (const std::string& line : error.context())
      last_error.context += (last_error.context.empty() ? "" : "\n") + line;
  } catch (...) {  // no memory for the text: the code alone tells
    last_error.message.clear();
    last_error.context.clear();
  }
  return last_error.code;
}

std::unique_ptr<char, void (*)(char*)> copy_text(std::string_view text) {
  std::unique_ptr<char, void (*)(char*)> copy(static_cast<char*>(std::malloc(text.size() + 1)), tf_string_free);
  if (!copy) throw std::bad_alloc();
  if (!text.empty()) std::memcpy(copy.get(), text.data(), text.size());
  copy.get()[text.size()] = '\0';
  return copy;
}

tf_status make_text(char** out, std::size_t* size, const std::function<std::string()>& make) noexcept {
  if (size != nullptr) *size = 0;
  return making(out, [&] {
    const std::string text = make();
    auto copy = copy_text(text);
    if (size != nullptr) *size = text.size();
    return copy;
  });
}

}  // namespace trustformers::capi

using namespace trustformers::capi;

extern "C" {

uint32_t tf_abi_version(void) { return TF_ABI_VERSION; }
const char* tf_version(void) { return TRUSTFORMERS_VERSION; }

tf_status tf_last_error_code(void) { return last_error.code; }
const char* tf_last_error_message(void) { return last_error.message.c_str(); }
const char* tf_last_error_context(void) { return last_error.context.c_str(); }
const char* tf_status_name(tf_status status) {
  if (status == TF_OK) return "ok";
  if (status < TF_OK || status > TF_INTERNAL) return "unknown";
  return to_string(static_cast<ErrorCode>(status)).data();  // a literal, so it ends with a zero byte
}

void tf_string_free(char* text) { std::free(text); }

tf_status tf_set_threads(int32_t threads) {
  return guarded([&] { set_process_threads(threads); });
}

tf_status tf_build_info(char** json) {
  return make_text(json, nullptr, [] {
    Json out = Json::object();
    out.set("version", TRUSTFORMERS_VERSION);
    out.set("abi", TF_ABI_VERSION);
    out.set("threads", Context::current().threads().threads());
    out.set("kernels", cpu_kernels_name());
    Json devices = Json::array();
    devices.as_array().push_back(Json(Context::current().cpu().name()));
    out.set("devices", std::move(devices));
    return out.dump();
  });
}

tf_status tf_memory(tf_memory_info* info) {
  return guarded([&] {
    const AllocationCounters counters = allocation_counters();
    tf_memory_info out{};
    out.live_handles = Counted::live.load();
    out.storage_bytes = counters.storage_bytes;
    out.storage_blocks = counters.storage_blocks;
    out.tensor_objects = counters.tensor_objects;
    out.resident_bytes = static_cast<std::int64_t>(resident_bytes());
    out.peak_resident_bytes = static_cast<std::int64_t>(peak_resident_bytes());
    give_struct(info, out, sizeof(tf_memory_info));
  });
}

tf_status tf_cancel_create(tf_cancel** out) {
  return making(out, [] { return std::make_unique<tf_cancel>(); });
}
void tf_cancel_request(const tf_cancel* cancel) {
  if (cancel) cancel->token.cancel();
}
void tf_cancel_free(tf_cancel* cancel) { delete cancel; }
}
