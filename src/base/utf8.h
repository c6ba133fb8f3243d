// UTF-8 (RFC 3629): decoding, encoding, validation, and a buffer that holds back unfinished characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace trustformers {

/// What stands in for bytes that are not UTF-8.
inline constexpr char32_t replacement_character = U'\uFFFD';

/// One step of decoding.
struct Utf8Step {
  char32_t code_point = replacement_character;
  /// Bytes used, at least 1. For bytes that are not UTF-8: the maximal subpart (Unicode, chapter 3.9), which is what
  /// becomes one replacement character.
  std::size_t length = 1;
  bool valid = false;
  /// Not valid, but only because the text ends inside the character.
  bool truncated = false;
};

/// Decodes the character that starts at byte `at` (`at` < text.size()).
Utf8Step decode_utf8_at(std::string_view text, std::size_t at);

/// All code points; bytes that are not UTF-8 become U+FFFD as in Python's decode(errors="replace").
std::u32string decode_utf8(std::string_view text);

/// Appends one code point; surrogates and values above U+10FFFF become U+FFFD.
void append_utf8(std::string& out, char32_t code_point);
std::string encode_utf8(std::u32string_view code_points);

/// The offset of the first byte that is not part of valid UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text);
inline bool is_valid_utf8(std::string_view text) { return find_invalid_utf8(text) == std::string_view::npos; }

/// The text with every maximal invalid part replaced by U+FFFD.
std::string replace_invalid_utf8(std::string_view text);

/// Characters, each replaced part counted as one.
std::size_t count_code_points(std::string_view text);

/// Turns bytes that come in arbitrary pieces into pieces of valid UTF-8: an unfinished character waits for its rest.
class Utf8Streamer {
 public:
  /// The text that is certain after these bytes (perhaps empty); invalid parts become U+FFFD.
  std::string push(std::string_view bytes);
  /// The end: an unfinished character becomes U+FFFD.
  std::string finish();
  /// Bytes waiting for their rest (at most 3).
  std::string_view pending() const { return pending_; }

 private:
  std::string pending_;
};

}  // namespace trustformers
