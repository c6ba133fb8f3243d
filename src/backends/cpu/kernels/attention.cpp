#include "../../../ops/attention/attention.h"

#include "../../../ops/attention/rope.h"
#include "../../../tensor/context.h"
#include "../attention/attention.h"
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

void attention_kernel(const KernelCall& call) {
  const auto& a = call.as<AttentionAttrs>();
  if (call.out[0].numel() == 0) return;
  const Tensor q = with_contiguous_rows(call.in[0]);
  const Tensor k = with_contiguous_rows(call.in[1]);
  const Tensor v = with_contiguous_rows(call.in[2]);
  AttentionCall c;
  c.batch = q.size(0);
  c.query_heads = q.size(1);
  c.key_heads = k.size(1);
  c.queries = q.size(2);
  c.keys = k.size(2);
  c.head_dim = q.size(3);
  c.value_dim = v.size(3);
  c.q = q.data<float>();
  c.k = k.data<float>();
  c.v = v.data<float>();
  c.out = call.out[0].mutable_data<float>();
  c.q_strides = strides_of(q);
  c.k_strides = strides_of(k);
  c.v_strides = strides_of(v);
  c.out_strides = strides_of(call.out[0]);
  c.scale = static_cast<float>(a.scale);
  c.softcap = static_cast<float>(a.softcap);
  c.causal = a.causal;
  c.window = a.window;
  c.chunk = a.chunk;
  c.prefix = a.prefix;
  Tensor mask;
  if (call.in[3].defined()) {
    mask = with_contiguous_rows(call.in[3]);
    c.key_mask = reinterpret_cast<const std::uint8_t*>(mask.data<bool>());
    c.key_mask_stride = mask.strides()[0];
  }
  Tensor bias;
  if (call.in[4].defined()) {
    // Broadcast dimensions get a stride of 0; the key dimension is made real.
    const Tensor& given = call.in[4];
    Shape shape(4, 1);
    for (std::size_t d = 0; d < given.rank(); ++d) shape[4 - given.rank() + d] = given.shape()[d];
    const bool broadcast_keys = shape[3] != c.keys;
    Strides strides(4, 0);
    for (std::size_t d = 0; d < given.rank(); ++d)
      if (given.shape()[d] != 1) strides[4 - given.rank() + d] = given.strides()[d];
    if (broadcast_keys) shape[3] = c.keys;
    bias = with_contiguous_rows(make_view(given, shape, strides, given.impl().offset));
    c.bias = bias.data<float>();
    const auto stride = [&](std::size_t d) { return shape[d] == 1 ? 0 : bias.strides()[d]; };
    c.bias_strides = {stride(0), stride(1), stride(2)};
  }
  Tensor sinks;
  if (call.in[5].defined()) {
    sinks = call.in[5].device().contiguous(call.in[5]);
    c.sinks = sinks.data<float>();
  }
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
  table[&rope_op] = {.run = rope_kernel, .supports = rope_supports, .layout = KernelLayout::any};
}

}  // namespace trustformers::cpu
