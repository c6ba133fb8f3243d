#include "js_gpu.h"

#include <string>
#include <utility>
#include <vector>

// host.js. Sizes cross as double: exact to 2^53, and JS numbers without BigInt.
extern "C" {
void trustformers_gpu_open(void* state, void (*done)(void* state, int host, const char* error));
void trustformers_gpu_close(int host);
double trustformers_gpu_buffer_limit(int host);
std::uint32_t trustformers_gpu_grid_limit(int host);
std::uint32_t trustformers_gpu_create_buffer(int host, double bytes);
void trustformers_gpu_release_buffer(int host, std::uint32_t buffer);
void trustformers_gpu_write_buffer(int host, std::uint32_t buffer, double offset, const void* data, std::size_t bytes);
std::uint32_t trustformers_gpu_create_pipeline(int host, const char* label, std::size_t label_bytes, const char* code,
                                               std::size_t code_bytes);
void trustformers_gpu_dispatch(int host, std::uint32_t pipeline, const std::uint32_t* buffers, std::size_t count,
                               const void* params, std::size_t params_bytes, std::uint32_t x, std::uint32_t y,
                               std::uint32_t z);
void trustformers_gpu_read_buffer(int host, std::uint32_t buffer, double offset, double bytes, void* target,
                                  void* state, void (*done)(void* state, const char* error));
}

namespace trustformers::webgpu {
namespace {

/// A read under way: JS writes into `bytes` when the GPU is done.
struct PendingRead {
  std::vector<std::byte> bytes;
  GpuReadDone done;
};

void finish_read(void* state, const char* message) {
  const std::unique_ptr<PendingRead> read(static_cast<PendingRead*>(state));
  if (!message) return read->done(read->bytes, nullptr);
  const Error error(ErrorCode::internal,
                    str("[webgpu] expected ", read->bytes.size(), " bytes, the host says: ", message));
  read->done({}, &error);
}

class JsGpu final : public Gpu {
 public:
  explicit JsGpu(int host) : host_(host) {}
  ~JsGpu() override { trustformers_gpu_close(host_); }
  JsGpu(const JsGpu&) = delete;
  JsGpu& operator=(const JsGpu&) = delete;

  GpuLimits limits() const override {
    return {static_cast<std::uint64_t>(trustformers_gpu_buffer_limit(host_)), trustformers_gpu_grid_limit(host_)};
  }

  BufferId create_buffer(std::uint64_t bytes) override {
    return trustformers_gpu_create_buffer(host_, static_cast<double>(bytes));
  }
  void release_buffer(BufferId buffer) noexcept override { trustformers_gpu_release_buffer(host_, buffer); }
  void write_buffer(BufferId buffer, std::uint64_t offset, std::span<const std::byte> bytes) override {
    trustformers_gpu_write_buffer(host_, buffer, static_cast<double>(offset), bytes.data(), bytes.size());
  }

  PipelineId create_pipeline(std::string_view label, std::string_view wgsl) override {
    return trustformers_gpu_create_pipeline(host_, label.data(), label.size(), wgsl.data(), wgsl.size());
  }
  void dispatch(PipelineId pipeline, std::span<const BufferId> buffers, std::span<const std::byte> params,
                Grid grid) override {
    check(params.size() <= max_params_bytes, ErrorCode::internal, "[webgpu] expected at most ", max_params_bytes,
          " bytes of parameters, got ", params.size());
    trustformers_gpu_dispatch(host_, pipeline, buffers.data(), buffers.size(), params.data(), params.size(), grid.x,
                              grid.y, grid.z);
  }

  void read_buffer(BufferId buffer, std::uint64_t offset, std::uint64_t bytes, GpuReadDone done) override {
    auto read = std::make_unique<PendingRead>();
    read->bytes.resize(static_cast<std::size_t>(bytes));
    read->done = std::move(done);
    std::byte* target = read->bytes.data();
    trustformers_gpu_read_buffer(host_, buffer, static_cast<double>(offset), static_cast<double>(bytes), target,
                                 read.release(), finish_read);
  }

 private:
  int host_;
};

void finish_open(void* state, int host, const char* message) {
  const std::unique_ptr<GpuOpened> done(static_cast<GpuOpened*>(state));
  if (!message) return (*done)(std::make_unique<JsGpu>(host), nullptr);
  const Error error(ErrorCode::unsupported, str("[webgpu] expected a GPU from the host, but ", message));
  (*done)(nullptr, &error);
}

}  // namespace

void open_js_gpu(GpuOpened done) { trustformers_gpu_open(new GpuOpened(std::move(done)), finish_open); }

}  // namespace trustformers::webgpu
