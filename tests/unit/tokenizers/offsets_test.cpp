#include <doctest/doctest.h>

#include <filesystem>

#include "base/utf8.h"
#include "tokenizers/tokenizer.h"

using namespace trustformers;

TEST_CASE("tokenizers: offsets in bytes are those in code points, of the text as it was given") {
  const Tokenizer tokenizer = Tokenizer::from_file(std::filesystem::path(TRUSTFORMERS_TEST_DATA) /
                                                   "goldens/tokenizers/bytelevel-llama3/tokenizer.json");
  const std::string first = "Grüße, 日本語 \xF0\x9F\x98\x80!";
  const std::string second = "a\xFF\xE6\x97 é";  // two parts that are not UTF-8: three bytes
  const Encoding points = tokenizer.encode({first, second});
  const Encoding bytes = tokenizer.encode({first, second}, {.byte_offsets = true});
  REQUIRE(bytes.ids == points.ids);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    CAPTURE(i);
    if (bytes.sequence_ids[i] < 0) {
      CHECK(bytes.offsets[i] == points.offsets[i]);
      continue;
    }
    const std::string_view text = bytes.sequence_ids[i] == 0 ? first : second;
    const auto before = [&](std::uint32_t end) { return count_code_points(text.substr(0, end)); };
    CHECK(before(bytes.offsets[i].begin) == points.offsets[i].begin);
    CHECK(before(bytes.offsets[i].end) == points.offsets[i].end);
    CHECK(bytes.offsets[i].end <= text.size());
  }
  CHECK(bytes.offsets.back().end == second.size());
}

TEST_CASE("tokenizers: offsets in bytes reach into what truncation cuts off") {
  const Tokenizer tokenizer = Tokenizer::from_file(std::filesystem::path(TRUSTFORMERS_TEST_DATA) /
                                                   "goldens/tokenizers/bert-uncased/tokenizer.json");
  EncodeOptions options;
  options.truncation = Truncation{.max_length = 6, .stride = 1};
  options.byte_offsets = true;
  const std::string text = "Äpfel und Öl für übermorgen";
  const Encoding encoding = tokenizer.encode(text, options);
  REQUIRE(!encoding.overflowing.empty());
  std::uint32_t last = 0;
  for (const SourceRange& range : encoding.overflowing.back().offsets) last = std::max(last, range.end);
  CHECK(last == text.size());
}
