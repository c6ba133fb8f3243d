// After warm-up a steady stream of ops asks the system allocator for nothing.
#include "allocation_count.h"

#include "ops/activation/activation.h"
#include "ops/attention/attention.h"
#include "ops/attention/rope.h"
#include "ops/elementwise/binary.h"
#include "ops/elementwise/unary.h"
#include "ops/index/index.h"
#include "ops/matmul/matmul.h"
#include "ops/norm/norm.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape_ops.h"

using namespace trustformers;

using test::check_steady;

TEST_CASE("tensor: single ops allocate nothing once warm") {
  const Tensor x = Tensor::randn({4, 64}, 1);
  const Tensor y = Tensor::randn({4, 64}, 2);
  const Tensor w = Tensor::randn({64}, 3);
  const Tensor half = cast(x, DType::f16);
  const Tensor mask = less(x, 0.0);
  const Tensor weight = Tensor::randn({48, 64}, 4);
  const Tensor ids = Tensor::from<std::int64_t>({1, 5, 2}, {3});
  const Tensor turned = transpose(x, 0, 1);

  check_steady("empty", [&] { Tensor::empty({4, 64}); });
  check_steady("neg", [&] { neg(x); });
  check_steady("add", [&] { x + y; });
  check_steady("add a scalar", [&] { x + 1.0; });
  check_steady("add a row", [&] { x + w; });
  check_steady("cast", [&] { cast(x, DType::f16); });
  check_steady("f16", [&] { half + half; });
  check_steady("where", [&] { where(mask, x, y); });
  check_steady("compare with a number", [&] { less(x, 0.5); });
  check_steady("sum", [&] { sum(x, {-1}); });
  check_steady("max", [&] { max(x, {0}, true); });
  check_steady("argmax", [&] { argmax(x); });
  check_steady("views", [&] { slice(transpose(reshape(x, {8, 32}), 0, 1), 0, 3, 9); });
  check_steady("expand", [&] { expand(w, {4, 64}); });
  check_steady("contiguous", [&] { contiguous(turned); });
  check_steady("concat", [&] {
    const std::array<Tensor, 2> parts = {x, y};
    concat(parts, 1);
  });
  check_steady("slice_scatter", [&] { slice_scatter(x, y, 1, 0, 1); });
  check_steady("gather", [&] { gather(w, 0, ids); });
  check_steady("embedding", [&] { embedding(weight, ids); });
  check_steady("matmul", [&] { matmul(x, turned); });
  check_steady("f16 matmul", [&] { matmul(half, transpose(half, 0, 1)); });
  check_steady("linear", [&] { linear(x, weight); });
  check_steady("rms_norm", [&] { rms_norm(x, w, 1e-5); });
  check_steady("rms_norm of a view", [&] { rms_norm(transpose(contiguous(turned), 0, 1), w, 1e-5); });
  check_steady("layer_norm", [&] { layer_norm(x, w, w, 1e-5); });
  check_steady("softmax", [&] { softmax(x); });
  check_steady("log_softmax", [&] { log_softmax(x); });
  check_steady("gelu", [&] { gelu(x); });
  check_steady("swiglu", [&] { swiglu(x, y); });
  check_steady("write", [&] { x.device().write(y, x); });
}

TEST_CASE("tensor: a decoder layer allocates nothing a token once warm") {
  constexpr std::int64_t width = 64;
  constexpr std::int64_t heads = 4;
  constexpr std::int64_t head_dim = width / heads;
  for (const int threads : {1, 2}) {
    const std::unique_ptr<Context> context = make_context(threads);
    const ContextScope scope(*context);
    const Tensor table = Tensor::randn({50, width}, 1);
    const Tensor norm = Tensor::ones({width});
    const Tensor wq = Tensor::randn({width, width}, 2);
    const Tensor wk = Tensor::randn({width / 2, width}, 3);
    const Tensor up = Tensor::randn({160, width}, 4);
    const Tensor down = Tensor::randn({width, 160}, 5);
    for (const Tensor& w : {wq, wk, up, down}) w.device().prepack(w);
    const Tensor cosines = Tensor::rand({32, head_dim / 2}, 6);
    const Tensor keys = Tensor::zeros({1, heads / 2, 32, head_dim});
    const Tensor values = Tensor::zeros({1, heads / 2, 32, head_dim});
    std::int64_t position = 0;
    check_steady("decoder layer", [&] {
      const std::int64_t id[] = {position % 50};
      const std::int64_t at[] = {position};
      const Tensor positions = Tensor::from<std::int64_t>(at, {1, 1});
      const Tensor x = embedding(table, Tensor::from<std::int64_t>(id, {1, 1}));
      const Tensor h = rms_norm(x, norm, 1e-5);
      const auto split = [](const Tensor& t, std::int64_t n) {
        return transpose(reshape(t, {1, 1, n, head_dim}), 1, 2);
      };
      const Tensor q = rope(split(linear(h, wq), heads), cosines, cosines, positions);
      const Tensor k = rope(split(linear(h, wk), heads / 2), cosines, cosines, positions);
      const Tensor v = split(linear(h, wk), heads / 2);
      keys.device().write(k, slice(keys, 2, position, position + 1));
      values.device().write(v, slice(values, 2, position, position + 1));
      const Tensor context_vector = attention(q, slice(keys, 2, 0, position + 1), slice(values, 2, 0, position + 1),
                                              {.scale = 0.25, .causal = true});
      const Tensor merged = reshape(transpose(context_vector, 1, 2), {1, 1, width});
      const Tensor y = x + linear(merged, wq);
      const Tensor g = rms_norm(y, norm, 1e-5);
      const Tensor out = y + linear(swiglu(linear(g, up), linear(g, up)), down);
      argmax(linear(out, table));
      position = (position + 1) % 25;
    });
  }
}

TEST_CASE("tensor: the counters see what is new") {
  const AllocationCounters before = allocation_counters();
  {
    const Tensor huge = Tensor::empty({100 << 20}, DType::u8);  // more than the pool keeps
    CHECK(allocation_counters().storage_blocks == before.storage_blocks + 1);
    CHECK(allocation_counters().storage_bytes >= before.storage_bytes + (100 << 20));
  }
  CHECK(allocation_counters().storage_bytes == before.storage_bytes);

  const long count = test::allocation_count();
  const std::vector<int> some(10);
  CHECK(test::allocation_count() == count + 1);
}
