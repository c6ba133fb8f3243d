#include "infer.h"

namespace trustformers::infer {

void require_floating(std::string_view op, std::string_view input, const Tensor& t) {
  check(is_floating(t.dtype()), ErrorCode::dtype_mismatch, "[", op, "] ", input, " must be of a floating type, got ",
        describe(t));
}

void require_rank(std::string_view op, std::string_view input, const Tensor& t, std::size_t rank) {
  check(t.rank() >= rank, ErrorCode::shape_mismatch, "[", op, "] ", input, " must have at least ", rank,
        " dimensions, got ", describe(t));
}

void require_shape(std::string_view op, std::string_view input, const Tensor& t, const Shape& expected) {
  check(t.shape() == expected, ErrorCode::shape_mismatch, "[", op, "] ", input, " must be ", expected, ", got ",
        describe(t));
}

void require_same_dtype(std::string_view op, const Tensor& a, const Tensor& b) {
  check(a.dtype() == b.dtype(), ErrorCode::dtype_mismatch, "[", op, "] inputs must have one dtype, got ", describe(a),
        " and ", describe(b));
}

void require_index(std::string_view op, std::string_view input, const Tensor& t) {
  check(t.dtype() == DType::i64 || t.dtype() == DType::i32, ErrorCode::dtype_mismatch, "[", op, "] ", input,
        " must hold i64 or i32 indices, got ", describe(t));
}

}  // namespace trustformers::infer
