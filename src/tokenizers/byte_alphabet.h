// GPT-2's way of writing bytes as printable characters: printable Latin-1 stands for itself, the others for U+0100 on.
#pragma once

#include <cstdint>
#include <optional>

namespace trustformers {

/// The character that stands for a byte; the blank is U+0120 'Ġ'.
char32_t byte_character(unsigned char byte);
/// The byte that a character stands for, if any.
std::optional<unsigned char> character_byte(char32_t character);

}  // namespace trustformers
