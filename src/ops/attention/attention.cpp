#include "attention.h"

#include <limits>

#include "../elementwise/binary.h"
#include "../elementwise/unary.h"
#include "../infer.h"
#include "../matmul/matmul.h"
#include "../reduce/reduce.h"
#include "../shape/shape_ops.h"

namespace trustformers {
namespace {

void infer_attention(const OpCall& call, OutputSpecs& out) {
  const Tensor& q = call.in[0];
  const Tensor& k = call.in[1];
  const Tensor& v = call.in[2];
  const Tensor& key_mask = call.in[3];
  const Tensor& bias = call.in[4];
  infer::require_floating("attention", "q", q);
  check(q.rank() == 4 && k.rank() == 4 && v.rank() == 4, ErrorCode::shape_mismatch,
        "[attention] q, k, v must be [B, H, L, D], got ", describe(q), ", ", describe(k), ", ", describe(v));
  infer::require_same_dtype("attention", k, v);
  check(k.size(0) == q.size(0) && v.size(0) == q.size(0) && k.size(3) == q.size(3) && k.size(1) == v.size(1) &&
            k.size(2) == v.size(2) && k.size(1) > 0 && q.size(1) % k.size(1) == 0,
        ErrorCode::shape_mismatch, "[attention] k and v do not fit q: ", describe(q), ", ", describe(k), ", ",
        describe(v));
  if (key_mask.defined()) {
    check(key_mask.dtype() == DType::boolean, ErrorCode::dtype_mismatch, "[attention] key_mask must be bool, got ",
          describe(key_mask));
    infer::require_shape("attention", "key_mask", key_mask, {q.size(0), k.size(2)});
  }
  const Shape scores = {q.size(0), q.size(1), q.size(2), k.size(2)};
  if (bias.defined()) {
    infer::require_floating("attention", "bias", bias);
    check(bias.rank() <= 4 && broadcast_shapes(bias.shape(), scores, "attention") == scores, ErrorCode::shape_mismatch,
          "[attention] bias ", describe(bias), " does not broadcast to ", scores);
  }
  if (const Tensor& sinks = call.in[5]; sinks.defined()) {
    infer::require_floating("attention", "sinks", sinks);
    infer::require_shape("attention", "sinks", sinks, {q.size(1)});
  }
  out.push_back({{q.size(0), q.size(1), q.size(2), v.size(3)}, q.dtype()});
}

/// [L, S] bool: which keys the position rules show, or undefined when all.
Tensor visible_by_position(const AttentionAttrs& a, std::int64_t queries, std::int64_t keys) {
  if (!a.causal && a.window <= 0 && a.chunk <= 0) return Tensor();
  const auto from = static_cast<double>(keys - queries);
  const Tensor i = unsqueeze(Tensor::arange(from, static_cast<double>(keys)), 1);
  const Tensor j = unsqueeze(Tensor::arange(0, static_cast<double>(keys)), 0);
  const Tensor distance = i - j;
  Tensor seen;
  const auto both = [&](const Tensor& rule) { seen = seen.defined() ? logical_and(seen, rule) : rule; };
  if (a.causal) both(less_equal(j, i));
  if (a.window > 0) both(less(a.causal ? distance : abs(distance), static_cast<double>(a.window)));
  if (a.chunk > 0) {
    const auto chunk_of =
        [&](const Tensor& position) {  // from the middle of a position, so that rounding decides nothing
          return floor((cast(position, DType::f64) + 0.5) / static_cast<double>(a.chunk));
        };
    both(equal(chunk_of(i), chunk_of(j)));
  }
  if (a.prefix > 0) seen = logical_or(seen, less(j, static_cast<double>(a.prefix)));
  return seen;
}

Tensors decompose_attention(const OpCall& call) {
  const auto& a = call.as<AttentionAttrs>();
  const DType dtype = call.in[0].dtype();
  const DType wide = dtype == DType::f64 ? DType::f64 : DType::f32;
  const std::int64_t batch = call.in[0].size(0);
  const std::int64_t heads = call.in[0].size(1);
  const std::int64_t queries = call.in[0].size(2);
  const std::int64_t kv_heads = call.in[1].size(1);
  const std::int64_t keys = call.in[1].size(2);
  const std::int64_t width = call.in[2].size(3);
  if (keys == 0) return {Tensor::zeros({batch, heads, queries, width}, dtype)};

  // The query heads of a group share a key head: [B, Hkv, G, L, D] against [B, Hkv, 1, S, D].
  const Tensor q = reshape(cast(call.in[0], wide), {batch, kv_heads, heads / kv_heads, queries, call.in[0].size(3)});
  const Tensor k = unsqueeze(cast(call.in[1], wide), 2);
  const Tensor v = unsqueeze(cast(call.in[2], wide), 2);
  Tensor scores = matmul(q, transpose(k, -1, -2)) * a.scale;
  if (a.softcap > 0) scores = tanh(scores * (1 / a.softcap)) * a.softcap;
  if (call.in[4].defined()) {
    const Tensor bias = expand(cast(call.in[4], wide), {batch, heads, queries, keys});
    scores = scores + reshape(bias, scores.shape());
  }
  Tensor seen = visible_by_position(a, queries, keys);
  if (call.in[3].defined()) {
    const Tensor mask = reshape(call.in[3], {batch, 1, 1, 1, keys});
    seen = seen.defined() ? logical_and(mask, seen) : mask;
  }
  if (seen.defined()) {
    scores = where(seen, scores, Tensor::full({}, -std::numeric_limits<double>::infinity(), wide));
  }
  // Where a query sees nothing the maximum is -inf; shifting by 0 instead keeps NaN out and the sum at 0.
  Tensor top = maximum(max(scores.detach(), {-1}, true), Tensor::full({}, std::numeric_limits<float>::lowest(), wide));
  Tensor sinks;
  if (call.in[5].defined()) {
    sinks = reshape(cast(call.in[5], wide), {1, kv_heads, heads / kv_heads, 1, 1});
    top = maximum(top, sinks.detach());
  }
  Tensor weights = exp(scores - top);
  Tensor total = sum(weights, {-1}, true);
  if (sinks.defined()) total = total + exp(sinks - top);
  const Tensor blind = equal(total, 0);
  weights = weights / where(blind, Tensor::ones({}, wide), total);
  if (!sinks.defined()) weights = where(blind, Tensor::full({}, 1.0 / static_cast<double>(keys), wide), weights);
  const Tensor out = matmul(weights, v);
  return {cast(reshape(out, {batch, heads, queries, width}), dtype)};
}

}  // namespace

const OpDef attention_op = {.name = "attention",
                            .attrs = attrs_type<AttentionAttrs>(),
                            .infer = infer_attention,
                            .decompose = decompose_attention};

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionAttrs& attrs, const Tensor& key_mask,
                 const Tensor& bias, const Tensor& sinks) {
  return dispatch1(attention_op, attrs, {q, k, v, key_mask, bias, sinks});
}

}  // namespace trustformers
