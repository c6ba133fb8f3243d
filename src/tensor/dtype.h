// Element types: plain numbers, and the block formats of quantised checkpoints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "../base/half.h"

namespace trustformers {

enum class DType : std::uint8_t {
  f32,
  f16,
  bf16,
  f64,
  i8,
  u8,
  i32,
  i64,
  boolean,
  // Block formats (GGUF names). A row of the last dimension is a whole number of blocks.
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq1_s,
  iq1_m,
  iq2_xxs,
  iq2_xs,
  iq2_s,
  iq3_xxs,
  iq3_s,
  iq4_nl,
  iq4_xs,
  tq1_0,
  tq2_0,
  mxfp4,
  nvfp4
};
inline constexpr int dtype_count = static_cast<int>(DType::nvfp4) + 1;

struct DTypeInfo {
  std::string_view name;  // "f32", "q4_k"
  int block_elements;     // 1 for plain types
  int block_bytes;        // bytes of one block (of one element for plain types)
};

const DTypeInfo& info(DType dtype);
inline std::string_view to_string(DType dtype) { return info(dtype).name; }
inline bool is_block(DType dtype) { return dtype >= DType::q4_0; }
inline bool is_floating(DType dtype) { return dtype <= DType::f64; }
inline bool is_integer(DType dtype) { return dtype >= DType::i8 && dtype <= DType::i64; }
/// Bytes of one element; throws for block formats.
int element_size(DType dtype);
/// Bytes of `elements` consecutive elements (a whole number of blocks). Throws shape_mismatch or out_of_range.
std::int64_t byte_size(DType dtype, std::int64_t elements);
/// The dtype that arithmetic between the two gives (PyTorch's table for the types both have).
DType promote(DType a, DType b);

template <class T>
struct dtype_of;
template <>
struct dtype_of<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct dtype_of<f16> {
  static constexpr DType value = DType::f16;
};
template <>
struct dtype_of<bf16> {
  static constexpr DType value = DType::bf16;
};
template <>
struct dtype_of<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct dtype_of<std::int8_t> {
  static constexpr DType value = DType::i8;
};
template <>
struct dtype_of<std::uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct dtype_of<std::int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct dtype_of<std::int64_t> {
  static constexpr DType value = DType::i64;
};
template <>
struct dtype_of<bool> {
  static constexpr DType value = DType::boolean;
};
template <class T>
inline constexpr DType dtype_v = dtype_of<T>::value;

}  // namespace trustformers
