// GPT-2's way of writing bytes as printable characters: printable Latin-1 stands for itself, the others for U+0100 on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trustformers {

/// What is written for a byte: nothing, or one or two bytes.
struct ByteText {
  std::array<char, 2> bytes{};
  std::uint8_t size = 0;
};
using ByteTexts = std::array<ByteText, 256>;
/// byte_character() of each byte, in UTF-8.
const ByteTexts& byte_alphabet_texts();

/// The character that stands for a byte; the blank is U+0120 'Ġ'.
char32_t byte_character(unsigned char byte);
/// The byte that a character stands for, if any.
std::optional<unsigned char> character_byte(char32_t character);

/// The byte that a token of byte fallback names ("<0x0A>"), or -1.
int named_byte(std::string_view token);

}  // namespace trustformers
