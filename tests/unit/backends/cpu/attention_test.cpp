#include <algorithm>
#include <limits>

#include "backends/cpu/attention/attention.h"
#include "kernel_testing.h"

using namespace kernel_testing;
using namespace trustformers::cpu;

namespace {

/// Contiguous q, k, v of one case, with optional mask and bias.
struct Case {
  std::int64_t batch = 1, query_heads = 1, key_heads = 1, queries = 1, keys = 1, dim = 8, value_dim = 8;
  bool causal = false;
  std::int64_t window = 0, prefix = 0;
  float softcap = 0;
  bool masked = false, biased = false;
  std::vector<float> q, k, v, bias;
  std::vector<std::uint8_t> mask;

  void fill(std::uint64_t seed) {
    Numbers numbers(seed);
    q = numbers.vector(batch * query_heads * queries * dim);
    for (float& x : q) x *= 3;
    k = numbers.vector(batch * key_heads * keys * dim);
    v = numbers.vector(batch * key_heads * keys * value_dim);
    if (biased) bias = numbers.vector(query_heads * queries * keys);
    if (masked)
      for (std::int64_t i = 0; i < batch * keys; ++i) mask.push_back(numbers.bits() % 3 != 0);
  }
  AttentionCall call(float* out) const {
    AttentionCall c;
    c.batch = batch, c.query_heads = query_heads, c.key_heads = key_heads, c.queries = queries, c.keys = keys;
    c.head_dim = dim, c.value_dim = value_dim;
    c.q = q.data(), c.k = k.data(), c.v = v.data(), c.out = out;
    c.q_strides = {query_heads * queries * dim, queries * dim, dim};
    c.k_strides = {key_heads * keys * dim, keys * dim, dim};
    c.v_strides = {key_heads * keys * value_dim, keys * value_dim, value_dim};
    // Positions before heads, as the following projection wants them.
    c.out_strides = {query_heads * queries * value_dim, value_dim, query_heads * value_dim};
    c.scale = 0.3f, c.softcap = softcap, c.causal = causal, c.window = window, c.prefix = prefix;
    if (masked) c.key_mask = mask.data(), c.key_mask_stride = keys;
    if (biased) c.bias = bias.data(), c.bias_strides = {0, queries * keys, keys};
    return c;
  }
  std::vector<float> run(ThreadPool& threads) const {
    std::vector<float> out(static_cast<std::size_t>(batch * queries * query_heads * value_dim), -1);
    attention(threads, call(out.data()));
    return out;
  }
  bool sees(std::int64_t b, std::int64_t i, std::int64_t s) const {
    if (masked && !mask[static_cast<std::size_t>(b * keys + s)]) return false;
    if (s < prefix) return true;
    const std::int64_t position = keys - queries + i;
    if (causal && s > position) return false;
    return window == 0 || std::abs(s - position) < window;
  }
  /// The definition, in double.
  std::vector<double> reference() const {
    std::vector<double> out(static_cast<std::size_t>(batch * queries * query_heads * value_dim));
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t h = 0; h < query_heads; ++h)
        for (std::int64_t i = 0; i < queries; ++i) {
          const std::int64_t kv = b * key_heads + h / (query_heads / key_heads);
          std::vector<double> score;
          double top = -std::numeric_limits<double>::infinity(), total = 0;
          for (std::int64_t s = 0; s < keys; ++s) {
            double sum = 0;
            for (std::int64_t d = 0; d < dim; ++d)
              sum += static_cast<double>(q[static_cast<std::size_t>(((b * query_heads + h) * queries + i) * dim + d)]) *
                     k[static_cast<std::size_t>((kv * keys + s) * dim + d)];
            sum *= 0.3f;
            if (softcap > 0) sum = softcap * std::tanh(sum / softcap);
            if (biased) sum += bias[static_cast<std::size_t>((h * queries + i) * keys + s)];
            if (!sees(b, i, s)) sum = -std::numeric_limits<double>::infinity();
            score.push_back(sum);
            top = std::max(top, sum);
          }
          if (std::isinf(top)) {  // nothing is seen: all keys alike
            std::fill(score.begin(), score.end(), 0.0);
            top = 0;
          }
          for (double& s : score) total += s = std::exp(s - top);
          for (std::int64_t s = 0; s < keys; ++s)
            for (std::int64_t d = 0; d < value_dim; ++d)
              out[static_cast<std::size_t>(((b * queries + i) * query_heads + h) * value_dim + d)] +=
                  score[static_cast<std::size_t>(s)] / total *
                  v[static_cast<std::size_t>((kv * keys + s) * value_dim + d)];
        }
    return out;
  }
};

double greatest_difference(const std::vector<float>& got, const std::vector<double>& want) {
  REQUIRE(got.size() == want.size());
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::fabs(got[i] - want[i]);
    if (std::isnan(error)) return std::numeric_limits<double>::infinity();
    worst = std::max(worst, error);
  }
  return worst;
}

}  // namespace

TEST_CASE("backends/cpu: attention equals the definition for all masks at ragged sizes") {
  ThreadPool threads(1);
  std::vector<Case> kinds(9);
  kinds[1].causal = true;
  kinds[2].causal = true, kinds[2].window = 7;
  kinds[3].causal = true, kinds[3].window = 40, kinds[3].prefix = 5;
  kinds[4].masked = true;
  kinds[5].masked = true, kinds[5].causal = true;
  kinds[6].biased = true, kinds[6].softcap = 2;
  kinds[7].biased = true, kinds[7].causal = true, kinds[7].masked = true, kinds[7].prefix = 40;
  kinds[8].masked = true, kinds[8].window = 5;
  each_isa([&] {
    for (std::size_t kind = 0; kind < kinds.size(); ++kind)
      for (const auto& [queries, keys] : std::vector<std::pair<int, int>>{{1, 1},
                                                                          {1, 2},
                                                                          {2, 3},
                                                                          {5, 5},
                                                                          {1, 31},
                                                                          {1, 32},
                                                                          {1, 33},
                                                                          {31, 31},
                                                                          {33, 33},
                                                                          {3, 70},
                                                                          {70, 70},
                                                                          {70, 3}})
        for (const auto& [query_heads, key_heads] : std::vector<std::pair<int, int>>{{2, 2}, {6, 2}})
          for (const auto& [dim, value_dim] : std::vector<std::pair<int, int>>{{16, 16}, {3, 5}, {40, 33}}) {
            Case c = kinds[kind];
            c.batch = 2, c.query_heads = query_heads, c.key_heads = key_heads, c.queries = queries, c.keys = keys;
            c.dim = dim, c.value_dim = value_dim;
            c.fill(static_cast<std::uint64_t>(queries * 100 + keys));
            INFO("kind ", kind, " queries ", queries, " keys ", keys, " heads ", query_heads, "/", key_heads, " dim ",
                 dim);
            CHECK(greatest_difference(c.run(threads), c.reference()) < 2e-6);
          }
  });
}

TEST_CASE("backends/cpu: a query gives the same bits in a prompt, alone with a cache, and with two threads") {
  ThreadPool one(1), two(2);
  each_isa([&] {
    for (const std::int64_t window : {0, 50}) {
      Case c;
      c.batch = 2, c.query_heads = 6, c.key_heads = 2, c.queries = c.keys = 150, c.dim = c.value_dim = 64;
      c.causal = true, c.window = window;
      c.fill(3);
      const auto all = c.run(one);
      CHECK(same_bits(all, c.run(two)));
      for (const auto& [from, to] :
           std::vector<std::pair<int, int>>{{0, 1}, {31, 32}, {32, 33}, {77, 78}, {60, 67}, {149, 150}}) {
        // The cache holds keys below `to`; queries `from` to `to` - 1 are new.
        const std::int64_t count = to - from;
        std::vector<float> out(static_cast<std::size_t>(2 * count * 6 * 64));
        AttentionCall call = c.call(out.data());
        call.q += from * 64, call.queries = count, call.keys = to;
        call.out_strides.batch = count * 6 * 64;
        attention(two, call);
        for (std::int64_t b = 0; b < 2; ++b) {
          const auto want = slice(all, (b * 150 + from) * 384, count * 384);
          CHECK(same_bits(slice(out, b * count * 384, count * 384), want));
        }
      }
    }
  });
}

TEST_CASE("backends/cpu: a query that sees no key gives the mean of all values, and masked keys have no say") {
  ThreadPool threads(1);
  each_isa([&] {
    Case c;
    c.queries = 3, c.keys = 40, c.masked = true, c.causal = true;
    c.fill(5);
    std::fill(c.mask.begin(), c.mask.end(), std::uint8_t{0});
    const auto none = c.run(threads);
    for (std::size_t d = 0; d < 8; ++d) {
      double mean = 0;
      for (std::size_t s = 0; s < 40; ++s) mean += c.v[s * 8 + d] / 40.0;
      for (std::size_t i = 0; i < 3; ++i) CHECK(none[i * 8 + d] == doctest::Approx(mean));
    }
    c.mask[2] = 1;
    const auto one = c.run(threads);
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t d = 0; d < 8; ++d) CHECK(one[i * 8 + d] == c.v[2 * 8 + d]);
    // A masked key may hold anything.
    c.k[5 * 8] = std::numeric_limits<float>::quiet_NaN();
    CHECK(same_bits(one, c.run(threads)));
  });
}

TEST_CASE("backends/cpu: attention passes NaN on, and takes -infinity as a mask") {
  ThreadPool threads(1);
  const float infinity = std::numeric_limits<float>::infinity();
  each_isa([&] {
    Case c;
    c.queries = 2, c.keys = 70, c.biased = true;
    c.fill(6);
    for (std::int64_t s = 0; s < 64; ++s) c.bias[static_cast<std::size_t>(s)] = -infinity;
    CHECK(greatest_difference(c.run(threads), c.reference()) < 2e-6);
    c.bias[40] = std::numeric_limits<float>::quiet_NaN();
    const auto y = c.run(threads);
    for (std::size_t d = 0; d < 8; ++d) {
      CHECK(std::isnan(y[d]));
      CHECK(std::isfinite(y[8 + d]));
    }
  });
}
