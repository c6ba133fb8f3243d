#include "device_rows.h"

#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "base/rng.h"
#include "graph/trace.h"
#include "ops/matmul/matmul.h"
#include "ops/norm/norm.h"
#include "ops/shape/shape_ops.h"
#include "tensor/context.h"

namespace trustformers::test {
namespace {

using Values = std::vector<double>;

/// The squared error that f32 earns when each of `terms` additions rounds by at most half a unit of the last place,
/// independently of the others; a few more for the operations around the sum.
double f32_bar(std::size_t terms) { return static_cast<double>(terms + 4) * 0x1p-48; }

constexpr double eps = 1e-5;

std::size_t count_of(const Shape& shape) { return static_cast<std::size_t>(element_count(shape)); }

/// Standard normal numbers that f32 holds exactly.
Values random_values(const Shape& shape, std::uint64_t seed) {
  const Philox random(seed);
  Values values(count_of(shape));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = random.normal(i);
  return values;
}

Tensor on_device(const Values& values, const Shape& shape) {
  return Tensor::from(std::vector<float>(values.begin(), values.end()), shape);
}

/// The squared error relative to the squared size of what was expected; infinite when a number is not finite.
double normalised_error(std::span<const float> got, const Values& expected) {
  double error = 0, size = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(got[i])) return HUGE_VAL;
    error += (got[i] - expected[i]) * (got[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  return size > 0 ? error / size : error;
}

std::span<const float> floats(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

/// Reads `got` and compares it with `expected`.
void compare(const Tensor& got, const Shape& shape, Values expected, double bar, RowDone done) {
  if (got.shape() != shape) return done("expected shape " + to_string(shape) + ", got " + to_string(got.shape()));
  got.read([expected = std::move(expected), bar, done = std::move(done)](std::span<const std::byte> bytes,
                                                                         const Error* error) {
    if (error) return done(error->what());
    if (bytes.size() != expected.size() * sizeof(float)) return done(str("read ", bytes.size(), " bytes"));
    const double off = normalised_error(floats(bytes), expected);
    done(off <= bar ? "" : str("normalised squared error ", off, ", at most ", bar, " expected"));
  });
}

Values rms_norm_reference(const Values& x, const Values* weight, std::size_t width) {
  Values y(x.size());
  for (std::size_t start = 0; start < x.size(); start += width) {
    double sum = 0;
    for (std::size_t i = 0; i < width; ++i) sum += x[start + i] * x[start + i];
    const double scale = 1 / std::sqrt(sum / static_cast<double>(width) + eps);
    for (std::size_t i = 0; i < width; ++i) y[start + i] = x[start + i] * scale * (weight ? (*weight)[i] : 1);
  }
  return y;
}

/// One matrix: a [m, k] and b [k, n] given by element functions.
template <class A, class B>
void multiply(Values& c, std::size_t at, std::size_t m, std::size_t n, std::size_t k, A&& a, B&& b) {
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::size_t p = 0; p < k; ++p) sum += a(i, p) * b(p, j);
      c[at + i * n + j] = sum;
    }
}

DeviceRow rms_norm_row(const Shape& shape, bool weighted) {
  return {str("rms_norm ", to_string(shape), weighted ? " weighted" : ""), [shape, weighted](RowDone done) {
            const Shape width{shape[shape.size() - 1]};
            const Values x = random_values(shape, 1), w = random_values(width, 2);
            const Tensor y = rms_norm(on_device(x, shape), weighted ? on_device(w, width) : Tensor(), eps);
            compare(y, shape, rms_norm_reference(x, weighted ? &w : nullptr, count_of(width)), f32_bar(count_of(width)),
                    std::move(done));
          }};
}

void rms_norm_of_a_view(RowDone done) {
  const std::size_t rows = 33, width = 31;
  const Values x = random_values({31, 33}, 3);
  Values turned(x.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t i = 0; i < width; ++i) turned[r * width + i] = x[i * rows + r];
  const Tensor y = rms_norm(transpose(on_device(x, {31, 33}), 0, 1), Tensor(), eps);
  compare(y, {33, 31}, rms_norm_reference(turned, nullptr, width), f32_bar(width), std::move(done));
}

/// The device's kernel against the op's own decomposition, run on the CPU.
void rms_norm_against_decomposition(RowDone done) {
  const Shape shape{3, 5, 255}, width{255};
  const Values x = random_values(shape, 4), w = random_values(width, 5);
  Context& context = Context::current();
  Device& device = context.default_device();
  Values expected;
  context.set_default_device(nullptr);
  {
    const NormAttrs attrs{eps};
    const Tensor in[] = {on_device(x, shape), on_device(w, width)};
    expected = rms_norm_op.decompose({&attrs, in})[0].to_vector<double>();
  }
  context.set_default_device(&device);
  compare(rms_norm(on_device(x, shape), on_device(w, width), eps), shape, std::move(expected), f32_bar(255),
          std::move(done));
}

DeviceRow matmul_row(std::int64_t m, std::int64_t n, std::int64_t k) {
  return {str("matmul [", m, ", ", k, "] x [", k, ", ", n, "]"), [m, n, k](RowDone done) {
            const Values a = random_values({m, k}, 6), b = random_values({k, n}, 7);
            const auto rows = static_cast<std::size_t>(m), columns = static_cast<std::size_t>(n),
                       inner = static_cast<std::size_t>(k);
            Values c(rows * columns);
            multiply(
                c, 0, rows, columns, inner, [&](auto i, auto p) { return a[i * inner + p]; },
                [&](auto p, auto j) { return b[p * columns + j]; });
            compare(matmul(on_device(a, {m, k}), on_device(b, {k, n})), {m, n}, std::move(c), f32_bar(inner),
                    std::move(done));
          }};
}

/// [2, 1, 5, 7] x [3, 7, 4]: both sides broadcast.
void matmul_broadcasts(RowDone done) {
  const Values a = random_values({2, 1, 5, 7}, 8), b = random_values({3, 7, 4}, 9);
  Values c(2 * 3 * 5 * 4);
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      multiply(
          c, (i * 3 + j) * 20, 5, 4, 7, [&](auto r, auto p) { return a[i * 35 + r * 7 + p]; },
          [&](auto p, auto q) { return b[j * 28 + p * 4 + q]; });
  compare(matmul(on_device(a, {2, 1, 5, 7}), on_device(b, {3, 7, 4})), {2, 3, 5, 4}, std::move(c), f32_bar(7),
          std::move(done));
}

/// A slice that starts inside its storage, times a transposed matrix.
void matmul_of_views(RowDone done) {
  const Values a = random_values({9, 17}, 10), b = random_values({6, 17}, 11);
  Values c(4 * 6);
  multiply(
      c, 0, 4, 6, 17, [&](auto i, auto p) { return a[(i + 3) * 17 + p]; },
      [&](auto p, auto j) { return b[j * 17 + p]; });
  const Tensor left = slice(on_device(a, {9, 17}), 0, 3, 7), right = transpose(on_device(b, {6, 17}), 0, 1);
  compare(matmul(left, right), {4, 6}, std::move(c), f32_bar(17), std::move(done));
}

/// d(sum(seed * a b)) / da = seed bT and / db = aT seed.
void matmul_gradient(RowDone done) {
  constexpr std::size_t m = 5, n = 6, k = 33;
  const Values a = random_values({5, 33}, 12), b = random_values({33, 6}, 13), seed = random_values({5, 6}, 14);
  Values to_a(m * k), to_b(k * n);
  multiply(
      to_a, 0, m, k, n, [&](auto i, auto p) { return seed[i * n + p]; }, [&](auto p, auto j) { return b[j * n + p]; });
  multiply(
      to_b, 0, k, n, m, [&](auto i, auto p) { return a[p * k + i]; }, [&](auto p, auto j) { return seed[p * n + j]; });
  Tensor left = on_device(a, {5, 33}), right = on_device(b, {33, 6});
  left.set_requires_grad(true);
  right.set_requires_grad(true);
  matmul(left, right).backward(on_device(seed, {5, 6}));
  compare(left.grad(), {5, 33}, std::move(to_a), f32_bar(n),
          [grad = right.grad(), to_b = std::move(to_b), done = std::move(done)](std::string failure) {
            if (!failure.empty()) return done("left: " + failure);
            compare(grad, {33, 6}, to_b, f32_bar(m),
                    [done](std::string second) { done(second.empty() ? "" : "right: " + second); });
          });
}

/// The traced function is two nodes without a value; running them gives the eager function's bits.
void trace_and_run(RowDone done) {
  const Tensor weight = on_device(random_values({33}, 15), {33}),
               right = on_device(random_values({33, 6}, 16), {33, 6});
  const auto f = [&](std::span<const Tensor> in) { return std::vector{matmul(rms_norm(in[0], weight, eps), right)}; };
  const OutputSpec spec{{5, 33}, DType::f32};
  const graph::Graph recorded = graph::trace(f, std::span(&spec, 1));
  if (recorded.nodes.size() != 2 || recorded.nodes[0].op != &rms_norm_op || recorded.nodes[1].op != &matmul_op)
    return done(str("expected rms_norm and matmul, got ", recorded.nodes.size(), " nodes"));
  const OutputSpec& out = recorded.values[static_cast<std::size_t>(recorded.outputs.at(0))];
  if (out.shape != Shape{5, 6} || out.dtype != DType::f32)
    return done("expected f32 [5, 6], got " + to_string(out.shape));
  const Tensor x = on_device(random_values({5, 33}, 17), {5, 33});
  const Tensor eager = f(std::span(&x, 1))[0], replayed = graph::run(recorded, std::span(&x, 1))[0];
  eager.read([replayed, done](std::span<const std::byte> first, const Error* error) {
    if (error) return done(error->what());
    replayed.read([bits = std::vector<std::byte>(first.begin(), first.end()), done](std::span<const std::byte> second,
                                                                                    const Error* late) {
      if (late) return done(late->what());
      const bool same = bits.size() == second.size() && std::memcmp(bits.data(), second.data(), bits.size()) == 0;
      done(same ? "" : "the replayed graph differs from the eager function");
    });
  });
}

}  // namespace

std::vector<DeviceRow> device_rows() {
  std::vector<DeviceRow> rows;
  for (const Shape& shape : {Shape{0, 8}, Shape{1, 1}, Shape{3, 31}, Shape{2, 3, 33}, Shape{5, 257}, Shape{2, 4099}})
    for (const bool weighted : {false, true}) rows.push_back(rms_norm_row(shape, weighted));
  rows.push_back(rms_norm_row({1025, 2}, false));  // more workgroups than WebGPU gets in one line of a grid
  rows.push_back({"rms_norm of a transposed view", rms_norm_of_a_view});
  rows.push_back({"rms_norm against its decomposition", rms_norm_against_decomposition});
  rows.push_back(matmul_row(0, 3, 4));
  rows.push_back(matmul_row(2, 3, 0));
  rows.push_back(matmul_row(1, 1, 1));
  rows.push_back(matmul_row(31, 33, 32));
  rows.push_back(matmul_row(17, 5, 257));
  rows.push_back(matmul_row(1, 255, 4099));
  rows.push_back({"matmul broadcasts", matmul_broadcasts});
  rows.push_back({"matmul of views", matmul_of_views});
  rows.push_back({"matmul gradient", matmul_gradient});
  rows.push_back({"trace and run", trace_and_run});
  return rows;
}

void run_rows(const std::vector<DeviceRow>& rows,
              const std::function<void(const std::string& name, std::string failure)>& report) {
  for (const DeviceRow& row : rows) {
    try {
      row.run([report, name = row.name](std::string failure) { report(name, std::move(failure)); });
    } catch (const Error& error) {
      report(row.name, error.what());
    }
  }
}

}  // namespace trustformers::test
