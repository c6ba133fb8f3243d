#include "tensor/dtype.h"

#include <doctest/doctest.h>

#include "base/error.h"

using namespace trustformers;

TEST_CASE("tensor: promotion follows PyTorch's table") {
  using enum DType;
  const DType types[] = {f32, f16, bf16, f64, i8, u8, i32, i64, boolean};
  // Rows and columns as in `types`. i8 with u8 is i16 there, a type that does not exist here: i32 instead.
  const DType table[9][9] = {
      {f32, f32, f32, f64, f32, f32, f32, f32, f32},       {f32, f16, f32, f64, f16, f16, f16, f16, f16},
      {f32, f32, bf16, f64, bf16, bf16, bf16, bf16, bf16}, {f64, f64, f64, f64, f64, f64, f64, f64, f64},
      {f32, f16, bf16, f64, i8, i32, i32, i64, i8},        {f32, f16, bf16, f64, i32, u8, i32, i64, u8},
      {f32, f16, bf16, f64, i32, i32, i32, i64, i32},      {f32, f16, bf16, f64, i64, i64, i64, i64, i64},
      {f32, f16, bf16, f64, i8, u8, i32, i64, boolean},
  };
  for (int i = 0; i < 9; ++i)
    for (int j = 0; j < 9; ++j)
      CHECK_MESSAGE(promote(types[i], types[j]) == table[i][j], to_string(types[i]), " with ", to_string(types[j]));
  CHECK_THROWS_AS(promote(q4_0, f32), Error);
  CHECK(promote(q4_0, q4_0) == q4_0);
}

TEST_CASE("tensor: sizes of dtypes") {
  CHECK(byte_size(DType::f32, 3) == 12);
  CHECK(byte_size(DType::q4_0, 64) == 36);
  CHECK(byte_size(DType::q4_k, 0) == 0);
  CHECK_THROWS_WITH(byte_size(DType::q4_0, 33), "[dtype] q4_0 needs a multiple of 32 elements, got 33");
  CHECK_THROWS_AS(byte_size(DType::f32, -1), Error);
  CHECK_THROWS_WITH(byte_size(DType::f64, std::int64_t{1} << 61),
                    "[dtype] 2305843009213693952 elements of f64 overflow 64 bits");
  CHECK_THROWS_AS(element_size(DType::q8_0), Error);
  for (int i = 0; i < dtype_count; ++i) CHECK(!to_string(static_cast<DType>(i)).empty());
}
