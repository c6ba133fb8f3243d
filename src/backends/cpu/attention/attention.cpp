#include "attention.h"

#include <algorithm>
#include <vector>

#include "../simd/isa.h"

namespace trustformers::cpu {

void attention(ThreadPool& threads, const AttentionCall& call) {
  const auto attend = kernels().attention.attend;
  if (call.batch == 0 || call.query_heads == 0 || call.queries == 0) return;
  const std::int64_t rows = call.query_heads / call.key_heads * call.queries;
  const std::int64_t tiles = (rows + tile_rows - 1) / tile_rows, heads = call.batch * call.key_heads;
  // Short calls are not worth a second thread.
  constexpr std::int64_t worth = 1 << 17;
  const std::int64_t cost = std::min(rows, tile_rows) * (call.keys + 1) * (call.head_dim + call.value_dim + 1);
  const std::int64_t chunk = std::clamp<std::int64_t>(worth / cost, 1, heads * tiles);
  threads.parallel_chunks(heads * tiles, chunk, [&](std::int64_t begin, std::int64_t end) {
    thread_local std::vector<float> scratch;
    const auto needed = static_cast<std::size_t>(attention_scratch(call));
    if (scratch.size() < needed) scratch.resize(needed);
    for (std::int64_t t = begin; t < end; ++t) {
      // The longest rows come first: with a causal mask they cost most, and a late long task would leave threads idle.
      const std::int64_t tile = tiles - 1 - t / heads, head = t % heads;
      attend(call, head / call.key_heads, head % call.key_heads, tile * tile_rows,
             std::min(rows, (tile + 1) * tile_rows), scratch.data());
    }
  });
}

}  // namespace trustformers::cpu
