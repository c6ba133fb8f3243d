// Speed of the CPU kernels as JSON: the best of many batches of runs.
//   kernels [--threads N] [--filter TEXT] [--seconds S]      TRUSTFORMERS_ISA chooses the instruction set
// GFLOP/s counts two operations a multiply-add; GB/s counts the bytes of the packed weights, read once a call.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "backends/cpu/attention/attention.h"
#include "backends/cpu/gemm/gemm.h"
#include "backends/cpu/rows/rows.h"
#include "backends/cpu/simd/isa.h"
#include "quantization/blocks.h"

using namespace trustformers;
using namespace trustformers::cpu;

namespace {

struct Options {
  int threads = 1;
  std::string filter;
  double seconds = 0.2;
};

/// Time of the calling process on the processor with one thread, which a busy machine does not falsify; wall time with
/// more.
double now(int threads) {
  if (threads == 1) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class Report {
 public:
  explicit Report(Options options) : options_(std::move(options)) {
    std::printf("{\"isa\": \"%s\", \"threads\": %d, \"results\": [", std::string(current_isa().name).c_str(),
                options_.threads);
  }
  ~Report() { std::printf("\n]}\n"); }

  void measure(const std::string& name, double operations, double bytes, const std::function<void()>& run) {
    if (name.find(options_.filter) == std::string::npos) return;
    const auto seconds_for = [&](int times) {
      const double start = now(options_.threads);
      for (int i = 0; i < times; ++i) run();
      return now(options_.threads) - start;
    };
    int times = 1;
    while (seconds_for(times) < 1e-3) times *= 2;
    // The best batch is the one the rest of the machine disturbed least.
    double best = 1e9, spent = 0;
    for (int i = 0; i < 5 || spent < options_.seconds; ++i) {
      const double seconds = seconds_for(times);
      best = std::min(best, seconds / times), spent += seconds;
    }
    std::printf("%s\n  {\"name\": \"%s\", \"microseconds\": %.2f, \"gflops\": %.1f, \"gbs\": %.1f}", first_ ? "" : ",",
                name.c_str(), best * 1e6, operations / best * 1e-9, bytes / best * 1e-9);
    std::fflush(stdout);
    first_ = false;
  }

 private:
  Options options_;
  bool first_ = true;
};

std::vector<float> numbers(std::int64_t count) {
  std::vector<float> out(static_cast<std::size_t>(count));
  std::uint32_t state = 1;
  for (float& x : out) x = static_cast<float>(state = state * 1664525u + 1013904223u) * 0x1p-32f - 0.5f;
  return out;
}

/// Block types that cannot be written from floats get random quants with ordinary scales.
std::vector<std::byte> weight_bytes(DType dtype, std::int64_t count) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(byte_size(dtype, count)));
  if (can_quantize(dtype)) {
    quantize_row(dtype, numbers(count).data(), count, bytes.data());
    return bytes;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 131 >> 3);
  const f16 scale = to_f16(0.001f);
  const auto set = [&]<class Block>(Block block, auto fix) {
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(Block)) {
      std::memcpy(&block, bytes.data() + at, sizeof(Block));
      fix(block);
      std::memcpy(bytes.data() + at, &block, sizeof(Block));
    }
  };
  if (dtype == DType::q4_k) set(BlockQ4K(), [&](auto& b) { b.d = b.dmin = scale; });
  if (dtype == DType::q5_k) set(BlockQ5K(), [&](auto& b) { b.d = b.dmin = scale; });
  if (dtype == DType::q6_k) set(BlockQ6K(), [&](auto& b) { b.d = scale; });
  return bytes;
}

void bench_linear(Report& report, ThreadPool& threads) {
  const DType types[] = {DType::f32,  DType::f16,  DType::bf16, DType::q4_0, DType::q4_1,
                         DType::q8_0, DType::q5_0, DType::q4_k, DType::q6_k};
  for (const DType dtype : types)
    for (const auto& [k, n] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{{576, 1536}, {1536, 576}, {2048, 2048}}) {
      if (k % info(dtype).block_elements != 0) continue;
      const auto bytes = weight_bytes(dtype, n * k);
      const auto packed = PackedMatrix::pack(threads, {dtype, bytes.data(), n, k, k, 1});
      for (const std::int64_t rows : {1, 8, 128})
        for (const Activations activations : {Activations::exact, Activations::int8}) {
          if (activations == Activations::int8 && !is_block(dtype)) continue;
          const auto x = numbers(rows * k);
          std::vector<float> y(static_cast<std::size_t>(rows * n));
          const LinearCall call{
              .x = x.data(), .x_stride = k, .rows = rows, .y = y.data(), .y_stride = n, .activations = activations};
          report.measure(str("linear ", to_string(dtype),
                             is_block(dtype) ? activations == Activations::int8 ? " int8" : " exact" : "", " k", k,
                             " n", n, " m", rows),
                         2.0 * static_cast<double>(rows * n * k), static_cast<double>(packed->bytes()),
                         [&] { linear(threads, *packed, call); });
        }
      report.measure(str("pack ", to_string(dtype), " k", k, " n", n), 0, static_cast<double>(bytes.size()),
                     [&] { PackedMatrix::pack(threads, {dtype, bytes.data(), n, k, k, 1}); });
    }
}

void bench_matmul(Report& report, ThreadPool& threads) {
  for (const std::int64_t size : {64, 256, 768})
    for (int transposed = 0; transposed < 4; ++transposed) {
      const auto a = numbers(size * size), b = numbers(size * size);
      std::vector<float> c(a.size());
      const MatrixView<float> av =
          transposed & 1 ? MatrixView<float>{a.data(), 1, size} : MatrixView<float>{a.data(), size, 1};
      const MatrixView<float> bv =
          transposed & 2 ? MatrixView<float>{b.data(), 1, size} : MatrixView<float>{b.data(), size, 1};
      report.measure(str("matmul ", size, transposed & 1 ? " At" : " A", transposed & 2 ? " Bt" : " B"),
                     2.0 * static_cast<double>(size * size * size), static_cast<double>(4 * size * size),
                     [&] { matmul(threads, size, size, size, av, bv, c.data(), size); });
    }
}

void bench_attention(Report& report, ThreadPool& threads) {
  struct Shape {
    const char* name;
    std::int64_t batch, query_heads, key_heads, queries, keys, dim;
    bool causal;
  };
  for (const Shape& s :
       {Shape{"prefill 128", 1, 9, 3, 128, 128, 64, true}, Shape{"prefill 512", 1, 9, 3, 512, 512, 64, true},
        Shape{"encode 128", 1, 12, 12, 128, 128, 32, false}, Shape{"encode 8x128", 8, 12, 12, 128, 128, 64, false},
        Shape{"decode 64", 1, 9, 3, 1, 64, 64, true}, Shape{"decode 512", 1, 9, 3, 1, 512, 64, true},
        Shape{"decode 4096", 1, 9, 3, 1, 4096, 64, true}}) {
    const auto q = numbers(s.batch * s.query_heads * s.queries * s.dim),
               k = numbers(s.batch * s.key_heads * s.keys * s.dim), v = k;
    std::vector<float> out(q.size());
    AttentionCall c;
    c.batch = s.batch, c.query_heads = s.query_heads, c.key_heads = s.key_heads, c.queries = s.queries, c.keys = s.keys;
    c.head_dim = c.value_dim = s.dim, c.causal = s.causal, c.scale = 0.125f;
    c.q = q.data(), c.k = k.data(), c.v = v.data(), c.out = out.data();
    c.q_strides = c.out_strides = {s.query_heads * s.queries * s.dim, s.queries * s.dim, s.dim};
    c.k_strides = c.v_strides = {s.key_heads * s.keys * s.dim, s.keys * s.dim, s.dim};
    const double share = s.causal && s.queries == s.keys ? 0.5 : 1;
    report.measure(str("attention ", s.name),
                   share * 4.0 * static_cast<double>(s.batch * s.query_heads * s.queries * s.keys * s.dim),
                   8.0 * static_cast<double>(k.size()), [&] { attention(threads, c); });
  }
}

void bench_rows(Report& report, ThreadPool& threads) {
  for (const std::int64_t rows : {1, 128}) {
    const std::int64_t width = 1536, count = rows * width;
    const auto x = numbers(count), w = numbers(width);
    std::vector<float> y(x.size());
    const RowsIn in{x.data(), width};
    const RowsOut out{y.data(), width};
    const auto row = [&](const char* name, const std::function<void()>& run) {
      report.measure(str("rows ", name, " ", rows, "x", width), 0, 8.0 * static_cast<double>(count), run);
    };
    row("rms_norm", [&] { rms_norm(threads, rows, width, in, w.data(), 0, 1e-5f, out); });
    row("layer_norm", [&] { layer_norm(threads, rows, width, in, w.data(), w.data(), 1e-5f, out); });
    row("softmax", [&] { softmax(threads, rows, width, in, out); });
    row("swiglu", [&] { gated(threads, Activation::silu, rows, width, in, in, out); });
    row("gelu", [&] { activate(threads, Activation::gelu, count, x.data(), y.data()); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--threads") options.threads = std::atoi(argv[i + 1]);
    if (name == "--filter") options.filter = argv[i + 1];
    if (name == "--seconds") options.seconds = std::atof(argv[i + 1]);
  }
  try {
    ThreadPool threads(options.threads);
    options.threads = threads.threads();
    Report report(options);
    bench_linear(report, threads);
    bench_matmul(report, threads);
    bench_attention(report, threads);
    bench_rows(report, threads);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
