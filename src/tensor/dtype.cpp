#include "dtype.h"

#include <array>
#include <limits>

#include "../base/error.h"

namespace trustformers {
namespace {

constexpr std::array<DTypeInfo, dtype_count> infos = {{
    {"f32", 1, 4},       {"f16", 1, 2},        {"bf16", 1, 2},       {"f64", 1, 8},      {"i8", 1, 1},
    {"u8", 1, 1},        {"i32", 1, 4},        {"i64", 1, 8},        {"bool", 1, 1},     {"q4_0", 32, 18},
    {"q4_1", 32, 20},    {"q5_0", 32, 22},     {"q5_1", 32, 24},     {"q8_0", 32, 34},   {"q2_k", 256, 84},
    {"q3_k", 256, 110},  {"q4_k", 256, 144},   {"q5_k", 256, 176},   {"q6_k", 256, 210}, {"iq1_s", 256, 50},
    {"iq1_m", 256, 56},  {"iq2_xxs", 256, 66}, {"iq2_xs", 256, 74},  {"iq2_s", 256, 82}, {"iq3_xxs", 256, 98},
    {"iq3_s", 256, 110}, {"iq4_nl", 32, 18},   {"iq4_xs", 256, 136}, {"tq1_0", 256, 54}, {"tq2_0", 256, 66},
    {"mxfp4", 32, 17},   {"nvfp4", 64, 36},
}};

}  // namespace

const DTypeInfo& info(DType dtype) { return infos[static_cast<std::size_t>(dtype)]; }

int element_size(DType dtype) {
  check(!is_block(dtype), ErrorCode::dtype_mismatch, "[dtype] ", to_string(dtype),
        " has no single elements, only blocks");
  return info(dtype).block_bytes;
}

std::int64_t byte_size(DType dtype, std::int64_t elements) {
  const DTypeInfo& type = info(dtype);
  check(elements >= 0 && elements % type.block_elements == 0, ErrorCode::shape_mismatch, "[dtype] ", type.name,
        " needs a multiple of ", type.block_elements, " elements, got ", elements);
  const std::int64_t blocks = elements / type.block_elements;
  check(blocks <= std::numeric_limits<std::int64_t>::max() / type.block_bytes, ErrorCode::out_of_range, "[dtype] ",
        elements, " elements of ", type.name, " overflow 64 bits");
  return blocks * type.block_bytes;
}

DType promote(DType a, DType b) {
  if (a == b) return a;
  check(!is_block(a) && !is_block(b), ErrorCode::dtype_mismatch, "[dtype] no arithmetic between ", to_string(a),
        " and ", to_string(b), ": dequantise first");
  const auto rank = [](DType t) {  // bool < integers < floats
    return t == DType::boolean ? 0 : is_integer(t) ? 1 : 2;
  };
  if (rank(a) != rank(b)) return rank(a) > rank(b) ? a : b;
  if (is_floating(a)) {
    if (a == DType::f64 || b == DType::f64) return DType::f64;
    return DType::f32;  // f32 with a half type, or f16 with bf16
  }
  const auto larger = [](DType x, DType y) { return element_size(x) >= element_size(y) ? x : y; };
  if (element_size(a) == element_size(b)) return DType::i32;  // i8 with u8: PyTorch gives i16, which we do not have
  return larger(a, b);
}

}  // namespace trustformers
