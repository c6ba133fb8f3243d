// Attention over keys that lie in pages: texts of different lengths in one call, beginnings shared between them.
#pragma once

#include "attention.h"

namespace trustformers {

/// The keys and values of one text, in order: [Hkv, n, D] and [Hkv, n, Dv], at least one piece.
struct PagedText {
  std::span<const Tensor> keys, values;
};

struct PagedAttentionAttrs {
  AttentionAttrs attention;
  std::vector<std::int64_t> pages;  // how many each text has
};

/// Row b is attention() of q[b] with the pages of texts[b] put together: q [B, Hq, L, D] -> [B, Hq, L, Dv]. With S_b
/// keys in text b and S the most of them, bias is broadcastable to [B, Hq, L, S], and row b reads its last S_b columns.
/// sinks [Hq] as attention(). A row gives the same bits as attention() alone where all pages but a text's last have one
/// length, a multiple of 64 (Kwon et al. 2023).
Tensor paged_attention(const Tensor& q, std::span<const PagedText> texts, const AttentionAttrs& attrs,
                       const Tensor& bias = Tensor(), const Tensor& sinks = Tensor());

/// Inputs: q, bias, sinks, then for each text its pages of keys and its pages of values.
extern const OpDef paged_attention_op;

}  // namespace trustformers
