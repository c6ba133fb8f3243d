#include "byte_alphabet.h"

#include <array>

namespace trustformers {
namespace {

struct Alphabet {
  std::array<char32_t, 256> characters{};
  std::array<std::int16_t, 0x144> bytes{};  // by character; -1: none
};

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  for (auto& byte : alphabet.bytes) byte = -1;
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    const char32_t character = printable ? byte : next++;
    alphabet.characters[byte] = character;
    alphabet.bytes[character] = static_cast<std::int16_t>(byte);
  }
  return alphabet;
}

constexpr Alphabet alphabet = make_alphabet();

constexpr ByteTexts make_texts() {
  ByteTexts texts;
  for (std::size_t byte = 0; byte < texts.size(); ++byte) {
    const char32_t c = alphabet.characters[byte];
    if (c < 0x80)
      texts[byte] = {{static_cast<char>(c), 0}, 1};
    else
      texts[byte] = {{static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))}, 2};
  }
  return texts;
}

constexpr ByteTexts texts = make_texts();

}  // namespace

const ByteTexts& byte_alphabet_texts() { return texts; }

char32_t byte_character(unsigned char byte) { return alphabet.characters[byte]; }

std::optional<unsigned char> character_byte(char32_t character) {
  if (character >= alphabet.bytes.size() || alphabet.bytes[character] < 0) return std::nullopt;
  return static_cast<unsigned char>(alphabet.bytes[character]);
}

int named_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
  int value = 0;
  for (const char c : token.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                             : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

}  // namespace trustformers
