#include "utf8.h"

#include <cstdint>
#include <cstring>
#include <utility>

namespace trustformers {
namespace {

struct Lead {
  unsigned length;          // 0: no character starts with this byte
  unsigned char low, high;  // bounds of the second byte: they exclude overlong forms, surrogates and > U+10FFFF
  unsigned char bits;       // payload of the lead byte
};

Lead classify(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0, byte};
  if (byte < 0xc2) return {0, 0, 0, 0};
  if (byte < 0xe0) return {2, 0x80, 0xbf, static_cast<unsigned char>(byte & 0x1f)};
  const auto low_nibble = static_cast<unsigned char>(byte & 0x0f);
  if (byte == 0xe0) return {3, 0xa0, 0xbf, low_nibble};
  if (byte == 0xed) return {3, 0x80, 0x9f, low_nibble};
  if (byte < 0xf0) return {3, 0x80, 0xbf, low_nibble};
  if (byte == 0xf0) return {4, 0x90, 0xbf, low_nibble};
  if (byte < 0xf4) return {4, 0x80, 0xbf, low_nibble};
  if (byte == 0xf4) return {4, 0x80, 0x8f, low_nibble};
  return {0, 0, 0, 0};
}

/// Bytes of ASCII from `at` on, looked at eight at a time.
std::size_t ascii_run(std::string_view text, std::size_t at) {
  const std::size_t start = at;
  while (text.size() - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    if (word & 0x8080808080808080u) break;
    at += 8;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at - start;
}

void append_replacing(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t ascii = ascii_run(text, at);
    out.append(text, at, ascii);
    at += ascii;
    if (at == text.size()) return;
    const Utf8Step step = decode_utf8_at(text, at);
    if (step.valid)
      out.append(text, at, step.length);
    else
      append_utf8(out, replacement_character);
    at += step.length;
  }
}

}  // namespace

Utf8Step decode_utf8_at(std::string_view text, std::size_t at) {
  const Lead lead = classify(static_cast<unsigned char>(text[at]));
  if (lead.length == 0) return {};
  char32_t code_point = lead.bits;
  for (unsigned i = 1; i < lead.length; ++i) {
    if (at + i == text.size()) return {.length = i, .truncated = true};
    const auto byte = static_cast<unsigned char>(text[at + i]);
    const bool fits = i == 1 ? byte >= lead.low && byte <= lead.high : (byte & 0xc0) == 0x80;
    if (!fits) return {.length = i};
    code_point = (code_point << 6) | (byte & 0x3fu);
  }
  return {.code_point = code_point, .length = lead.length, .valid = true};
}

std::u32string decode_utf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Step step = decode_utf8_at(text, at);
    out.push_back(step.code_point);
    at += step.length;
  }
  return out;
}

void append_utf8(std::string& out, char32_t code_point) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point <= 0xdfff)) code_point = replacement_character;
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    put(0xe0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3f));
    put(0x80 | (code_point & 0x3f));
  } else {
    put(0xf0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3f));
    put(0x80 | ((code_point >> 6) & 0x3f));
    put(0x80 | (code_point & 0x3f));
  }
}

std::string encode_utf8(std::u32string_view code_points) {
  std::string out;
  out.reserve(code_points.size());
  for (const char32_t code_point : code_points) append_utf8(out, code_point);
  return out;
}

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    at += ascii_run(text, at);
    if (at == text.size()) break;
    const Utf8Step step = decode_utf8_at(text, at);
    if (!step.valid) return at;
    at += step.length;
  }
  return std::string_view::npos;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_replacing(out, text);
  return out;
}

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) at += decode_utf8_at(text, at).length;
  return count;
}

std::string Utf8Streamer::push(std::string_view bytes) {
  std::string text = std::exchange(pending_, {});
  text += bytes;
  // Only the last three bytes can belong to a character that goes on.
  std::size_t end = text.size();
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const std::size_t at = text.size() - back;
    const Utf8Step step = decode_utf8_at(text, at);
    if (step.truncated && step.length == back) {
      end = at;
      break;
    }
    if (step.valid) break;
  }
  pending_ = text.substr(end);
  text.resize(end);
  return replace_invalid_utf8(text);
}

std::string Utf8Streamer::finish() { return replace_invalid_utf8(std::exchange(pending_, {})); }

}  // namespace trustformers
