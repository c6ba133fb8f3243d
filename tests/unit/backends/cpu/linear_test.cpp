#include <algorithm>
#include <limits>

#include "backends/cpu/gemm/gemm.h"
#include "backends/cpu/gemm/kernel_types.h"
#include "kernel_testing.h"
#include "quantization/blocks.h"

using namespace kernel_testing;
using namespace trustformers;
using namespace trustformers::cpu;

namespace {

struct Weight {
  DType dtype;
  std::int64_t n, k;
  std::vector<std::byte> bytes;
  std::vector<float> values;  // what the bytes mean
  WeightView view() const { return {dtype, bytes.data(), n, k, k, 1}; }
};

/// Random bytes whose scales are ordinary numbers.
template <class Block, class Fix>
void random_blocks(Numbers& numbers, std::vector<std::byte>& bytes, const Fix& fix) {
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(Block)) {
    Block block;
    for (std::size_t i = 0; i < sizeof(Block); ++i)
      reinterpret_cast<unsigned char*>(&block)[i] = static_cast<unsigned char>(numbers.bits() >> 20);
    fix(block);
    std::memcpy(bytes.data() + at, &block, sizeof(Block));
  }
}

Weight make_weight(DType dtype, std::int64_t n, std::int64_t k, std::uint64_t seed) {
  Numbers numbers(seed);
  Weight w{dtype, n, k, {}, {}};
  w.bytes.resize(static_cast<std::size_t>(byte_size(dtype, n * k)));
  const auto scale = [&] { return to_f16(numbers.next() * 0.01f); };
  switch (dtype) {
    case DType::q4_k:
      random_blocks<BlockQ4K>(numbers, w.bytes, [&](auto& b) { b.d = scale(), b.dmin = scale(); });
      break;
    case DType::q5_k:
      random_blocks<BlockQ5K>(numbers, w.bytes, [&](auto& b) { b.d = scale(), b.dmin = scale(); });
      break;
    case DType::q2_k:
      random_blocks<BlockQ2K>(numbers, w.bytes, [&](auto& b) { b.d = scale(), b.dmin = scale(); });
      break;
    case DType::q6_k: random_blocks<BlockQ6K>(numbers, w.bytes, [&](auto& b) { b.d = scale(); }); break;
    default: {
      const std::vector<float> values = numbers.vector(n * k);
      quantize_row(dtype, values.data(), n * k, w.bytes.data());
    }
  }
  w.values.resize(static_cast<std::size_t>(n * k));
  dequantize_row(dtype, w.bytes.data(), n * k, w.values.data());
  return w;
}

Sums reference(const Weight& w, const std::vector<float>& x, std::int64_t rows, const float* bias) {
  Sums y;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t n = 0; n < w.n; ++n) {
      double sum = bias ? bias[n] : 0, size = std::fabs(sum);
      for (std::int64_t k = 0; k < w.k; ++k) {
        const double product = static_cast<double>(x[static_cast<std::size_t>(r * w.k + k)]) *
                               w.values[static_cast<std::size_t>(n * w.k + k)];
        sum += product, size += std::fabs(product);
      }
      y.add(sum, size);
    }
  return y;
}

template <class Matrix>
std::vector<float> run(ThreadPool& threads, const Matrix& matrix, std::int64_t n, std::int64_t k,
                       const std::vector<float>& x, std::int64_t rows, const float* bias = nullptr,
                       Activations activations = Activations::exact) {
  // A guard behind every row shows writes beyond N.
  const std::int64_t stride = n + 3;
  std::vector<float> wide(static_cast<std::size_t>(rows * stride), -7.5f), y;
  linear(threads, matrix,
         {.x = x.data(),
          .x_stride = k,
          .rows = rows,
          .y = wide.data(),
          .y_stride = stride,
          .bias = bias,
          .activations = activations});
  for (std::int64_t r = 0; r < rows; ++r) {
    y.insert(y.end(), wide.data() + r * stride, wide.data() + r * stride + n);
    for (std::int64_t i = n; i < stride; ++i) CHECK(wide[static_cast<std::size_t>(r * stride + i)] == -7.5f);
  }
  return y;
}

std::vector<float> first_rows(const std::vector<float>& x, std::int64_t width, std::int64_t from, std::int64_t count) {
  return slice(x, from * width, count * width);
}

const std::vector<DType> packed_blocks = {DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1,
                                          DType::q8_0, DType::q4_k, DType::q5_k, DType::q6_k};

}  // namespace

TEST_CASE("backends/cpu: linear over float weights equals the definition at ragged sizes") {
  ThreadPool threads(1);
  each_isa([&] {
    for (const DType dtype : {DType::f32, DType::f16, DType::bf16})
      for (const std::int64_t n : {1, 2, 3, 5, 16, 31, 33, 130})
        for (const std::int64_t k : {0, 1, 2, 3, 5, 31, 32, 33, 255, 257, 520})
          for (const std::int64_t rows : {1, 2, 5, 6, 13}) {
            const Weight w = make_weight(dtype, n, k, static_cast<std::uint64_t>(n * 1000 + k));
            Numbers numbers(3);
            const auto x = numbers.vector(rows * k), bias = numbers.vector(n);
            const auto packed = PackedMatrix::pack(threads, w.view());
            const auto y = run(threads, *packed, n, k, x, rows, bias.data());
            INFO(to_string(dtype), " n ", n, " k ", k, " rows ", rows);
            CHECK(worst_error(y, reference(w, x, rows, bias.data())) < 1e-6);
            CHECK(same_bits(y, run(threads, w.view(), n, k, x, rows, bias.data())));
          }
  });
}

TEST_CASE("backends/cpu: linear packs weights of any strides") {
  ThreadPool threads(1);
  const std::int64_t n = 37, k = 41;
  Numbers numbers(5);
  const auto values = numbers.vector(n * k * 2), x = numbers.vector(3 * k);
  // Element (i, j) at i + j * n: a transposed view.
  const WeightView view{DType::f32, reinterpret_cast<const std::byte*>(values.data()), n, k, 1, n};
  std::vector<float> straight;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < k; ++j) straight.push_back(values[static_cast<std::size_t>(i + j * n)]);
  const WeightView plain{DType::f32, reinterpret_cast<const std::byte*>(straight.data()), n, k, k, 1};
  each_isa([&] {
    const auto want = run(threads, *PackedMatrix::pack(threads, plain), n, k, x, 3);
    CHECK(same_bits(want, run(threads, *PackedMatrix::pack(threads, view), n, k, x, 3)));
    CHECK(same_bits(want, run(threads, view, n, k, x, 3)));
  });
}

TEST_CASE(
    "backends/cpu: a quantised linear with exact activations equals the float product of its values bit for bit") {
  ThreadPool threads(1);
  each_isa([&] {
    for (const DType dtype : packed_blocks)
      for (const std::int64_t n : {1, 7, 8, 9, 24, 33})
        for (const std::int64_t k : {256, 512}) {
          const Weight w = make_weight(dtype, n, k, static_cast<std::uint64_t>(n + k));
          Numbers numbers(4);
          const auto x = numbers.vector(7 * k);
          const WeightView floats{DType::f32, reinterpret_cast<const std::byte*>(w.values.data()), n, k, k, 1};
          const auto want = run(threads, *PackedMatrix::pack(threads, floats), n, k, x, 7);
          INFO(to_string(dtype), " n ", n, " k ", k);
          CHECK(same_bits(want, run(threads, *PackedMatrix::pack(threads, w.view()), n, k, x, 7)));
          CHECK(same_bits(want, run(threads, w.view(), n, k, x, 7)));
        }
  });
}

TEST_CASE("backends/cpu: a matrix may take its weight's memory over, and gives the weight back bit for bit") {
  ThreadPool threads(1);
  std::vector<DType> dtypes = packed_blocks;
  dtypes.insert(dtypes.end(), {DType::f32, DType::f16, DType::bf16});
  each_isa([&] {
    for (const DType dtype : dtypes)
      for (const std::int64_t n : {1, 9, 16, 48})
        for (const std::int64_t k : {256, 768}) {
          Weight w = make_weight(dtype, n, k, static_cast<std::uint64_t>(n + k));
          Numbers numbers(4);
          const auto x = numbers.vector(3 * k);
          const auto want = run(threads, *PackedMatrix::pack(threads, w.view()), n, k, x, 3);
          const std::vector<std::byte> before = w.bytes;
          std::shared_ptr<const void> owner = std::make_shared<int>();
          const std::weak_ptr<const void> watch = owner;
          const auto packed = PackedMatrix::pack(threads, w.view(), &owner);
          INFO(to_string(dtype), " n ", n, " k ", k);
          // Whole panels stay where the weight was; of the super-blocks only q6_k keeps its size.
          const bool fits = n % packed->panel_columns() == 0 && dtype != DType::q4_k && dtype != DType::q5_k;
          CHECK(owner == nullptr);
          CHECK(watch.expired() == !fits);
          CHECK((packed->panel(0) == w.bytes.data()) == fits);
          if (!fits) std::fill(w.bytes.begin(), w.bytes.end(), std::byte{0x55});
          CHECK(packed->is_of({dtype, nullptr, n, k, k, 1}));
          CHECK_FALSE(packed->is_of(w.view()));
          CHECK(same_bits(want, run(threads, *packed, n, k, x, 3)));
          for (const std::int64_t row : {std::int64_t{0}, n - 1}) {
            std::vector<std::byte> bytes(static_cast<std::size_t>(is_block(dtype) ? 4 * k : byte_size(dtype, k)));
            packed->copy_row(row, bytes.data());
            const std::byte* const whole =
                is_block(dtype) ? reinterpret_cast<const std::byte*>(w.values.data()) : before.data();
            CHECK(std::memcmp(bytes.data(), whole + row * static_cast<std::int64_t>(bytes.size()), bytes.size()) == 0);
          }
          CHECK(std::memcmp(packed->unpacked(), before.data(), before.size()) == 0);
        }
  });
}

TEST_CASE("backends/cpu: types without a packed form run from their blocks") {
  ThreadPool threads(1);
  CHECK_FALSE(PackedMatrix::has_form(DType::q2_k));
  const Weight w = make_weight(DType::q2_k, 19, 512, 8);
  Numbers numbers(4);
  const auto x = numbers.vector(3 * 512);
  CHECK_THROWS_AS(PackedMatrix::pack(threads, w.view()), Error);
  each_isa([&] { CHECK(worst_error(run(threads, w.view(), 19, 512, x, 3), reference(w, x, 3, nullptr)) < 1e-6); });
}

TEST_CASE("backends/cpu: int8 activations give the exact sum over the rounded activations") {
  ThreadPool threads(1);
  each_isa([&] {
    for (const DType dtype : packed_blocks)
      for (const std::int64_t n : {1, 8, 9, 40})
        for (const std::int64_t k : {32, 64, 96, 256, 768}) {
          if (k % info(dtype).block_elements != 0) continue;
          const Weight w = make_weight(dtype, n, k, static_cast<std::uint64_t>(n + k));
          Numbers numbers(6);
          const auto x = numbers.vector(6 * k);
          std::vector<float> rounded;
          for (std::size_t at = 0; at < x.size(); at += 32) {
            float greatest = 0;
            for (std::size_t i = 0; i < 32; ++i) greatest = std::max(greatest, std::fabs(x[at + i]));
            for (std::size_t i = 0; i < 32; ++i)
              rounded.push_back(std::nearbyint(x[at + i] * (127.0f / greatest)) * (greatest / 127.0f));
          }
          const auto packed = PackedMatrix::pack(threads, w.view());
          const auto y = run(threads, *packed, n, k, x, 6, nullptr, Activations::int8);
          INFO(to_string(dtype), " n ", n, " k ", k);
          // A value that lies between two roundings may go either way.
          CHECK(worst_error(y, reference(w, rounded, 6, nullptr)) < 2e-4);
          CHECK(worst_error(y, reference(w, x, 6, nullptr)) < 2e-2);
        }
  });
}

TEST_CASE("backends/cpu: extreme quants and activations do not overflow the integer sums") {
  ThreadPool threads(1);
  for (const DType dtype :
       {DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1, DType::q8_0, DType::q4_k, DType::q5_k, DType::q6_k}) {
    const std::int64_t k = 256;
    Weight w = make_weight(dtype, 8, k, 1);
    std::fill(w.bytes.begin(), w.bytes.end(), std::byte{0xff});
    const auto set = [&]<class Block>(Block*, auto fix) {
      for (std::size_t at = 0; at < w.bytes.size(); at += sizeof(Block)) {
        Block block;
        std::memcpy(&block, w.bytes.data() + at, sizeof(Block));
        fix(block);
        std::memcpy(w.bytes.data() + at, &block, sizeof(Block));
      }
    };
    const f16 one = to_f16(1.0f), none = to_f16(0.0f);
    switch (dtype) {
      case DType::q4_0: set(static_cast<BlockQ4_0*>(nullptr), [&](auto& b) { b.d = one; }); break;
      case DType::q4_1: set(static_cast<BlockQ4_1*>(nullptr), [&](auto& b) { b.d = one, b.m = none; }); break;
      case DType::q5_0: set(static_cast<BlockQ5_0*>(nullptr), [&](auto& b) { b.d = one; }); break;
      case DType::q5_1: set(static_cast<BlockQ5_1*>(nullptr), [&](auto& b) { b.d = one, b.m = none; }); break;
      case DType::q8_0:
        set(static_cast<BlockQ8_0*>(nullptr), [&](auto& b) {
          b.d = one;
          std::fill(b.qs, b.qs + 32, std::int8_t{-128});
        });
        break;
      case DType::q4_k: set(static_cast<BlockQ4K*>(nullptr), [&](auto& b) { b.d = one, b.dmin = none; }); break;
      case DType::q5_k: set(static_cast<BlockQ5K*>(nullptr), [&](auto& b) { b.d = one, b.dmin = none; }); break;
      default: set(static_cast<BlockQ6K*>(nullptr), [&](auto& b) { b.d = one; }); break;
    }
    dequantize_row(dtype, w.bytes.data(), 8 * k, w.values.data());
    for (const float value : {1.0f, -1.0f}) {
      const std::vector<float> x(static_cast<std::size_t>(5 * k), value);
      each_isa([&] {
        INFO(to_string(dtype), " activation ", value);
        const auto packed = PackedMatrix::pack(threads, w.view());
        CHECK(worst_error(run(threads, *packed, 8, k, x, 5, nullptr, Activations::int8), reference(w, x, 5, nullptr)) <
              1e-6);
      });
    }
  }
}

TEST_CASE("backends/cpu: a row of linear has the same bits alone, in a batch and with two threads") {
  ThreadPool one(1), two(2);
  each_isa([&] {
    for (const DType dtype : {DType::f32, DType::f16, DType::bf16, DType::q4_0, DType::q4_1, DType::q5_1, DType::q8_0,
                              DType::q4_k, DType::q6_k})
      for (const Activations activations : {Activations::exact, Activations::int8}) {
        const std::int64_t n = 203, k = 768;
        const Weight w = make_weight(dtype, n, k, 9);
        const auto packed = PackedMatrix::pack(two, w.view());
        Numbers numbers(11);
        const auto x = numbers.vector(130 * k), bias = numbers.vector(n);
        const auto all = run(one, *packed, n, k, x, 130, bias.data(), activations);
        INFO(to_string(dtype));
        CHECK(same_bits(all, run(two, *packed, n, k, x, 130, bias.data(), activations)));
        for (const std::int64_t rows : {1, 2, 3, 4, 5, 7}) {
          const auto part = run(two, *packed, n, k, first_rows(x, k, 60, rows), rows, bias.data(), activations);
          CHECK(same_bits(part, first_rows(all, n, 60, rows)));
        }
      }
  });
}

TEST_CASE("backends/cpu: NaN and infinity in a row reach its outputs and no other row") {
  ThreadPool threads(1);
  const float bad_values[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()};
  each_isa([&] {
    for (const DType dtype : {DType::f32, DType::q4_0, DType::q6_k, DType::q8_0})
      for (const Activations activations : {Activations::exact, Activations::int8})
        for (const float bad : bad_values)
          for (const std::int64_t at : {0, 9, 31, 200}) {
            const Weight w = make_weight(dtype, 20, 256, 2);
            const auto packed = PackedMatrix::pack(threads, w.view());
            Numbers numbers(12);
            auto x = numbers.vector(5 * 256);
            const auto clean = run(threads, *packed, 20, 256, x, 5, nullptr, activations);
            x[static_cast<std::size_t>(2 * 256 + at)] = bad;
            const auto y = run(threads, *packed, 20, 256, x, 5, nullptr, activations);
            for (std::size_t i = 0; i < y.size(); ++i) {
              if (i / 20 != 2)
                CHECK(y[i] == clean[i]);
              else
                CHECK_FALSE(std::isfinite(y[i]));
            }
          }
  });
}
