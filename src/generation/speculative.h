// The arithmetic of speculative sampling (Leviathan et al. 2022): a token drawn from the draft's law q becomes one of
// the target's law p by being kept or replaced.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace trustformers {

/// How likely a drafted token is kept: min(1, p / q). A token that the draft cannot draw is kept never.
double acceptance(std::span<const double> p, std::span<const double> q, std::int64_t token);
/// The law of the token that stands in for one that was not kept: max(p - q, 0), normalised; p where nothing is left.
void residual_law(std::span<const double> p, std::span<const double> q, std::vector<double>& out);
/// softmax of scores in double.
void law_of(std::span<const float> scores, std::vector<double>& out);
/// The token in whose stretch of the cumulated law the number in [0, 1) falls.
std::int64_t draw(std::span<const double> law, double uniform);

/// What followed the last earlier occurrence of the text's last tokens, longest match of at most `ngram` first; at most
/// `count` tokens, none when nothing matches.
std::vector<std::int64_t> look_up_continuation(std::span<const std::int64_t> text, std::int64_t ngram,
                                               std::int64_t count);

}  // namespace trustformers
