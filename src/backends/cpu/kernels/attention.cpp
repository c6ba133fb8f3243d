#include "../../../ops/attention/attention.h"

#include <algorithm>

#include "../../../ops/attention/paged_attention.h"
#include "../../../ops/attention/rope.h"
#include "../../../tensor/context.h"
#include "../attention/attention.h"
#include "../attention/kernel_types.h"
#include "../cpu_device.h"
#include "../rows/rows.h"

namespace trustformers::cpu {
namespace {

/// A tensor whose last dimension is contiguous: itself or a copy.
Tensor with_contiguous_rows(const Tensor& t) {
  return t.strides().back() == 1 || t.shape().back() == 1 ? t : t.device().contiguous(t);
}

AttentionStrides strides_of(const Tensor& t) { return {t.strides()[0], t.strides()[1], t.strides()[2]}; }

bool attention_supports(const OpCall& call) {
  const auto& a = call.as<AttentionAttrs>();
  for (const std::size_t i : {0, 1, 2, 4, 5})
    if (call.in[i].defined() && call.in[i].dtype() != DType::f32) return false;
  return a.causal || a.chunk == 0;
}

void read_attrs(AttentionCall& c, const AttentionAttrs& a) {
  c.scale = static_cast<float>(a.scale);
  c.softcap = static_cast<float>(a.softcap);
  c.causal = a.causal;
  c.window = a.window;
  c.chunk = a.chunk;
  c.prefix = a.prefix;
}

/// Reads q and out; what the call then points into.
Tensor read_queries(AttentionCall& c, const Tensor& given, const Tensor& out) {
  Tensor q = with_contiguous_rows(given);
  c.batch = q.size(0);
  c.query_heads = q.size(1);
  c.queries = q.size(2);
  c.head_dim = q.size(3);
  c.q = q.data<float>();
  c.q_strides = strides_of(q);
  c.out = out.mutable_data<float>();
  c.out_strides = strides_of(out);
  return q;
}

/// Broadcast dimensions get a stride of 0; the key dimension is made real. Reads the number of keys.
Tensor read_bias(AttentionCall& c, const Tensor& given) {
  if (!given.defined()) return given;
  Shape shape(4, 1);
  for (std::size_t d = 0; d < given.rank(); ++d) shape[4 - given.rank() + d] = given.shape()[d];
  const bool broadcast_keys = shape[3] != c.keys;
  Strides strides(4, 0);
  for (std::size_t d = 0; d < given.rank(); ++d)
    if (given.shape()[d] != 1) strides[4 - given.rank() + d] = given.strides()[d];
  if (broadcast_keys) shape[3] = c.keys;
  Tensor bias = with_contiguous_rows(make_view(given, shape, strides, given.impl().offset));
  c.bias = bias.data<float>();
  const auto stride = [&](std::size_t d) { return shape[d] == 1 ? 0 : bias.strides()[d]; };
  c.bias_strides = {stride(0), stride(1), stride(2)};
  return bias;
}

Tensor read_sinks(AttentionCall& c, const Tensor& given) {
  if (!given.defined()) return given;
  Tensor sinks = given.device().contiguous(given);
  c.sinks = sinks.data<float>();
  return sinks;
}

void attention_kernel(const KernelCall& call) {
  if (call.out[0].numel() == 0) return;
  AttentionCall c;
  read_attrs(c, call.as<AttentionAttrs>());
  const Tensor q = read_queries(c, call.in[0], call.out[0]);
  const Tensor k = with_contiguous_rows(call.in[1]);
  const Tensor v = with_contiguous_rows(call.in[2]);
  c.key_heads = k.size(1);
  c.keys = k.size(2);
  c.value_dim = v.size(3);
  c.k = k.data<float>();
  c.v = v.data<float>();
  c.k_strides = strides_of(k);
  c.v_strides = strides_of(v);
  Tensor mask;
  if (call.in[3].defined()) {
    mask = with_contiguous_rows(call.in[3]);
    c.key_mask = reinterpret_cast<const std::uint8_t*>(mask.data<bool>());
    c.key_mask_stride = mask.strides()[0];
  }
  const Tensor bias = read_bias(c, call.in[4]);
  const Tensor sinks = read_sinks(c, call.in[5]);
  attention(call.context.threads(), c);
}

/// Pages that the kernel reads where they lie: of whole key blocks, all as long as the first but for a text's last.
bool paged_attention_supports(const OpCall& call) {
  const auto& a = call.as<PagedAttentionAttrs>();
  for (const Tensor& t : call.in)
    if (t.defined() && t.dtype() != DType::f32) return false;
  if (!a.attention.causal && a.attention.chunk != 0) return false;
  std::int64_t length = 0;
  std::size_t at = 3;
  for (const std::int64_t count : a.pages) {
    for (std::int64_t i = 0; i + 1 < count; ++i) {
      const std::int64_t n = call.in[at + static_cast<std::size_t>(i)].size(1);
      if (length == 0) length = n;
      if (n != length || n % key_block != 0) return false;
    }
    at += 2 * static_cast<std::size_t>(count);
  }
  at = 3;
  for (const std::int64_t count : a.pages) {  // what follows a last page would be read beyond it
    at += static_cast<std::size_t>(count);
    if (length > 0 && call.in[at - 1].size(1) > length) return false;
    at += static_cast<std::size_t>(count);
  }
  return true;
}

void paged_attention_kernel(const KernelCall& call) {
  const auto& a = call.as<PagedAttentionAttrs>();
  if (call.out[0].numel() == 0) return;
  AttentionCall c;
  read_attrs(c, a.attention);
  const Tensor q = read_queries(c, call.in[0], call.out[0]);
  std::vector<Tensor> copies;  // of pages whose positions are not contiguous
  std::vector<std::int64_t> row_keys;
  c.pages_per_row = *std::max_element(a.pages.begin(), a.pages.end());
  std::vector<KeyPage> pages(a.pages.size() * static_cast<std::size_t>(c.pages_per_row));
  std::size_t at = 3;
  for (std::size_t b = 0; b < a.pages.size(); ++b) {
    const auto count = static_cast<std::size_t>(a.pages[b]);
    row_keys.push_back(0);
    for (std::size_t i = 0; i < count; ++i) {
      const Tensor k = with_contiguous_rows(call.in[at + i]), v = with_contiguous_rows(call.in[at + count + i]);
      pages[b * static_cast<std::size_t>(c.pages_per_row) + i] = {k.data<float>(), v.data<float>(), k.strides()[0],
                                                                  v.strides()[0],  k.strides()[1],  v.strides()[1]};
      c.page_length = std::max(c.page_length, k.size(1));
      row_keys.back() += k.size(1);
      copies.insert(copies.end(), {k, v});
    }
    at += 2 * count;
    c.keys = std::max(c.keys, row_keys.back());
  }
  c.page_length = std::max<std::int64_t>(c.page_length, 1);
  c.key_heads = call.in[3].size(0);
  c.value_dim = call.out[0].size(3);
  c.pages = pages.data();
  c.row_keys = row_keys.data();
  const Tensor bias = read_bias(c, call.in[1]);
  const Tensor sinks = read_sinks(c, call.in[2]);
  attention(call.context.threads(), c);
}

bool rope_supports(const OpCall& call) {
  return call.in[0].dtype() == DType::f32 && call.in[1].dtype() == DType::f32 && call.in[2].dtype() == DType::f32 &&
         call.in[1].is_contiguous() && call.in[2].is_contiguous() && call.in[3].dtype() == DType::i64 &&
         (call.in[0].strides()[3] == 1 || call.in[0].size(3) == 1) &&
         (call.in[3].strides()[1] == 1 || call.in[3].size(1) == 1);
}

void rope_kernel(const KernelCall& call) {
  const Tensor& x = call.in[0];
  const Tensor& positions = call.in[3];
  if (x.numel() == 0) return;
  for (std::int64_t b = 0; b < positions.size(0); ++b)
    for (std::int64_t l = 0; l < positions.size(1); ++l) {
      const std::int64_t p = positions.data<std::int64_t>()[b * positions.strides()[0] + l];
      check(p >= 0 && p < call.in[1].size(0), ErrorCode::out_of_range, "[rope] position ", p, " is outside [0, ",
            call.in[1].size(0), ")");
    }
  const Tensor& y = call.out[0];
  RopeCall c;
  c.batch = x.size(0);
  c.heads = x.size(1);
  c.length = x.size(2);
  c.head_dim = x.size(3);
  c.rotary_dim = 2 * call.in[1].size(1);
  c.x = x.data<float>();
  c.x_batch = x.strides()[0];
  c.x_head = x.strides()[1];
  c.x_position = x.strides()[2];
  c.y = y.mutable_data<float>();
  c.y_batch = y.strides()[0];
  c.y_head = y.strides()[1];
  c.y_position = y.strides()[2];
  c.cos = call.in[1].data<float>();
  c.sin = call.in[2].data<float>();
  c.positions = positions.data<std::int64_t>();
  c.positions_batch = positions.size(0) == 1 ? 0 : positions.strides()[0];
  c.pairs = call.as<RopeAttrs>().interleaved ? RopePairs::interleaved : RopePairs::half_split;
  rope(call.context.threads(), c);
}

}  // namespace

void add_attention_kernels(OpKernels& table) {
  table[&attention_op] = {.run = attention_kernel, .supports = attention_supports, .layout = KernelLayout::any};
  table[&paged_attention_op] = {
      .run = paged_attention_kernel, .supports = paged_attention_supports, .layout = KernelLayout::any};
  table[&rope_op] = {.run = rope_kernel, .supports = rope_supports, .layout = KernelLayout::any};
}

}  // namespace trustformers::cpu
