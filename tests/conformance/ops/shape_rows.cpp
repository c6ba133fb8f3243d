#include "ops/shape/shape_ops.h"
#include "rows.h"

namespace trustformers::conformance {
namespace {

const std::vector<DType> every_dtype = {DType::f32, DType::f16, DType::bf16, DType::f64,    DType::i8,
                                        DType::u8,  DType::i32, DType::i64,  DType::boolean};

template <class Attrs, class Inputs, class Reference>
Row row(const OpDef& op, std::string label, const Attrs& attrs, Inputs inputs, Reference reference) {
  return {.op = &op,
          .label = std::move(label),
          .attrs = attrs_of(attrs),
          .inputs = inputs,
          .reference = reference,
          .measure = Measure::exact,
          .dtypes = every_dtype};
}

/// Rows whose attributes depend on the size have one size.
Row at_size(std::int64_t n, Row made) {
  made.sizes = {n};
  made.label += (made.label.empty() ? "n=" : " n=") + std::to_string(n);
  return made;
}

auto matrix_of(std::int64_t rows) {
  return [rows](std::int64_t n, DType dtype) { return std::vector{values({rows, n}, 1, dtype)}; };
}

/// The rows of concat: parts of `widths` columns, or of n where the width is -1.
Row concat_row(std::string label, std::int64_t dim, const std::vector<std::int64_t>& sizes) {
  return row(
      concat_op, std::move(label), ConcatAttrs{dim},
      [=](std::int64_t n, DType dtype) {
        std::vector<Tensor> parts;
        for (const std::int64_t size : sizes)
          parts.push_back(values(dim == 0 ? Shape{size, n} : Shape{n, size}, parts.size() + 1, dtype));
        return parts;
      },
      [dim](const std::vector<Array>& in) {
        Shape shape = in[0].shape;
        const auto d = static_cast<std::size_t>(dim);
        shape[d] = 0;
        for (const Array& part : in) shape[d] += part.shape[d];
        return make_array(shape, [&](Shape index) {
          std::size_t part = 0;
          while (index[d] >= in[part].shape[d]) index[d] -= in[part++].shape[d];
          return in[part].at(index);
        });
      });
}

}  // namespace

void add_shape_rows(Rows& rows) {
  for (const std::int64_t n : all_sizes) {
    const auto flat = [](const std::vector<Array>& in) {
      Array out = in[0];
      out.shape = {out.shape[1], 1, 6};
      return out;
    };
    rows.push_back(at_size(n, row(reshape_op, "", ReshapeAttrs{{n, 1, 6}}, matrix_of(6), flat)));
    rows.push_back(
        at_size(n, row(
                       expand_op, "", ExpandAttrs{{3, 2, n}},
                       [](std::int64_t size, DType dtype) { return std::vector{values({2, size}, 1, dtype)}; },
                       [](const std::vector<Array>& in) {
                         return make_array({3, 2, in[0].shape[1]}, [&](const Shape& i) { return in[0].at(i); });
                       })));
    rows.push_back(
        at_size(n, row(expand_op, "a row", ExpandAttrs{{5, n}}, matrix_of(1), [](const std::vector<Array>& in) {
                  return make_array({5, in[0].shape[1]}, [&](const Shape& i) { return in[0].at(i); });
                })));
    if (n < 31) continue;
    const SliceAttrs window{1, 3, (n - 3 + 1) / 2, 2};
    rows.push_back(at_size(n, row(slice_op, "by 2", window, matrix_of(5), [window](const std::vector<Array>& in) {
                             return make_array({5, window.length}, [&](Shape i) {
                               i[1] = window.start + i[1] * window.step;
                               return in[0].at(i);
                             });
                           })));
    rows.push_back(at_size(n, row(
                                  slice_scatter_op, "by 2", window,
                                  [=](std::int64_t size, DType dtype) {
                                    return std::vector{values({5, size}, 1, dtype),
                                                       values({5, window.length}, 2, dtype)};
                                  },
                                  [window](const std::vector<Array>& in) {
                                    Array out = in[0];
                                    for_each_index(in[1].shape, [&](const Shape& i) {
                                      out.at({i[0], window.start + i[1] * window.step}) = in[1].at(i);
                                    });
                                    return out;
                                  })));
  }
  rows.push_back(row(slice_op, "rows", SliceAttrs{0, 1, 3, 1}, matrix_of(5), [](const std::vector<Array>& in) {
    return make_array({3, in[0].shape[1]}, [&](Shape i) {
      ++i[0];
      return in[0].at(i);
    });
  }));
  rows.push_back(row(slice_op, "none", SliceAttrs{0, 0, 0, 1}, matrix_of(5),
                     [](const std::vector<Array>& in) { return Array(Shape{0, in[0].shape[1]}); }));
  rows.push_back(row(permute_op, "2d", PermuteAttrs{{1, 0}}, matrix_of(5), [](const std::vector<Array>& in) {
    return make_array({in[0].shape[1], 5}, [&](const Shape& i) { return in[0].at({i[1], i[0]}); });
  }));
  rows.push_back(row(
      permute_op, "4d", PermuteAttrs{{2, 0, 3, 1}},
      [](std::int64_t n, DType dtype) { return std::vector{values({2, 3, n, 2}, 1, dtype)}; },
      [](const std::vector<Array>& in) {
        return make_array({in[0].shape[2], 2, 2, 3},
                          [&](const Shape& i) { return in[0].at({i[1], i[3], i[0], i[2]}); });
      }));
  rows.push_back(row(contiguous_op, "", NoAttrs{}, matrix_of(5), [](const std::vector<Array>& in) { return in[0]; }));
  rows.push_back(concat_row("rows", 0, {3, 0, 2}));
  rows.push_back(concat_row("columns", 1, {4, 1, 3}));
}

}  // namespace trustformers::conformance
