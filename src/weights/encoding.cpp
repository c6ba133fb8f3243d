#include "encoding.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace trustformers {
namespace {

/// Converts element by element through memcpy, since neither side has to be aligned for its type.
template <class From, class To, class Convert>
std::vector<std::byte> convert(std::span<const std::byte> stored, Convert one) {
  const std::size_t count = stored.size() / sizeof(From);
  std::vector<std::byte> out(count * sizeof(To));
  for (std::size_t i = 0; i < count; ++i) {
    From from;
    std::memcpy(&from, stored.data() + i * sizeof(From), sizeof(From));
    const To to = one(from);
    std::memcpy(out.data() + i * sizeof(To), &to, sizeof(To));
  }
  return out;
}

template <class From, class To>
std::vector<std::byte> widen(std::span<const std::byte> stored) {
  return convert<From, To>(stored, [](From value) { return static_cast<To>(value); });
}

std::vector<std::byte> decoded(const TensorEntry& entry, std::span<const std::byte> stored) {
  switch (entry.encoding) {
    case ElementEncoding::native:
    case ElementEncoding::c64:
      if (entry.dtype == DType::boolean)
        return convert<std::uint8_t, std::uint8_t>(stored, [](std::uint8_t value) { return std::uint8_t{value != 0}; });
      return {stored.begin(), stored.end()};
    case ElementEncoding::i16: return widen<std::int16_t, std::int32_t>(stored);
    case ElementEncoding::u16: return widen<std::uint16_t, std::int32_t>(stored);
    case ElementEncoding::u32: return widen<std::uint32_t, std::int64_t>(stored);
    case ElementEncoding::u64:
      return convert<std::uint64_t, std::int64_t>(stored, [](std::uint64_t value) {
        check(value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()), ErrorCode::out_of_range,
              "[weights] expected values below 2^63, got ", value);
        return static_cast<std::int64_t>(value);
      });
    case ElementEncoding::f8_e4m3: return convert<std::uint8_t, float>(stored, f8_e4m3_to_float);
    case ElementEncoding::f8_e5m2: return convert<std::uint8_t, float>(stored, f8_e5m2_to_float);
    case ElementEncoding::f8_e8m0: return convert<std::uint8_t, float>(stored, f8_e8m0_to_float);
    case ElementEncoding::opaque: break;
  }
  fail(ErrorCode::unsupported, "[weights] elements of type ", entry.stored, " cannot be loaded");
}

}  // namespace

float f8_e4m3_to_float(std::uint8_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x80) << 24;
  const unsigned exponent = (bits >> 3) & 15, mantissa = bits & 7;
  if (exponent == 15 && mantissa == 7) return std::bit_cast<float>(sign | 0x7fc00000u);
  const float magnitude = exponent == 0 ? static_cast<float>(mantissa) * 0x1p-9f
                                        : std::bit_cast<float>(((exponent + 120u) << 23) | (mantissa << 20));
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

float f8_e5m2_to_float(std::uint8_t bits) { return to_float(f16{static_cast<std::uint16_t>(bits << 8)}); }

float f8_e8m0_to_float(std::uint8_t bits) {
  if (bits == 255) return std::numeric_limits<float>::quiet_NaN();
  // 2^-127 is subnormal: its exponent field is 0 as well.
  return std::bit_cast<float>(bits == 0 ? std::uint32_t{0x00400000} : static_cast<std::uint32_t>(bits) << 23);
}

bool has_odd_booleans(std::span<const std::byte> bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](std::byte value) { return value > std::byte{1}; });
}

std::shared_ptr<const std::vector<std::byte>> decode(const TensorEntry& entry, std::span<const std::byte> stored) {
  return std::make_shared<const std::vector<std::byte>>(decoded(entry, stored));
}

}  // namespace trustformers
