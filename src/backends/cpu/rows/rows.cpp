#include "rows.h"

#include <algorithm>

#include "../simd/isa.h"

namespace trustformers::cpu {
namespace {

/// Rows that make it worth to wake a thread: `work` is the cost of one in elements.
std::int64_t grain(std::int64_t work) {
  constexpr std::int64_t worth = 8192;
  return std::max<std::int64_t>(1, worth / std::max<std::int64_t>(work, 1));
}

/// body(row) for all rows.
template <class Body>
void for_each_row(ThreadPool& threads, std::int64_t rows, std::int64_t work, const Body& body) {
  threads.parallel_for(rows, grain(work), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) body(r);
  });
}

}  // namespace

void rms_norm(ThreadPool& threads, std::int64_t rows, std::int64_t width, RowsIn x, const float* weight,
              float weight_offset, float eps, RowsOut y) {
  const auto kernel = kernels().rows.rms_norm;
  for_each_row(threads, rows, width, [&](std::int64_t r) {
    kernel(x.data + r * x.stride, width, weight, weight_offset, eps, y.data + r * y.stride);
  });
}

void layer_norm(ThreadPool& threads, std::int64_t rows, std::int64_t width, RowsIn x, const float* weight,
                const float* bias, float eps, RowsOut y) {
  const auto kernel = kernels().rows.layer_norm;
  for_each_row(threads, rows, width,
               [&](std::int64_t r) { kernel(x.data + r * x.stride, width, weight, bias, eps, y.data + r * y.stride); });
}

void softmax(ThreadPool& threads, std::int64_t rows, std::int64_t width, RowsIn x, RowsOut y) {
  const auto kernel = kernels().rows.softmax;
  for_each_row(threads, rows, 4 * width,
               [&](std::int64_t r) { kernel(x.data + r * x.stride, width, y.data + r * y.stride); });
}

void rope(ThreadPool& threads, const RopeCall& call) {
  const RowKernels& table = kernels().rows;
  const auto kernel = call.pairs == RopePairs::half_split ? table.rope_half_split : table.rope_interleaved;
  const std::int64_t half = call.rotary_dim / 2;
  const float sign = call.inverse ? -1.0f : 1.0f;
  for_each_row(threads, call.batch * call.length, call.heads * call.head_dim, [&](std::int64_t i) {
    const std::int64_t b = i / call.length, l = i % call.length;
    const std::int64_t position =
        call.positions ? call.positions[b * call.positions_batch + l] : call.first_position + l;
    for (std::int64_t h = 0; h < call.heads; ++h) {
      const float* x = call.x + b * call.x_batch + h * call.x_head + l * call.x_position;
      float* y = call.y + b * call.y_batch + h * call.y_head + l * call.y_position;
      kernel(x, half, call.cos + position * half, call.sin + position * half, sign, y);
      if (x != y) std::copy(x + call.rotary_dim, x + call.head_dim, y + call.rotary_dim);
    }
  });
}

void activate(ThreadPool& threads, Activation f, std::int64_t count, const float* x, float* y) {
  // Whole vectors a thread, so that every element meets the same code whatever the number of threads.
  constexpr std::int64_t vector = 64;
  const auto kernel = kernels().rows.activate;
  threads.parallel_for((count + vector - 1) / vector, grain(4 * vector), [&](std::int64_t begin, std::int64_t end) {
    kernel(f, x + begin * vector, nullptr, std::min(end * vector, count) - begin * vector, y + begin * vector);
  });
}

void gated(ThreadPool& threads, Activation f, std::int64_t rows, std::int64_t width, RowsIn gate, RowsIn up,
           RowsOut y) {
  const auto kernel = kernels().rows.activate;
  for_each_row(threads, rows, 4 * width, [&](std::int64_t r) {
    kernel(f, gate.data + r * gate.stride, up.data + r * up.stride, width, y.data + r * y.stride);
  });
}

}  // namespace trustformers::cpu
