#include "charsmap.h"

#include <bit>
#include <cstring>
#include <span>

#include "../base/byte_reader.h"
#include "../base/error.h"
#include "../base/utf8.h"

namespace trustformers {
namespace {

// A unit of the trie: bits 0-7 label, 8 "a key ends below", 9-31 where the children are; a leaf is a 31-bit value.
bool has_leaf(std::uint32_t unit) { return (unit >> 8 & 1) != 0; }
std::uint32_t label(std::uint32_t unit) { return unit & (1u << 31 | 0xFF); }
std::uint32_t offset(std::uint32_t unit) { return unit >> 10 << ((unit & 1u << 9) >> 6); }

}  // namespace

Charsmap::Charsmap(std::string_view blob, std::string_view where) {
  ByteReader reader(std::as_bytes(std::span(blob)), where);
  const auto bytes = reader.read<std::uint32_t>("size of the trie");
  check(bytes % 4 == 0, ErrorCode::parse, "[", where, "] the trie must have a multiple of 4 bytes, got ", bytes);
  const auto trie = reader.take(bytes, "trie");
  units_.resize(bytes / 4);
  if (bytes > 0) std::memcpy(units_.data(), trie.data(), bytes);
  replacements_ = reader.text(reader.remaining(), "replacements");
  check(is_valid_utf8(replacements_), ErrorCode::parse, "[", where, "] the replacements are not valid UTF-8");
}

std::optional<Charsmap::Hit> Charsmap::find(std::string_view text, bool longest) const {
  std::optional<Hit> hit;
  if (units_.empty()) return hit;
  std::size_t node = offset(units_[0]);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0) break;
    node ^= byte;
    if (node >= units_.size()) break;
    const std::uint32_t unit = units_[node];
    if (label(unit) != byte) break;
    node ^= offset(unit);
    if (node >= units_.size()) break;
    if (!has_leaf(unit)) continue;
    const std::size_t start = units_[node] & 0x7FFFFFFF;
    if (start >= replacements_.size()) continue;
    std::string_view replacement = std::string_view(replacements_).substr(start);
    replacement = replacement.substr(0, replacement.find('\0'));
    if (!is_valid_utf8(replacement)) continue;  // points into the middle of a character
    hit = Hit{i + 1, replacement};
    if (!longest) break;
  }
  return hit;
}

namespace {
constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}  // namespace

std::string encode_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out.push_back(i + k <= bytes.size() ? base64_alphabet[bits >> (18 - 6 * k) & 63] : '=');
  }
  return out;
}

std::string decode_base64(std::string_view text, std::string_view where) {
  const std::size_t end = text.find_last_not_of('=') + 1;
  check(text.size() % 4 == 0 && text.size() - end <= 2, ErrorCode::parse, "[", where,
        "] base64 must come in fours, got ", text.size(), " characters");
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(0, end)) {
    const std::size_t digit = base64_alphabet.find(c);
    check(digit != std::string_view::npos, ErrorCode::parse, "[", where, "] '", c, "' is not base64");
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(static_cast<unsigned char>(bits >> count & 0xFF)));
    }
  }
  return out;
}

}  // namespace trustformers
