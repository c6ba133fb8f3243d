#include "paged_attention.h"

#include <algorithm>

#include "../infer.h"
#include "../shape/shape_ops.h"

namespace trustformers {
namespace {

constexpr std::size_t first_page = 3;  // among the inputs

/// The texts among the inputs of a call.
std::vector<PagedText> texts_of(const OpCall& call) {
  const auto& a = call.as<PagedAttentionAttrs>();
  std::vector<PagedText> out;
  std::size_t at = first_page;
  for (const std::int64_t count : a.pages) {
    const auto n = static_cast<std::size_t>(count);
    check(count > 0 && at + 2 * n <= call.in.size(), ErrorCode::shape_mismatch, "[paged_attention] a text of ", count,
          " pages, ", call.in.size() - std::min(at, call.in.size()), " tensors are left");
    out.push_back({call.in.subspan(at, n), call.in.subspan(at + n, n)});
    at += 2 * n;
  }
  check(at == call.in.size(), ErrorCode::shape_mismatch, "[paged_attention] ", call.in.size() - at,
        " pages belong to no text");
  return out;
}

std::int64_t length_of(const PagedText& text) {
  std::int64_t sum = 0;
  for (const Tensor& page : text.keys) sum += page.size(1);
  return sum;
}

void infer_paged_attention(const OpCall& call, OutputSpecs& out) {
  const Tensor& q = call.in[0];
  infer::require_floating("paged_attention", "q", q);
  const std::vector<PagedText> texts = texts_of(call);
  check(q.rank() == 4 && q.size(0) == static_cast<std::int64_t>(texts.size()) && q.size(0) > 0,
        ErrorCode::shape_mismatch, "[paged_attention] q must be [", texts.size(), ", H, L, D], got ", describe(q));
  const Tensor& k0 = texts[0].keys[0];
  const Tensor& v0 = texts[0].values[0];
  std::int64_t most = 0;
  for (const PagedText& text : texts) {
    for (std::size_t i = 0; i < text.keys.size(); ++i) {
      const Tensor& k = text.keys[i];
      const Tensor& v = text.values[i];
      infer::require_same_dtype("paged_attention", k, k0);
      infer::require_same_dtype("paged_attention", v, k0);
      check(k.rank() == 3 && v.rank() == 3 && k.size(0) == k0.size(0) && v.size(0) == k.size(0) &&
                v.size(1) == k.size(1) && k.size(2) == q.size(3) && v.size(2) == v0.size(2) && k.size(0) > 0 &&
                q.size(1) % k.size(0) == 0,
            ErrorCode::shape_mismatch, "[paged_attention] pages do not fit q: ", describe(q), ", ", describe(k), ", ",
            describe(v));
    }
    most = std::max(most, length_of(text));
  }
  if (const Tensor& bias = call.in[1]; bias.defined()) {
    const Shape scores = {q.size(0), q.size(1), q.size(2), most};
    infer::require_floating("paged_attention", "bias", bias);
    check(bias.rank() <= 4 && broadcast_shapes(bias.shape(), scores, "paged_attention") == scores,
          ErrorCode::shape_mismatch, "[paged_attention] bias ", describe(bias), " does not broadcast to ", scores);
  }
  if (const Tensor& sinks = call.in[2]; sinks.defined()) {
    infer::require_floating("paged_attention", "sinks", sinks);
    infer::require_shape("paged_attention", "sinks", sinks, {q.size(1)});
  }
  out.push_back({{q.size(0), q.size(1), q.size(2), v0.size(2)}, q.dtype()});
}

/// What row `b` of a bias says of its last `keys` keys.
Tensor bias_of(Tensor bias, std::int64_t b, std::int64_t keys) {
  if (!bias.defined()) return bias;
  if (bias.rank() == 4 && bias.size(0) > 1) bias = slice(bias, 0, b, b + 1);
  if (bias.rank() > 0 && bias.size(-1) > 1) bias = slice(bias, -1, bias.size(-1) - keys);
  return bias;
}

Tensors decompose_paged_attention(const OpCall& call) {
  const auto& a = call.as<PagedAttentionAttrs>();
  const std::vector<PagedText> texts = texts_of(call);
  std::vector<Tensor> rows;
  for (std::size_t t = 0; t < texts.size(); ++t) {
    const auto b = static_cast<std::int64_t>(t);
    rows.push_back(attention(slice(call.in[0], 0, b, b + 1), unsqueeze(concat(texts[t].keys, 1), 0),
                             unsqueeze(concat(texts[t].values, 1), 0), a.attention, Tensor(),
                             bias_of(call.in[1], b, length_of(texts[t])), call.in[2]));
  }
  return {concat(rows, 0)};
}

}  // namespace

const OpDef paged_attention_op = {.name = "paged_attention",
                                  .attrs = attrs_type<PagedAttentionAttrs>(),
                                  .infer = infer_paged_attention,
                                  .decompose = decompose_paged_attention};

Tensor paged_attention(const Tensor& q, std::span<const PagedText> texts, const AttentionAttrs& attrs,
                       const Tensor& bias, const Tensor& sinks) {
  PagedAttentionAttrs paged{attrs, {}};
  std::vector<Tensor> in = {q, bias, sinks};
  for (const PagedText& text : texts) {
    check(text.keys.size() == text.values.size(), ErrorCode::shape_mismatch, "[paged_attention] ", text.keys.size(),
          " pages of keys, ", text.values.size(), " of values");
    paged.pages.push_back(static_cast<std::int64_t>(text.keys.size()));
    in.insert(in.end(), text.keys.begin(), text.keys.end());
    in.insert(in.end(), text.values.begin(), text.values.end());
  }
  return dispatch(paged_attention_op, &paged, in)[0];
}

}  // namespace trustformers
