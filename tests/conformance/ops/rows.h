// The table of op conformance. A row says how to call an op and how to judge it; runner.cpp does the rest.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reference.h"
#include "tensor/op.h"

namespace trustformers::conformance {

enum class Measure {
  exact,        // the same values
  elementwise,  // the largest error, relative to the element or to the root mean square of the tensor
  normalised    // the mean squared error over the mean square, for sums of many terms
};

/// The one table of tolerances.
double tolerance(Measure measure, DType dtype);

/// How an input lies in memory.
enum class Layout { contiguous, transposed, strided, expanded, overlapping };
inline constexpr Layout all_layouts[] = {Layout::contiguous, Layout::transposed, Layout::strided, Layout::expanded,
                                         Layout::overlapping};
std::string to_string(Layout layout);
/// `tensor` (contiguous) in another layout: transposed and strided keep shape and values, expanded repeats the first
/// slice of dimension 0, overlapping moves by one element in every dimension. The tensor itself where the layout
/// cannot be had.
Tensor with_layout(const Tensor& tensor, Layout layout);

inline const std::vector<std::int64_t> all_sizes = {0, 1, 31, 32, 33, 255, 256, 257, 4099};
inline const std::vector<std::int64_t> small_sizes = {0, 1, 31, 32, 33};
inline const std::vector<DType> float_types = {DType::f32, DType::f16, DType::bf16, DType::f64};
inline const std::vector<DType> number_types = {DType::f32, DType::f16, DType::bf16, DType::f64,
                                                DType::i8,  DType::u8,  DType::i32,  DType::i64};
inline const std::vector<DType> booleans = {DType::boolean};

struct Row {
  const OpDef* op = nullptr;
  std::string label;  // tells the rows of one op apart
  std::shared_ptr<const void> attrs = std::make_shared<NoAttrs>();
  /// Contiguous inputs for a size and a dtype; undefined where an optional one is absent.
  std::function<std::vector<Tensor>(std::int64_t n, DType dtype)> inputs;
  /// The result in double. Ops with a decomposition leave it empty: theirs, on f64 inputs, is the reference.
  std::function<Array(const std::vector<Array>& in)> reference = nullptr;
  Measure measure = Measure::elementwise;
  std::vector<std::int64_t> sizes = all_sizes;
  std::vector<DType> dtypes = float_types;
  bool differentiable = true;
  std::size_t constants_from = 100;  // inputs from this index on get no gradient

  std::string name() const { return std::string(op->name) + (label.empty() ? "" : " " + label); }
};

template <class Attrs>
std::shared_ptr<const void> attrs_of(const Attrs& attrs) {
  return std::make_shared<const Attrs>(attrs);
}

// Values for inputs; the same seed gives the same values.
/// Standard normal; integers in [-5, 5] ([0, 10] for u8); bool by coin.
Tensor values(const Shape& shape, std::uint64_t seed, DType dtype);
/// At least 0.1.
Tensor positive_values(const Shape& shape, std::uint64_t seed, DType dtype);
/// Integers in [0, bound).
Tensor indices(const Shape& shape, std::uint64_t seed, std::int64_t bound, DType dtype = DType::i64);

using Rows = std::vector<Row>;
void add_elementwise_rows(Rows& rows);
void add_shape_rows(Rows& rows);
void add_reduce_rows(Rows& rows);
void add_index_rows(Rows& rows);
void add_matmul_rows(Rows& rows);
void add_norm_rows(Rows& rows);
void add_activation_rows(Rows& rows);
void add_attention_rows(Rows& rows);
void add_conv_rows(Rows& rows);
void add_loss_rows(Rows& rows);

/// All of them.
const Rows& all_rows();

}  // namespace trustformers::conformance
