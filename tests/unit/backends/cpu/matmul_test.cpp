#include <limits>

#include "backends/cpu/gemm/gemm.h"
#include "kernel_testing.h"

using namespace kernel_testing;
using namespace trustformers::cpu;

namespace {

template <class T>
Sums reference(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<T> a, MatrixView<T> b) {
  Sums c;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0, size = 0;
      for (std::int64_t p = 0; p < k; ++p) {
        const double product = static_cast<double>(a.data[i * a.row_stride + p * a.column_stride]) *
                               static_cast<double>(b.data[p * b.row_stride + j * b.column_stride]);
        sum += product, size += std::fabs(product);
      }
      c.add(sum, size);
    }
  return c;
}

}  // namespace

TEST_CASE_TEMPLATE("backends/cpu: matmul equals the definition for all transpositions and ragged sizes", T, float,
                   double) {
  ThreadPool threads(2);
  Numbers numbers(1);
  std::vector<T> pool;
  for (int i = 0; i < 300 * 300; ++i) pool.push_back(static_cast<T>(numbers.next()));
  each_isa([&] {
    for (const std::int64_t m : {0, 1, 2, 3, 5, 31, 32, 33, 101})
      for (const std::int64_t n : {0, 1, 2, 3, 5, 15, 16, 17, 33, 255})
        for (const std::int64_t k : {0, 1, 3, 16, 33, 257})
          for (int transposed = 0; transposed < 4; ++transposed) {
            MatrixView<T> a{pool.data() + 5, k + 2, 1}, b{pool.data() + 77, n + 1, 1};
            if (transposed & 1) a = {pool.data() + 5, 1, m + 3};
            if (transposed & 2) b = {pool.data() + 77, 1, k};
            std::vector<T> c(static_cast<std::size_t>(m * (n + 2)), T(-3));
            matmul(threads, m, n, k, a, b, c.data(), n + 2);
            std::vector<T> got;
            for (std::int64_t i = 0; i < m; ++i) {
              got.insert(got.end(), c.data() + i * (n + 2), c.data() + i * (n + 2) + n);
              CHECK(c[static_cast<std::size_t>(i * (n + 2) + n)] == T(-3));
            }
            INFO("m ", m, " n ", n, " k ", k, " transposed ", transposed);
            CHECK(worst_error(got, reference(m, n, k, a, b)) < (sizeof(T) == 4 ? 1e-6 : 1e-14));
          }
  });
}

TEST_CASE("backends/cpu: matmul takes any strides, zero included") {
  ThreadPool threads(1);
  Numbers numbers(2);
  const auto pool = numbers.vector(40000);
  each_isa([&] {
    const MatrixView<float> a{pool.data(), 130, 3}, b{pool.data() + 9, 0, 2}, d{pool.data() + 3, 5, 0};
    std::vector<float> c(40 * 20);
    matmul(threads, 40, 20, 37, a, b, c.data(), 20);
    CHECK(worst_error(c, reference(40, 20, 37, a, b)) < 1e-6);
    matmul(threads, 40, 20, 37, a, d, c.data(), 20);
    CHECK(worst_error(c, reference(40, 20, 37, a, d)) < 1e-6);
  });
}

TEST_CASE("backends/cpu: matmul accumulates, and its rows do not depend on their number or on threads") {
  ThreadPool one(1), two(2);
  Numbers numbers(3);
  const std::int64_t m = 205, n = 700, k = 600;
  const auto a = numbers.vector(m * k), b = numbers.vector(n * k);
  each_isa([&] {
    for (const bool transposed : {false, true}) {
      const MatrixView<float> av{a.data(), k, 1};
      const MatrixView<float> bv = transposed ? MatrixView<float>{b.data(), 1, k} : MatrixView<float>{b.data(), n, 1};
      std::vector<float> c1(static_cast<std::size_t>(m * n)), c2 = c1, row(static_cast<std::size_t>(n));
      matmul(one, m, n, k, av, bv, c1.data(), n);
      matmul(two, m, n, k, av, bv, c2.data(), n);
      CHECK(same_bits(c1, c2));
      for (const std::int64_t r : {0, 100, 204}) {
        matmul(two, 1, n, k, {a.data() + r * k, k, 1}, bv, row.data(), n);
        CHECK(same_bits(row, slice(c1, r * n, n)));
      }
      // Two halves of k, the second added to the first, are the whole product bit for bit.
      matmul(two, m, n, 250, av, bv, c2.data(), n);
      matmul(two, m, n, k - 250, {a.data() + 250, k, 1},
             {bv.data + 250 * bv.row_stride, bv.row_stride, bv.column_stride}, c2.data(), n, true);
      CHECK(same_bits(c1, c2));
    }
  });
}

TEST_CASE("backends/cpu: matmul passes NaN and infinity on, also beside zeros") {
  ThreadPool threads(1);
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> a = {0, 1, 0, 0}, b = {infinity, 2, 3, 4};
  each_isa([&] {
    std::vector<float> c(4);
    matmul(threads, 2, 2, 2, MatrixView<float>{a.data(), 2, 1}, {b.data(), 2, 1}, c.data(), 2);
    CHECK(std::isnan(c[0]));
    CHECK(c[1] == 4.0f);
    CHECK(std::isnan(c[2]));
    CHECK(c[3] == 0.0f);
  });
}
