#include "op_table.h"

#include <algorithm>
#include <array>

#include "../ops/activation/activation.h"
#include "../ops/attention/attention.h"
#include "../ops/attention/rope.h"
#include "../ops/conv/conv.h"
#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/index/index.h"
#include "../ops/loss/loss.h"
#include "../ops/matmul/matmul.h"
#include "../ops/norm/norm.h"
#include "../ops/reduce/reduce.h"
#include "../ops/shape/shape_ops.h"
#include "op_helpers.h"

namespace trustformers::capi {
namespace {

using Unary = Tensor (*)(const Tensor&);
using Binary = Tensor (*)(const Tensor&, const Tensor&);
using Reduction = Tensor (*)(const Tensor&, const Dims&, bool);

template <Unary op>
Tensor unary(const OpArguments& a) {
  return op(a.at(0));
}
template <Unary op>
Tensor unary_floating(const OpArguments& a) {
  return op(floating(a.at(0)));
}
template <Binary op>
Tensor binary(const OpArguments& a) {
  const auto [x, y] = operands(a);
  return op(x, y);
}
template <Reduction op>
Tensor reduction(const OpArguments& a) {
  return op(a.at(0), a.options.integers("dims"), a.options.flag("keepdim", false));
}

GeluKind gelu_kind(const OpArguments& a) {
  const std::string kind = a.options.text("approximate", "none");
  if (kind == "none") return GeluKind::exact;
  if (kind == "tanh") return GeluKind::tanh;
  if (kind == "quick") return GeluKind::quick;
  a.options.fail_type("approximate", "\"none\", \"tanh\" or \"quick\"");
}

std::uint64_t seed(const OpArguments& a) { return static_cast<std::uint64_t>(a.options.integer("seed")); }

template <bool largest>
Tensor arg(const OpArguments& a) {
  Tensor x = a.at(0);
  const bool keepdim = a.options.flag("keepdim", false);
  // The negative of the smallest integer is itself, and unsigned ones have none.
  if (!largest) x = neg(is_floating(x.dtype()) ? x : cast(x, DType::f64));
  if (a.options.has("dim")) return argmax(x, a.options.integer("dim"), keepdim);
  const Tensor index = argmax(reshape(x, {-1}), 0);
  return keepdim ? reshape(index, Shape(x.rank(), 1)) : index;
}

ConvAttrs conv_attrs(const OpArguments& a) {
  const auto pair = [&](std::string_view name, std::int64_t absent) -> std::array<std::int64_t, 2> {
    const Shape v = a.options.integers(name);
    if (v.size() > 2) a.options.fail_type(name, "one or two numbers");
    return v.empty() ? std::array{absent, absent} : v.size() == 1 ? std::array{v[0], v[0]} : std::array{v[0], v[1]};
  };
  return {pair("stride", 1), pair("padding", 0), pair("dilation", 1), a.options.integer("groups", 1)};
}

Tensor clamp(const OpArguments& a) {
  Tensor x = a.at(0);
  check(a.options.has("min") || a.options.has("max"), ErrorCode::invalid_argument,
        "[clamp] expected \"min\", \"max\" or both");
  if (a.options.has("min")) x = maximum(x, scalar_like(x, a.options.number("min")));
  if (a.options.has("max")) x = minimum(x, scalar_like(x, a.options.number("max")));
  return x;
}

Tensor loss(const OpArguments& a) {
  const std::string reduction = a.options.text("reduction", "mean");
  if (reduction != "mean" && reduction != "sum") a.options.fail_type("reduction", "\"mean\" or \"sum\"");
  return cross_entropy(
      a.at(0), a.at(1),
      {a.options.integer("ignore_index", -100), a.options.number("label_smoothing", 0), reduction == "mean"});
}

AttentionAttrs attention_attrs(const OpArguments& a) {
  AttentionAttrs out;
  out.scale = a.options.number("scale");
  out.causal = a.options.flag("causal", false);
  out.window = a.options.integer("window", 0);
  out.chunk = a.options.integer("chunk", 0);
  out.prefix = a.options.integer("prefix", 0);
  out.softcap = a.options.number("softcap", 0);
  return out;
}

constexpr std::string_view scalar = "scalar reverse";
constexpr std::string_view over = "dims keepdim";

constexpr auto table = std::to_array<NamedOp>({
    {"abs", 1, 1, "", unary<abs>},
    {"add", 1, 2, scalar, binary<add>},
    {"all", 1, 1, over, [](const OpArguments& a) { return all_or_any(a, true); }},
    {"any", 1, 1, over, [](const OpArguments& a) { return all_or_any(a, false); }},
    {"arange", 0, 0, "start end step dtype",
     [](const OpArguments& a) {
       return Tensor::arange(a.options.number("start", 0), a.options.number("end"), a.options.number("step", 1),
                             a.options.dtype("dtype", DType::i64));
     }},
    {"argmax", 1, 1, "dim keepdim", arg<true>},
    {"argmin", 1, 1, "dim keepdim", arg<false>},
    {"attention", 3, 6, "scale causal window chunk prefix softcap",
     [](const OpArguments& a) {
       return attention(a.at(0), a.at(1), a.at(2), attention_attrs(a), a.at(3), a.at(4), a.at(5));
     }},
    {"binary_cross_entropy_with_logits", 2, 2, "",
     [](const OpArguments& a) { return binary_cross_entropy_with_logits(a.at(0), a.at(1)); }},
    {"cast", 1, 1, "dtype",
     [](const OpArguments& a) { return cast(a.at(0), parse_dtype(a.options.text("dtype", ""), "cast")); }},
    {"ceil", 1, 1, "", [](const OpArguments& a) { return neg(floor(neg(floating(a.at(0))))); }},
    {"clamp", 1, 1, "min max", clamp},
    {"concat", 1, any_number, "dim", [](const OpArguments& a) { return concat(a.in, a.options.integer("dim", 0)); }},
    {"contiguous", 1, 1, "", unary<contiguous>},
    {"conv1d", 2, 3, "stride padding dilation groups",
     [](const OpArguments& a) {
       const ConvAttrs c = conv_attrs(a);
       return conv1d(a.at(0), a.at(1), a.at(2), c.stride[0], c.padding[0], c.dilation[0], c.groups);
     }},
    {"conv2d", 2, 3, "stride padding dilation groups",
     [](const OpArguments& a) { return conv2d(a.at(0), a.at(1), a.at(2), conv_attrs(a)); }},
    {"cos", 1, 1, "", unary_floating<cos>},
    {"cross_entropy", 2, 2, "ignore_index label_smoothing reduction", loss},
    {"cumsum", 1, 1, "dim", [](const OpArguments& a) { return cumsum(a.at(0), a.options.integer("dim")); }},
    {"div", 1, 2, scalar, binary<div>},
    {"embedding", 2, 2, "", [](const OpArguments& a) { return embedding(a.at(0), a.at(1)); }},
    {"equal", 1, 2, scalar, binary<equal>},
    {"erf", 1, 1, "", unary_floating<erf>},
    {"exp", 1, 1, "", unary_floating<exp>},
    {"expand", 1, 1, "shape", [](const OpArguments& a) { return expand_to(a.at(0), a.options.shape("shape")); }},
    {"eye", 0, 0, "n dtype",
     [](const OpArguments& a) { return Tensor::eye(a.options.integer("n"), a.options.dtype("dtype", DType::f32)); }},
    {"flip", 1, 1, "dim", [](const OpArguments& a) { return flip(a.at(0), a.options.integer("dim")); }},
    {"floor", 1, 1, "", unary_floating<floor>},
    {"full", 0, 0, "shape value dtype",
     [](const OpArguments& a) {
       return Tensor::full(a.options.shape("shape"), a.options.number("value"), a.options.dtype("dtype", DType::f32));
     }},
    {"gather", 2, 2, "dim", [](const OpArguments& a) { return gather(a.at(0), a.options.integer("dim"), a.at(1)); }},
    {"geglu", 2, 2, "approximate", [](const OpArguments& a) { return geglu(a.at(0), a.at(1), gelu_kind(a)); }},
    {"gelu", 1, 1, "approximate", [](const OpArguments& a) { return gelu(a.at(0), gelu_kind(a)); }},
    {"greater", 1, 2, scalar, binary<greater>},
    {"greater_equal", 1, 2, scalar, binary<greater_equal>},
    {"index_select", 2, 2, "dim",
     [](const OpArguments& a) { return index_select(a.at(0), a.options.integer("dim"), a.at(1)); }},
    {"is_nan", 1, 1, "", [](const OpArguments& a) { return logical_not(equal(a.at(0), a.at(0))); }},
    {"layer_norm", 1, 3, "eps",
     [](const OpArguments& a) { return layer_norm(a.at(0), a.at(1), a.at(2), a.options.number("eps", 1e-5)); }},
    {"less", 1, 2, scalar, binary<less>},
    {"less_equal", 1, 2, scalar, binary<less_equal>},
    {"linear", 2, 3, "", [](const OpArguments& a) { return linear(a.at(0), a.at(1), a.at(2)); }},
    {"log", 1, 1, "", unary_floating<log>},
    {"log_softmax", 1, 1, "dim", [](const OpArguments& a) { return log_softmax(a.at(0), a.options.integer("dim", -1)); }},
    {"logical_and", 2, 2, "", [](const OpArguments& a) { return logical_and(a.at(0), a.at(1)); }},
    {"logical_not", 1, 1, "", unary<logical_not>},
    {"logical_or", 2, 2, "", [](const OpArguments& a) { return logical_or(a.at(0), a.at(1)); }},
    {"logsumexp", 1, 1, over, reduction<logsumexp>},
    {"masked_fill", 2, 2, "value",
     [](const OpArguments& a) {
       return where(a.at(1), scalar_like(a.at(0), a.options.number("value")), a.at(0));
     }},
    {"matmul", 2, 2, "", [](const OpArguments& a) { return matmul(a.at(0), a.at(1)); }},
    {"max", 1, 1, over, reduction<max>},
    {"maximum", 1, 2, scalar, binary<maximum>},
    {"mean", 1, 1, over, reduction<mean>},
    {"min", 1, 1, over, reduction<min>},
    {"minimum", 1, 2, scalar, binary<minimum>},
    {"mse_loss", 2, 2, "", [](const OpArguments& a) { return mse_loss(a.at(0), a.at(1)); }},
    {"mul", 1, 2, scalar, binary<mul>},
    {"neg", 1, 1, "", unary<neg>},
    {"norm", 1, 1, over,
     [](const OpArguments& a) {
       return sqrt(sum(a.at(0) * a.at(0), a.options.integers("dims"), a.options.flag("keepdim", false)));
     }},
    {"not_equal", 1, 2, scalar, [](const OpArguments& a) { return logical_not(binary<equal>(a)); }},
    {"ones", 0, 0, "shape dtype",
     [](const OpArguments& a) {
       return Tensor::ones(a.options.shape("shape"), a.options.dtype("dtype", DType::f32));
     }},
    {"pad", 1, 1, "dim before after",
     [](const OpArguments& a) {
       return pad(a.at(0), a.options.integer("dim"), a.options.integer("before", 0), a.options.integer("after", 0));
     }},
    {"permute", 1, 1, "dims", [](const OpArguments& a) { return permute(a.at(0), a.options.shape("dims")); }},
    {"pow", 1, 1, "exponent", power},
    {"rand", 0, 0, "shape seed dtype",
     [](const OpArguments& a) {
       return Tensor::rand(a.options.shape("shape"), seed(a), a.options.dtype("dtype", DType::f32));
     }},
    {"randn", 0, 0, "shape seed dtype",
     [](const OpArguments& a) {
       return Tensor::randn(a.options.shape("shape"), seed(a), a.options.dtype("dtype", DType::f32));
     }},
    {"relu", 1, 1, "", unary<relu>},
    {"remainder", 1, 2, scalar, binary<remainder>},
    {"repeat", 1, 1, "repeats", [](const OpArguments& a) { return repeat(a.at(0), a.options.shape("repeats")); }},
    {"reshape", 1, 1, "shape", [](const OpArguments& a) { return reshape(a.at(0), a.options.shape("shape")); }},
    {"rms_norm", 1, 2, "eps",
     [](const OpArguments& a) { return rms_norm(a.at(0), a.at(1), a.options.number("eps", 1e-6)); }},
    {"rope", 4, 4, "interleaved",
     [](const OpArguments& a) {
       return rope(a.at(0), a.at(1), a.at(2), a.at(3), a.options.flag("interleaved", false));
     }},
    {"round", 1, 1, "", unary<round_half_even>},
    {"rsqrt", 1, 1, "", unary_floating<rsqrt>},
    {"scatter_add", 3, 3, "dim",
     [](const OpArguments& a) { return scatter_add(a.at(0), a.options.integer("dim"), a.at(1), a.at(2)); }},
    {"select", 1, 1, "dim index",
     [](const OpArguments& a) { return select(a.at(0), a.options.integer("dim"), a.options.integer("index")); }},
    {"sigmoid", 1, 1, "", unary_floating<sigmoid>},
    {"sign", 1, 1, "", unary<sign>},
    {"silu", 1, 1, "", unary<silu>},
    {"sin", 1, 1, "", unary_floating<sin>},
    {"slice", 1, 1, "dim start end step",
     [](const OpArguments& a) {
       return slice(a.at(0), a.options.integer("dim", 0), a.options.integer("start", 0),
                    a.options.integer("end", INT64_MAX), a.options.integer("step", 1));
     }},
    {"slice_scatter", 2, 2, "dim start step",
     [](const OpArguments& a) {
       return slice_scatter(a.at(0), a.at(1), a.options.integer("dim", 0), a.options.integer("start", 0),
                            a.options.integer("step", 1));
     }},
    {"softmax", 1, 1, "dim", [](const OpArguments& a) { return softmax(a.at(0), a.options.integer("dim", -1)); }},
    {"softplus", 1, 1, "", unary<softplus>},
    {"sqrt", 1, 1, "", unary_floating<sqrt>},
    {"squeeze", 1, 1, "dim",
     [](const OpArguments& a) {
       if (!a.options.has("dim")) return squeeze_all(a.at(0));
       const std::int64_t dim = a.options.integer("dim");
       return a.at(0).size(dim) == 1 ? squeeze(a.at(0), dim) : a.at(0);  // as PyTorch, which squeezes only ones
     }},
    {"stack", 1, any_number, "dim", [](const OpArguments& a) { return stack(a.in, a.options.integer("dim", 0)); }},
    {"std", 1, 1, "dims keepdim correction",
     [](const OpArguments& a) {
       return sqrt(var(a.at(0), a.options.integers("dims"), a.options.flag("keepdim", false),
                       a.options.integer("correction", 1)));
     }},
    {"sub", 1, 2, scalar, binary<sub>},
    {"sum", 1, 1, over, reduction<sum>},
    {"swiglu", 2, 2, "", [](const OpArguments& a) { return swiglu(a.at(0), a.at(1)); }},
    {"tanh", 1, 1, "", unary_floating<tanh>},
    {"transpose", 1, 1, "dim0 dim1",
     [](const OpArguments& a) { return transpose(a.at(0), a.options.integer("dim0"), a.options.integer("dim1")); }},
    {"tril", 1, 1, "diagonal",
     [](const OpArguments& a) { return triangle(a.at(0), a.options.integer("diagonal", 0), true); }},
    {"triu", 1, 1, "diagonal",
     [](const OpArguments& a) { return triangle(a.at(0), a.options.integer("diagonal", 0), false); }},
    {"unsqueeze", 1, 1, "dim", [](const OpArguments& a) { return unsqueeze(a.at(0), a.options.integer("dim")); }},
    {"var", 1, 1, "dims keepdim correction",
     [](const OpArguments& a) {
       return var(a.at(0), a.options.integers("dims"), a.options.flag("keepdim", false),
                  a.options.integer("correction", 1));
     }},
    {"where", 3, 3, "", [](const OpArguments& a) { return where(a.at(0), a.at(1), a.at(2)); }},
    {"zeros", 0, 0, "shape dtype",
     [](const OpArguments& a) {
       return Tensor::zeros(a.options.shape("shape"), a.options.dtype("dtype", DType::f32));
     }},
});
static_assert(std::is_sorted(table.begin(), table.end(), [](const auto& a, const auto& b) { return a.name < b.name; }));

}  // namespace

std::span<const NamedOp> named_ops() { return table; }

const NamedOp& find_op(std::string_view name) {
  const auto at = std::lower_bound(table.begin(), table.end(), name,
                                   [](const NamedOp& op, std::string_view n) { return op.name < n; });
  check(at != table.end() && at->name == name, ErrorCode::not_found, "[op] there is no op \"", name, "\"");
  return *at;
}

}  // namespace trustformers::capi
