// Corrupting texts for encoder-decoders that learn to restore them: T5's span corruption (Raffel et al. 2020) and the
// noise of BART (Lewis et al. 2020). A corrupted text depends on the seed and its number alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "../tensor/tensor.h"

namespace trustformers {

using TokenIds = std::vector<std::int64_t>;

/// What an encoder reads and what the decoder is to say.
struct DenoisingExample {
  TokenIds input, labels;
};

struct SpanCorruption {
  double noise_density = 0.15;  // share of the tokens that are hidden, in (0, 1)
  double mean_span_length = 3;  // of what is hidden, at least 1
  /// The first mark that stands for a span; the next ones count down from it ("<extra_id_0>" is the last id).
  std::int64_t first_sentinel = 0;
  std::int64_t sentinels = 100;
  std::optional<std::int64_t> eos_token_id = {};  // put behind both
};

/// True where a token is hidden. Of `length` tokens (at least 2) round(length · density), but one at least and not all,
/// are hidden in round(hidden / mean length) spans, one at least; both kinds of span have lengths that are uniform
/// among all that add up, and the text begins with one that stays.
std::vector<bool> span_corruption_mask(std::int64_t length, const SpanCorruption& settings, std::uint64_t seed,
                                       std::uint64_t number);

/// Input: the text with each hidden span replaced by its sentinel. Labels: each sentinel and what it hides. Errors:
/// invalid_argument (settings outside their ranges, fewer than two tokens, more spans than sentinels).
DenoisingExample corrupt_spans(std::span<const std::int64_t> tokens, const SpanCorruption& settings, std::uint64_t seed,
                               std::uint64_t number);

struct BartNoise {
  std::int64_t mask_token_id = 0;
  /// Text infilling: ceil(tokens · ratio) tokens go, in spans of Poisson length, and one mask comes for each span; a
  /// span of no length is a mask between two tokens.
  double infilling_ratio = 0.3;
  double mean_span_length = 3;
  double masking_ratio = 0;   // each token becomes the mask with this probability
  double deletion_ratio = 0;  // each token goes with this probability; one stays
  bool permute_sentences = true;
  bool rotate = false;  // the text begins at a token drawn uniformly
  /// Tokens that end a sentence, for permute_sentences.
  TokenIds sentence_ends = {};
  std::optional<std::int64_t> bos_token_id = {}, eos_token_id = {};  // around both, never touched
};

/// Input: the text after, in this order, the permutation of its sentences, rotation, deletion, masking and infilling.
/// Labels: the text. Errors: invalid_argument (settings outside their ranges, an empty text).
DenoisingExample add_bart_noise(std::span<const std::int64_t> tokens, const BartNoise& settings, std::uint64_t seed,
                                std::uint64_t number);

/// Examples side by side, padded on the right: input_ids and attention_mask [B, L], labels [B, T] with -100 for
/// padding. A model shifts the labels itself.
struct DenoisingBatch {
  Tensor input_ids, attention_mask, labels;
};
DenoisingBatch collate_denoising(std::span<const DenoisingExample> examples, std::int64_t pad_token_id);

}  // namespace trustformers
