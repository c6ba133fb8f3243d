#include "base/utf8.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/rng.h"

namespace trustformers {
namespace {

bool is_scalar(char32_t c) { return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff); }

TEST_CASE("base: every code point is encoded and decoded back") {
  int wrong = 0;
  for (char32_t c = 0; c <= 0x10ffff; ++c) {
    std::string text;
    append_utf8(text, c);
    const std::size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    const Utf8Step step = decode_utf8_at(text, 0);
    wrong += !step.valid || text.size() != length || step.length != length;
    wrong += step.code_point != (is_scalar(c) ? c : replacement_character);
  }
  CHECK(wrong == 0);
  std::string text;
  append_utf8(text, 0x110000);
  append_utf8(text, 0xffffffff);
  CHECK(text == "\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(encode_utf8(U"h\u00e9\u20ac\U0001f600") == "h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST_CASE("base: exactly the sequences of RFC 3629 are valid") {
  // All byte strings up to three bytes, and four bytes with the last two at their bounds, against a decoder made from
  // the definition: payload bits, shortest form, scalar value.
  const auto by_definition = [](const std::string& s) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    const std::size_t length = byte(0) < 0x80       ? 1
                               : byte(0) >> 5 == 6  ? 2
                               : byte(0) >> 4 == 14 ? 3
                               : byte(0) >> 3 == 30 ? 4
                                                    : 0;
    if (length != s.size()) return false;
    char32_t c = length == 1 ? byte(0) : byte(0) & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
      if (byte(i) >> 6 != 2) return false;
      c = c << 6 | (byte(i) & 0x3fu);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    return is_scalar(c) && c >= smallest[length];
  };
  int wrong = 0;
  for (int a = 0; a < 256; ++a) {
    const std::string one(1, static_cast<char>(a));
    wrong += decode_utf8_at(one, 0).valid != by_definition(one);
    for (int b = 0; b < 256; ++b) {
      const std::string two = one + static_cast<char>(b);
      const Utf8Step step = decode_utf8_at(two, 0);
      wrong += (step.valid && step.length == 2) != by_definition(two);
      for (int c = 0; c < 256; ++c) {
        const std::string three = two + static_cast<char>(c);
        const Utf8Step third = decode_utf8_at(three, 0);
        wrong += (third.valid && third.length == 3) != by_definition(three);
        if (a >= 0xf0 && (c == 0x7f || c == 0x80 || c == 0xbf || c == 0xc0))
          for (const int d : {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff}) {
            const std::string four = three + static_cast<char>(d);
            const Utf8Step fourth = decode_utf8_at(four, 0);
            wrong += (fourth.valid && fourth.length == 4) != by_definition(four);
          }
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("base: invalid bytes are replaced as Python replaces them") {
  const std::string r = "\xef\xbf\xbd";
  // Each pair was printed by Python's bytes.decode("utf-8", errors="replace").
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a\xff"
       "b",
       "a" + r + "b"},
      {"\x80\x81", r + r},
      {"\xc3(", r + "("},
      {"\xc0\xaf", r + r},
      {"\xe2\x82(", r + "("},
      {"\xe2\x82", r},
      {"\xe2(\xa1", r + "(" + r},
      {"\xe0\x80\xaf", r + r + r},
      {"\xed\xa0\x80", r + r + r},
      {"\xf0\x9f\x98"
       "a",
       r + "a"},
      {"\xf0\x9f\x98", r},
      {"\xf0\x80\x80\x80", r + r + r + r},
      {"\xf4\x90\x80\x80", r + r + r + r},
      {"\xf0\x9f\xf0\x9f\x98\x80", r + "\xf0\x9f\x98\x80"},
      {"\xf8\x88\x80\x80\x80", r + r + r + r + r},
      {"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf"
       "A",
       r + r + r + r + "A"},
      {"12345678\xff"
       "12345678",
       "12345678" + r + "12345678"},
  };
  for (const auto& [bytes, text] : cases) {
    CHECK(replace_invalid_utf8(bytes) == text);
    CHECK(encode_utf8(decode_utf8(bytes)) == text);
    CHECK(count_code_points(bytes) == decode_utf8(text).size());
    CHECK_FALSE(is_valid_utf8(bytes));
    CHECK(is_valid_utf8(text));
  }
  CHECK(find_invalid_utf8("123456789\xc3\xa9\xc3") == 11);
  CHECK(find_invalid_utf8("") == std::string_view::npos);
  CHECK(replace_invalid_utf8("").empty());
}

TEST_CASE("base: a stream of bytes in any pieces gives the same text, each piece valid") {
  const Philox random(11);
  std::uint64_t at = 0;
  const std::string parts[] = {"a",    "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff",         "\xe2\x82",
                               "\xf0", "\xc3",     "\xed\xa0\x80", "\xf0\x9f\x98",     "\xf0\x80\x80", "\x80"};
  for (int round = 0; round < 5000; ++round) {
    std::string bytes;
    for (std::uint32_t i = random.bits(at++) % 12; i > 0; --i) bytes += parts[random.bits(at++) % 12];
    Utf8Streamer streamer;
    std::string text;
    for (std::size_t i = 0; i < bytes.size();) {
      const std::size_t step = 1 + random.bits(at++) % 3;
      const std::string piece = streamer.push(std::string_view(bytes).substr(i, step));
      REQUIRE(is_valid_utf8(piece));
      REQUIRE(streamer.pending().size() <= 3);
      text += piece;
      i += step;
    }
    text += streamer.finish();
    REQUIRE(text == replace_invalid_utf8(bytes));
    REQUIRE(streamer.finish().empty());
  }
}

TEST_CASE("base: a stream gives a character as soon as it is whole") {
  Utf8Streamer streamer;
  CHECK(streamer.push("a\xf0\x9f") == "a");
  CHECK(streamer.push("") == "");
  CHECK(streamer.push("\x98") == "");
  CHECK(streamer.pending() == "\xf0\x9f\x98");
  CHECK(streamer.push("\x80"
                      "b") ==
        "\xf0\x9f\x98\x80"
        "b");
  CHECK(streamer.push("\xf0\x9f(") == "\xef\xbf\xbd(");
  CHECK(streamer.push("\x80") == "\xef\xbf\xbd");
}

}  // namespace
}  // namespace trustformers
