// Element encodings of checkpoint files that DType lacks, and their conversion to types it has.
#pragma once

#include <memory>
#include <vector>

#include "source.h"

namespace trustformers {

/// OCP FP8 E4M3: no infinities, NaN at the largest magnitude.
float f8_e4m3_to_float(std::uint8_t bits);
/// OCP FP8 E5M2: float16 without its lower byte.
float f8_e5m2_to_float(std::uint8_t bits);
/// OCP MX E8M0: 2^(bits - 127), 255 is NaN.
float f8_e8m0_to_float(std::uint8_t bits);

/// True when a byte is neither 0 nor 1, so that it must not be read as a C++ bool.
bool has_odd_booleans(std::span<const std::byte> bytes);

/// An aligned copy of the stored bytes as elements of `entry.dtype`. Errors: unsupported for opaque encodings,
/// out_of_range for a u64 that i64 cannot hold.
std::shared_ptr<const std::vector<std::byte>> decode(const TensorEntry& entry, std::span<const std::byte> stored);

}  // namespace trustformers
