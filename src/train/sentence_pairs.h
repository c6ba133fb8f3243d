// Pairs of sentences for the second objective of pretraining: does the second follow the first (BERT), are they in
// order (ALBERT).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "../tensor/tensor.h"

namespace trustformers {

using TokenList = std::vector<std::int64_t>;
/// A text as its sentences.
using Document = std::vector<TokenList>;

struct SentencePair {
  TokenList first, second;
  std::int64_t label = 0;
};

/// Each sentence with the one after it (label 0) or, half of the time, with one of another document (label 1), as
/// next_sentence_label counts (Devlin et al. 2019). Errors: invalid_argument for fewer than two documents with
/// sentences.
std::vector<SentencePair> next_sentence_pairs(std::span<const Document> documents, std::uint64_t seed);
/// Each sentence and the one after it, in order (label 0) or, half of the time, swapped (label 1), as
/// sentence_order_label counts (Lan et al. 2020).
std::vector<SentencePair> sentence_order_pairs(std::span<const Document> documents, std::uint64_t seed);

struct PairFormat {
  std::int64_t cls_token_id = 0, sep_token_id = 0, pad_token_id = 0;
  std::int64_t max_length = 512;
};
struct PairBatch {
  Tensor input_ids;       // [B, L] i64: cls first sep second sep, padded on the right
  Tensor attention_mask;  // [B, L] i64
  Tensor token_type_ids;  // [B, L] i64: 1 from the second sentence on
  Tensor labels;          // [B] i64
};
/// Pairs too long for max_length lose tokens at the end of their longer sentence.
PairBatch collate_pairs(std::span<const SentencePair> pairs, const PairFormat& format);

}  // namespace trustformers
