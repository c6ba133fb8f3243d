#include "tokenizers/scanners.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "tokenizers/regex.h"

namespace {

using namespace trustformers;

/// Texts of code points that the patterns tell apart, in random order.
std::string text_to_cut(std::uint64_t seed) {
  static const std::u32string alphabet =
      U"  "
      U"\t\n\r\u00A0\u2003\u3000\u180E\u0085abcXYZsStTdDmMlLrReEvV''''ſK.,!?/"
      U"\\_-$€0123456789²½٣Ⅷé\u0301\u0308ʰǅ\u0130ßñЖжقم漢字カナ\u200D\u200B"
      U"😀👩🏽\u0903\U0001D7D8";
  std::uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  std::u32string text;
  const auto next = [&] {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  };
  for (std::uint64_t length = next() % 40; length > 0; --length) {
    const char32_t c = alphabet[static_cast<std::size_t>(next() % alphabet.size())];
    text.append(next() % 4 == 0 ? static_cast<std::size_t>(next() % 4 + 1) : 1, c);
  }
  return encode_utf8(text);
}

}  // namespace

TEST_CASE("tokenizers: the scanners cut like the patterns they stand for") {
  for (const std::string_view pattern : {gpt2_pattern, llama3_pattern, qwen2_pattern, gpt4o_pattern}) {
    const Scanner scan = find_scanner(pattern);
    REQUIRE((scan != nullptr) == true);
    const Regex regex(pattern);
    CAPTURE(pattern);
    for (std::uint64_t seed = 1; seed <= 20000; ++seed) {
      const std::string text = text_to_cut(seed);
      std::vector<Match> expected;
      regex.split(text, expected);
      std::vector<std::size_t> ends;
      for (const Match& match : expected) ends.push_back(match.end);
      std::vector<std::size_t> got;
      for (std::size_t at = 0; at < text.size();) got.push_back(at = scan(text, at));
      if (got != ends) {
        CAPTURE(text);
        CHECK(got == ends);
        break;
      }
    }
  }
  CHECK((find_scanner("\\p{L}+") == nullptr) == true);
}

TEST_CASE("tokenizers: patterns in Oniguruma's syntax mean the same to PCRE2") {
  const auto cut = [](std::string_view pattern, std::string_view text) {
    std::vector<Match> parts;
    Regex(pattern).split(text, parts);
    std::vector<std::string> matched;
    for (const Match& part : parts)
      if (part.matched) matched.emplace_back(text.substr(part.begin, part.end - part.begin));
    return matched;
  };
  using Parts = std::vector<std::string>;
  CHECK(cut(R"(\h+)", "xyz12fg") == Parts{"12f"});
  CHECK(cut(R"([a-c[x-z]]+)", "abxm") == Parts{"abx"});
  CHECK(cut(R"([^(\s|[.,!?])]+)", "a|b(c.d") == Parts{"a", "b", "c", "d"});
  CHECK(cut(R"([\p{L}&&[^a-m]]+)", "abnop") == Parts{"nop"});
  CHECK(cut(R"([^\p{L}&&[^a-m]]+)", "a1n2") == Parts{"a1", "2"});
  CHECK(cut(R"(\s)",
            "a\xE1\xA0\x8E"
            "b") == Parts{});  // U+180E is no white space any more
  CHECK(cut(R"(^b$)", "a\nb\nc") == Parts{"b"});
  CHECK(cut(R"(x*)", "ax") == Parts{"", "x"});
}

TEST_CASE("tokenizers: what is no pattern is refused") {
  for (const std::string_view pattern : {"(", "[a", "\\", "[z-a]", "a{2,1}", "[a&&]", "\\p{Nonsense}", "(?R", "\\C"}) {
    CAPTURE(pattern);
    CHECK_THROWS_AS(Regex{pattern}, Error);
  }
}
