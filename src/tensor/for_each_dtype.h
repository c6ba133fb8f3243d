// From a run-time dtype to a compile-time type, and element conversions.
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include "../base/error.h"
#include "dtype.h"

namespace trustformers {

template <class T>
struct TypeTag {
  using type = T;
};

/// Calls `body(TypeTag<T>{})` for the plain type behind `dtype`. Block formats throw, naming `op`.
template <class Body>
decltype(auto) for_each_dtype(DType dtype, std::string_view op, Body&& body) {
  switch (dtype) {
    case DType::f32: return body(TypeTag<float>{});
    case DType::f16: return body(TypeTag<f16>{});
    case DType::bf16: return body(TypeTag<bf16>{});
    case DType::f64: return body(TypeTag<double>{});
    case DType::i8: return body(TypeTag<std::int8_t>{});
    case DType::u8: return body(TypeTag<std::uint8_t>{});
    case DType::i32: return body(TypeTag<std::int32_t>{});
    case DType::i64: return body(TypeTag<std::int64_t>{});
    case DType::boolean: return body(TypeTag<bool>{});
    default:
      fail(ErrorCode::dtype_mismatch, "[", op, "] ", to_string(dtype),
           " blocks have no elements to work on: dequantise first");
  }
}

/// The same for floating types only.
template <class Body>
decltype(auto) for_each_floating(DType dtype, std::string_view op, Body&& body) {
  switch (dtype) {
    case DType::f32: return body(TypeTag<float>{});
    case DType::f16: return body(TypeTag<f16>{});
    case DType::bf16: return body(TypeTag<bf16>{});
    case DType::f64: return body(TypeTag<double>{});
    default: fail(ErrorCode::dtype_mismatch, "[", op, "] needs a floating type, got ", to_string(dtype));
  }
}

template <class T>
inline constexpr bool is_half_v = std::is_same_v<T, f16> || std::is_same_v<T, bf16>;

/// The type in which values of T are computed: float for the halves, T itself else.
template <class T>
using compute_t = std::conditional_t<is_half_v<T>, float, T>;

template <class T>
compute_t<T> load(T value) {
  if constexpr (is_half_v<T>)
    return to_float(value);
  else
    return value;
}

/// False for every integer.
template <class V>
bool is_nan(V value) {
  if constexpr (std::is_floating_point_v<V>)
    return std::isnan(value);
  else
    return false;
}

/// Converts between any two element types: to bool as "not zero", to integers by truncation, saturating (NaN is 0).
template <class To, class From>
To convert_element(From from) {
  const auto value = load(from);
  if constexpr (std::is_same_v<To, bool>) {
    return value != 0;
  } else if constexpr (std::is_same_v<To, f16>) {
    return to_f16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, bf16>) {
    return to_bf16(static_cast<float>(value));
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<decltype(value)>) {
    if (std::isnan(value)) return 0;
    constexpr auto low = std::numeric_limits<To>::min();
    constexpr auto high = std::numeric_limits<To>::max();
    // Compared in double: the upper bound of 64-bit integers rounds up to 2^63, hence >=.
    if (static_cast<double>(value) <= static_cast<double>(low)) return low;
    if (static_cast<double>(value) >= static_cast<double>(high)) return high;
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace trustformers
