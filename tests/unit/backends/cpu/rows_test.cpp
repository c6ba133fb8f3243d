#include "backends/cpu/rows/rows.h"

#include <functional>
#include <limits>

#include "kernel_testing.h"

using namespace kernel_testing;
using namespace trustformers::cpu;

namespace {

const std::vector<std::int64_t> widths = {1, 2, 3, 5, 8, 31, 32, 33, 255, 256, 257, 4099};

/// |got - want| in units of the last place of want.
double ulps(float got, double want) {
  if (std::isnan(want)) return std::isnan(got) ? 0 : 1e9;
  const auto rounded = static_cast<float>(want);
  if (std::isinf(rounded)) return got == rounded ? 0 : 1e9;
  const float unit =
      std::max(std::nextafter(std::fabs(rounded), std::numeric_limits<float>::infinity()) - std::fabs(rounded),
               std::numeric_limits<float>::denorm_min());
  return std::fabs(static_cast<double>(got) - want) / unit;
}

/// The error in units of 2^-23 of |want|, to which a millionth of |x| is added: in the far tails only the absolute
/// size of a gated activation matters.
double units_of_error(float got, double want, float x) {
  return std::fabs(got - want) / (0x1p-23 * (std::fabs(want) + 1e-6 * std::fabs(x)) + 1e-300);
}

struct Function {
  Activation kind;
  double (*value)(double);
  double bound;  // on units_of_error over the whole range
};
double phi(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }
double logistic(double x) { return 1 / (1 + std::exp(-x)); }
const std::vector<Function> functions = {
    {Activation::relu, [](double x) { return x > 0 ? x : 0.0; }, 0},
    {Activation::silu, [](double x) { return x * logistic(x); }, 2},
    {Activation::gelu, [](double x) { return x * phi(x); }, 16},
    {Activation::gelu_tanh, [](double x) { return x * logistic(2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)); },
     16},
    {Activation::gelu_quick, [](double x) { return x * logistic(1.702 * x); }, 8},
    {Activation::sigmoid, logistic, 2},
    {Activation::tanh, [](double x) { return std::tanh(x); }, 2},
    {Activation::exp, [](double x) { return std::exp(x); }, 2},
};

}  // namespace

TEST_CASE("backends/cpu: activations are within their error bounds everywhere") {
  ThreadPool threads(1);
  std::vector<float> x;
  for (float v = 1e-30f; v < 120; v *= 1.0031f) x.push_back(v), x.push_back(-v);
  for (int i = -40000; i <= 40000; ++i) x.push_back(static_cast<float>(i) * 2.5e-3f);
  for (const float v : {0.0f, -0.0f, 88.72f, 88.73f, 89.5f, -87.34f, -103.9f, -104.1f, 1e30f, -1e30f}) x.push_back(v);
  each_isa([&] {
    for (const Function& f : functions) {
      std::vector<float> y(x.size());
      activate(threads, f.kind, static_cast<std::int64_t>(x.size()), x.data(), y.data());
      double worst = 0;
      float where = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double want = f.value(x[i]);
        const double error = f.kind == Activation::exp ? ulps(y[i], want) : units_of_error(y[i], want, x[i]);
        if (!(error <= worst)) worst = std::isnan(error) ? 1e9 : error, where = x[i];
      }
      INFO("activation ", static_cast<int>(f.kind), " worst at ", where);
      CHECK(worst <= f.bound);
    }
  });
}

TEST_CASE("backends/cpu: activations pass NaN and infinities on as the formulas do") {
  ThreadPool threads(1);
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x = {nan, infinity, -infinity};
  each_isa([&] {
    for (const Function& f : functions) {
      std::vector<float> y(3);
      activate(threads, f.kind, 3, x.data(), y.data());
      CHECK(std::isnan(y[0]));
      CHECK(y[1] == static_cast<float>(f.value(infinity)));
      const double low = f.value(-std::numeric_limits<double>::infinity());
      if (std::isnan(low))
        CHECK(std::isnan(y[2]));
      else
        CHECK(y[2] == static_cast<float>(low));
    }
  });
}

TEST_CASE("backends/cpu: norms and softmax equal the definition, in place, strided, and with two threads") {
  ThreadPool one(1), two(2);
  each_isa([&] {
    for (const std::int64_t width : widths) {
      INFO("width ", width);
      const std::int64_t rows = 5, stride = width + 3;
      Numbers numbers(static_cast<std::uint64_t>(width));
      const auto x = numbers.vector(rows * stride), weight = numbers.vector(width), bias = numbers.vector(width);
      const auto check = [&](const std::function<void(ThreadPool&, RowsIn, RowsOut)>& run,
                             const std::function<std::vector<double>(const float*)>& reference, double bound) {
        std::vector<float> y(static_cast<std::size_t>(rows * width)), z = y, place = x;
        run(one, {x.data(), stride}, {y.data(), width});
        run(two, {x.data(), stride}, {z.data(), width});
        CHECK(same_bits(y, z));
        run(one, {place.data(), stride}, {place.data(), stride});
        for (std::int64_t r = 0; r < rows; ++r) {
          const std::vector<double> want = reference(x.data() + r * stride);
          for (std::int64_t i = 0; i < width; ++i) {
            CHECK(std::fabs(y[static_cast<std::size_t>(r * width + i)] - want[static_cast<std::size_t>(i)]) <= bound);
            CHECK(place[static_cast<std::size_t>(r * stride + i)] == y[static_cast<std::size_t>(r * width + i)]);
          }
          for (std::int64_t i = width; i < stride; ++i)
            CHECK(place[static_cast<std::size_t>(r * stride + i)] == x[static_cast<std::size_t>(r * stride + i)]);
        }
      };
      check(
          [&](ThreadPool& t, RowsIn in, RowsOut out) { rms_norm(t, rows, width, in, weight.data(), 1.0f, 1e-5f, out); },
          [&](const float* row) {
            double squares = 0;
            for (std::int64_t i = 0; i < width; ++i) squares += static_cast<double>(row[i]) * row[i];
            std::vector<double> out;
            for (std::int64_t i = 0; i < width; ++i)
              out.push_back(row[i] / std::sqrt(squares / static_cast<double>(width) + 1e-5f) *
                            (1.0 + weight[static_cast<std::size_t>(i)]));
            return out;
          },
          3e-6);
      check([&](ThreadPool& t, RowsIn in,
                RowsOut out) { layer_norm(t, rows, width, in, weight.data(), bias.data(), 1e-3f, out); },
            [&](const float* row) {
              double mean = 0, squares = 0;
              for (std::int64_t i = 0; i < width; ++i) mean += row[i] / static_cast<double>(width);
              for (std::int64_t i = 0; i < width; ++i) squares += (row[i] - mean) * (row[i] - mean);
              std::vector<double> out;
              for (std::int64_t i = 0; i < width; ++i)
                out.push_back((row[i] - mean) / std::sqrt(squares / static_cast<double>(width) + 1e-3f) *
                                  weight[static_cast<std::size_t>(i)] +
                              bias[static_cast<std::size_t>(i)]);
              return out;
            },
            3e-6);
      check([&](ThreadPool& t, RowsIn in, RowsOut out) { softmax(t, rows, width, in, out); },
            [&](const float* row) {
              double total = 0;
              std::vector<double> out;
              for (std::int64_t i = 0; i < width; ++i) total += std::exp(static_cast<double>(row[i]));
              for (std::int64_t i = 0; i < width; ++i) out.push_back(std::exp(static_cast<double>(row[i])) / total);
              return out;
            },
            3e-7);
    }
  });
}

TEST_CASE("backends/cpu: NaN in a row reaches the whole row of a norm or softmax") {
  ThreadPool threads(1);
  each_isa([&] {
    for (const std::size_t at : {0, 7, 8, 36}) {
      std::vector<float> x(37, 1.0f), y(37);
      x[at] = std::numeric_limits<float>::quiet_NaN();
      const auto all_nan = [&] {
        for (const float v : y) CHECK(std::isnan(v));
      };
      rms_norm(threads, 1, 37, {x.data(), 37}, nullptr, 0, 1e-5f, {y.data(), 37}), all_nan();
      layer_norm(threads, 1, 37, {x.data(), 37}, nullptr, nullptr, 1e-5f, {y.data(), 37}), all_nan();
      softmax(threads, 1, 37, {x.data(), 37}, {y.data(), 37}), all_nan();
    }
  });
}

TEST_CASE("backends/cpu: rope rotates pairs, leaves the rest, and turns back") {
  ThreadPool threads(2);
  each_isa([&] {
    for (const RopePairs pairs : {RopePairs::half_split, RopePairs::interleaved})
      for (const auto& [dim, rotary] : std::vector<std::pair<int, int>>{{64, 64}, {6, 4}, {80, 34}}) {
        const std::int64_t batch = 2, heads = 3, length = 5, half = rotary / 2, count = batch * heads * length * dim;
        Numbers numbers(7);
        const auto x = numbers.vector(count);
        std::vector<float> angles = numbers.vector(10 * half), cos, sin;
        for (const float a : angles) cos.push_back(std::cos(a * 3)), sin.push_back(std::sin(a * 3));
        const std::vector<std::int64_t> positions = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
        std::vector<float> y(x.size()), back(x.size());
        RopeCall call{.batch = batch,
                      .heads = heads,
                      .length = length,
                      .head_dim = dim,
                      .rotary_dim = rotary,
                      .x = x.data(),
                      .x_batch = heads * length * dim,
                      .x_head = length * dim,
                      .x_position = dim,
                      .y = y.data(),
                      .y_batch = heads * length * dim,
                      .y_head = length * dim,
                      .y_position = dim,
                      .cos = cos.data(),
                      .sin = sin.data(),
                      .positions = positions.data(),
                      .positions_batch = length,
                      .pairs = pairs};
        rope(threads, call);
        for (std::int64_t b = 0; b < batch; ++b)
          for (std::int64_t h = 0; h < heads; ++h)
            for (std::int64_t l = 0; l < length; ++l) {
              const float* from = x.data() + ((b * heads + h) * length + l) * dim;
              const float* to = y.data() + ((b * heads + h) * length + l) * dim;
              for (std::int64_t i = 0; i < half; ++i) {
                const std::int64_t first = pairs == RopePairs::half_split ? i : 2 * i;
                const std::int64_t second = pairs == RopePairs::half_split ? i + half : 2 * i + 1;
                const auto at =
                    static_cast<std::size_t>(positions[static_cast<std::size_t>(b * length + l)] * half + i);
                CHECK(to[first] == doctest::Approx(from[first] * cos[at] - from[second] * sin[at]).epsilon(1e-6));
                CHECK(to[second] == doctest::Approx(from[second] * cos[at] + from[first] * sin[at]).epsilon(1e-6));
              }
              for (std::int64_t i = rotary; i < dim; ++i) CHECK(to[i] == from[i]);
            }
        call.x = y.data(), call.y = back.data(), call.inverse = true;
        rope(threads, call);
        for (std::size_t i = 0; i < x.size(); ++i) CHECK(back[i] == doctest::Approx(x[i]).epsilon(1e-5));
        // Without a table of positions, rows follow each other.
        call.positions = nullptr, call.first_position = 4, call.x = x.data(), call.y = y.data(), call.batch = 1;
        const std::vector<std::int64_t> running = {4, 5, 6, 7, 8};
        RopeCall listed = call;
        listed.positions = running.data(), listed.y = back.data();
        rope(threads, call), rope(threads, listed);
        CHECK(same_bits(slice(y, 0, heads * length * dim), slice(back, 0, heads * length * dim)));
      }
  });
}

TEST_CASE("backends/cpu: gated activations multiply, and do not depend on threads or on the place in the row") {
  ThreadPool one(1), two(2);
  each_isa([&] {
    for (const std::int64_t width : widths) {
      Numbers numbers(9);
      const auto gate = numbers.vector(3 * width), up = numbers.vector(3 * width);
      std::vector<float> y(gate.size()), z(gate.size()), f(gate.size());
      gated(one, Activation::silu, 3, width, {gate.data(), width}, {up.data(), width}, {y.data(), width});
      gated(two, Activation::silu, 3, width, {gate.data(), width}, {up.data(), width}, {z.data(), width});
      CHECK(same_bits(y, z));
      activate(two, Activation::silu, 3 * width, gate.data(), f.data());
      for (std::size_t i = 0; i < f.size(); ++i) CHECK(y[i] == f[i] * up[i]);
    }
  });
}
