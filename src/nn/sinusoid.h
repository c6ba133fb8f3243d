// Positions as sines and cosines of fixed frequencies (Vaswani et al. 2017).
#pragma once

#include <cstdint>

#include "../tensor/tensor.h"

namespace trustformers {

/// How the frequencies fall from 1: to just above 1/10000 as in the paper, or to 1/10000 exactly (fairseq).
enum class SinusoidSpacing { paper, fairseq };

/// positions [B, L] (i64) -> f32 [B, L, width]: all sines, then all cosines. Of an odd width the paper's spacing has
/// one sine more, fairseq's ends with a zero.
Tensor sinusoidal_positions(const Tensor& positions, std::int64_t width, SinusoidSpacing spacing);

}  // namespace trustformers
