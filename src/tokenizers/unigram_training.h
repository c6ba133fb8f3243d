// Learning the pieces of a Unigram model (Kudo 2018, arXiv:1804.10959) as the trainer of Hugging Face's tokenizers
// does.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "training.h"

namespace trustformers {

/// Pieces and their log probabilities, likeliest first: characters that occur, and what expectation maximisation leaves
/// of the repeated parts of words. At most `size` of them. Errors: invalid_argument when `size` has no room for the
/// characters.
std::vector<std::pair<std::string, double>> learn_unigram_pieces(const std::map<std::string, std::uint64_t>& words,
                                                                 std::size_t size, const TrainingOptions& options);

}  // namespace trustformers
