#include "quantization/blocks.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "unit/support.h"

namespace trustformers {
namespace {

using test::code_of;

std::vector<std::byte> quantise(DType dtype, const std::vector<float>& values) {
  const auto elements = static_cast<std::int64_t>(values.size());
  std::vector<std::byte> blocks(static_cast<std::size_t>(byte_size(dtype, elements)));
  quantize_row(dtype, values.data(), elements, blocks.data());
  return blocks;
}

std::vector<float> dequantise(DType dtype, const std::vector<std::byte>& blocks, std::size_t elements) {
  std::vector<float> values(elements);
  dequantize_row(dtype, blocks.data(), static_cast<std::int64_t>(elements), values.data());
  return values;
}

constexpr DType writable[] = {DType::q4_0, DType::q4_1,  DType::q5_0,  DType::q5_1,
                              DType::q8_0, DType::tq1_0, DType::tq2_0, DType::mxfp4};

TEST_CASE("quantization: every block format is expanded whole") {
  // dequantize_row compares the size of each struct with DTypeInfo.
  for (int i = static_cast<int>(DType::q4_0); i < dtype_count; ++i) {
    const auto dtype = static_cast<DType>(i);
    const auto elements = static_cast<std::size_t>(info(dtype).block_elements);
    CAPTURE(to_string(dtype));
    const std::vector<std::byte> zeros(3 * static_cast<std::size_t>(info(dtype).block_bytes));
    std::vector<float> values(3 * elements + 1, 7.0f);
    dequantize_row(dtype, zeros.data(), static_cast<std::int64_t>(3 * elements), values.data());
    CHECK(std::count(values.begin(), values.end(), 7.0f) == 1);
    CHECK(values.back() == 7.0f);
  }
}

TEST_CASE("quantization: what a type can hold comes back unchanged") {
  std::vector<float> values(256);
  for (const DType dtype : writable) {
    CAPTURE(to_string(dtype));
    for (int i = 0; i < 256; ++i) {
      const int k = i % 32;
      float& value = values[static_cast<std::size_t>(i)];
      switch (dtype) {
        case DType::q4_0: value = 0.5f * static_cast<float>(k % 16 - 8); break;
        case DType::q5_0: value = 0.5f * static_cast<float>(k - 16); break;
        case DType::q4_1: value = 3.0f + 0.5f * static_cast<float>(k % 16); break;
        case DType::q5_1: value = 3.0f + 0.5f * static_cast<float>(k); break;
        case DType::q8_0: value = 0.5f * static_cast<float>(k == 0 ? 127 : k - 16); break;
        case DType::mxfp4: value = 0.25f * static_cast<float>(fp4_levels[k % 16]); break;
        default: value = 0.75f * static_cast<float>(i * 7 % 3 - 1); break;  // ternary
      }
    }
    CHECK(dequantise(dtype, quantise(dtype, values), values.size()) == values);
  }
}

TEST_CASE("quantization: the error of a value is at most half a step") {
  std::vector<float> values(4096);
  const Philox random(7);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 4.0f * random.uniform(i) - 2.0f;
  const auto worst = [&](DType dtype) {
    const auto got = dequantise(dtype, quantise(dtype, values), values.size());
    float error = 0;
    for (std::size_t i = 0; i < got.size(); ++i) error = std::max(error, std::fabs(got[i] - values[i]));
    return error;
  };
  // A step is the span over the codes; symmetric types may cut a whole step at the end opposite to the extreme value.
  CHECK(worst(DType::q8_0) <= 2.0f / 127 / 2 * 1.05f);
  CHECK(worst(DType::q5_1) <= 4.0f / 31 / 2 * 1.02f);
  CHECK(worst(DType::q4_1) <= 4.0f / 15 / 2 * 1.02f);
  CHECK(worst(DType::q5_0) <= 2.0f / 16 * 1.01f);
  CHECK(worst(DType::q4_0) <= 2.0f / 8 * 1.01f);
}

TEST_CASE("quantization: blocks need no alignment") {
  std::vector<float> values(64);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) - 20;
  const auto blocks = quantise(DType::q4_1, values);
  std::vector<std::byte> shifted(blocks.size() + 1);
  std::memcpy(shifted.data() + 1, blocks.data(), blocks.size());
  std::vector<float> got(values.size());
  dequantize_row(DType::q4_1, shifted.data() + 1, 64, got.data());
  CHECK(got == dequantise(DType::q4_1, blocks, values.size()));
}

TEST_CASE("quantization: extreme scales") {
  CHECK(e8m0_half(0) == 0x1p-128f);
  CHECK(e8m0_half(1) == 0x1p-127f);
  CHECK(e8m0_half(2) == 0x1p-126f);
  CHECK(e8m0_half(128) == 1.0f);
  CHECK(e8m0_half(255) == 0x1p127f);
  CHECK(ue4m3_half(0) == 0.0f);
  CHECK(ue4m3_half(1) == 0x1p-10f);
  CHECK(ue4m3_half(7) == 7 * 0x1p-10f);
  CHECK(ue4m3_half(0x38) == 0.5f);
  CHECK(ue4m3_half(0x7e) == 224.0f);
  CHECK(ue4m3_half(0x7f) == 0.0f);
  // Too small for a reciprocal: the block becomes zeros instead of NaN.
  const std::vector<float> tiny(32, 1e-44f);
  for (const DType dtype : {DType::q4_0, DType::q5_0, DType::q8_0})
    for (const float value : dequantise(dtype, quantise(dtype, tiny), tiny.size())) CHECK(value == 0.0f);
}

TEST_CASE("quantization: refuses what a format cannot express") {
  std::vector<float> values(256, 1.0f);
  std::vector<std::byte> blocks(1024);
  for (const DType dtype : writable) {
    CAPTURE(to_string(dtype));
    CHECK(code_of([&] { quantize_row(dtype, values.data(), 31, blocks.data()); }) == ErrorCode::shape_mismatch);
    CHECK(code_of([&] { dequantize_row(dtype, blocks.data(), 31, values.data()); }) == ErrorCode::shape_mismatch);
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
      auto broken = values;
      broken[255] = bad;
      CHECK(code_of([&] { quantize_row(dtype, broken.data(), 256, blocks.data()); }) == ErrorCode::numeric);
    }
    auto large = values;  // finite, but the scale lies beyond float16
    large[0] = 3e38f;
    large[1] = -3e38f;
    if (dtype == DType::mxfp4)
      CHECK_NOTHROW(quantize_row(dtype, large.data(), 256, blocks.data()));
    else
      CHECK(code_of([&] { quantize_row(dtype, large.data(), 256, blocks.data()); }) == ErrorCode::numeric);
  }
  CHECK(code_of([&] { quantize_row(DType::q4_k, values.data(), 256, blocks.data()); }) == ErrorCode::unsupported);
  CHECK(code_of([&] { dequantize_row(DType::i32, blocks.data(), 1, values.data()); }) == ErrorCode::dtype_mismatch);
}

}  // namespace
}  // namespace trustformers
