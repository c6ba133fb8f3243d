// Shared by the kernel tests: random data, every compiled instruction set in turn, and error measures.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "backends/cpu/simd/isa.h"
#include "base/thread_pool.h"

namespace kernel_testing {

using trustformers::ThreadPool;

/// Runs `body(name)` once per instruction set this machine has, and puts the former one back.
template <class Body>
void each_isa(const Body& body) {
  const trustformers::cpu::Isa& before = trustformers::cpu::current_isa();
  for (const trustformers::cpu::Isa& isa : trustformers::cpu::available_isas()) {
    trustformers::cpu::use_isa(isa);
    INFO("isa ", isa.name);
    body();
  }
  trustformers::cpu::use_isa(before);
}

/// Numbers in [-1, 1) from a small generator.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  std::uint64_t bits() {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return state_;
  }
  float next() { return static_cast<float>(static_cast<double>(bits() >> 11) * 0x1p-52 - 1.0); }
  std::vector<float> vector(std::int64_t count) {
    std::vector<float> out(static_cast<std::size_t>(count));
    for (float& x : out) x = next();
    return out;
  }

 private:
  std::uint64_t state_;
};

/// Sums of products in double, with the sums of their absolute values: the scale on which rounding errors are small.
struct Sums {
  std::vector<double> value, size;
  void add(double v, double s) { value.push_back(v), size.push_back(s); }
};

/// max |got - want| / (1e-30 + Σ |product|)
template <class Got>
double worst_error(const std::vector<Got>& got, const Sums& want) {
  REQUIRE(got.size() == want.value.size());
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::fabs(static_cast<double>(got[i]) - want.value[i]) / (1e-30 + want.size[i]);
    if (std::isnan(error)) return std::numeric_limits<double>::infinity();
    worst = std::max(worst, error);
  }
  return worst;
}

inline std::vector<float> slice(const std::vector<float>& from, std::int64_t first, std::int64_t count) {
  return {from.data() + first, from.data() + first + count};
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

}  // namespace kernel_testing
