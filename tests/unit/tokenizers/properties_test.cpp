// What must hold of every tokenizer, whatever the text.
#include <doctest/doctest.h>

#include <filesystem>

#include "base/error.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "tokenizers/tokenizer.h"

using namespace trustformers;

namespace {

using Ids = std::vector<TokenId>;

/// The tokenizers of the goldens, from a file or a folder.
std::vector<std::pair<std::string, Tokenizer>> golden_tokenizers() {
  std::vector<std::pair<std::string, Tokenizer>> out;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(TRUSTFORMERS_TEST_DATA) / "goldens/tokenizers")) {
    if (!entry.is_directory()) continue;
    const auto file = entry.path() / "tokenizer.json";
    out.emplace_back(entry.path().filename().string(), std::filesystem::exists(file)
                                                           ? Tokenizer::from_file(file)
                                                           : Tokenizer::from_pretrained(entry.path()));
  }
  return out;
}

/// Characters of all planes, some of them at home in tokenizers; up to 40.
std::string random_text(std::uint64_t seed) {
  const Philox rng(seed);
  auto pick = [&, at = std::uint64_t{0}](std::uint32_t bound) mutable {
    return static_cast<std::uint32_t>(rng.uniform_double(at++) * bound);
  };
  std::string out;
  for (std::uint32_t n = pick(40); n > 0; --n) {
    switch (pick(8)) {
      case 0: out += static_cast<char>(pick(128)); break;
      case 1: append_utf8(out, static_cast<char32_t>(0x80 + pick(0x780))); break;
      case 2: append_utf8(out, static_cast<char32_t>(0x4E00 + pick(0x5000))); break;
      case 3: append_utf8(out, static_cast<char32_t>(0x1F300 + pick(0x300))); break;
      case 4: append_utf8(out, static_cast<char32_t>(0xE000 + pick(0x100000))); break;
      case 5: append_utf8(out, static_cast<char32_t>(0x300 + pick(0x70))); break;  // combining marks
      case 6: out += pick(2) == 0 ? " " : "\xE2\x96\x81"; break;
      default: out += static_cast<char>('a' + pick(26));
    }
  }
  return out;
}

std::string random_bytes(std::uint64_t seed) {
  const Philox rng(seed, 1);
  std::string out;
  for (std::uint64_t i = 0, n = 1 + seed % 50; i < n; ++i)
    out += static_cast<char>(static_cast<unsigned>(rng.uniform_double(i) * 256));
  return out;
}

}  // namespace

TEST_CASE("tokenizers: byte-level tokenizers give back any text, and never another") {
  int tried = 0;
  for (const auto& [name, tokenizer] : golden_tokenizers()) {
    if (name != "bytelevel-llama3" && name != "files-tiktoken-cl100k" && name != "files-tekken") continue;
    ++tried;
    CAPTURE(name);
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      const std::string text = random_text(seed);
      CHECK(tokenizer.decode(tokenizer.encode(text, {.add_special_tokens = false}).ids) == text);
    }
  }
  CHECK(tried >= 1);
}

TEST_CASE("tokenizers: what encoding gave is encoded the same again, once its text is its own") {
  // decode(encode(x)) may differ from x by what the normaliser does; from then on nothing changes.
  for (const auto& [name, tokenizer] : golden_tokenizers()) {
    if (name == "files-sentencepiece-word-flags") continue;  // its file takes pieces apart that it writes
    CAPTURE(name);
    int stable = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      std::string text = random_text(seed);
      for (int round = 0; round < 3; ++round)
        text = tokenizer.decode(tokenizer.encode(text, {.add_special_tokens = false}).ids);
      const std::string again = tokenizer.decode(tokenizer.encode(text, {.add_special_tokens = false}).ids);
      stable += again == text ? 1 : 0;
    }
    CHECK(stable >= 95);  // unknown tokens and blanks beside them may wander for longer
  }
}

TEST_CASE("tokenizers: any bytes become tokens of the vocabulary, with offsets inside the text") {
  for (const auto& [name, tokenizer] : golden_tokenizers()) {
    CAPTURE(name);
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const std::string text = seed % 2 == 0 ? random_bytes(seed) : random_text(seed);
      const Encoding encoding = tokenizer.encode(text, {.byte_offsets = true});
      for (std::size_t i = 0; i < encoding.size(); ++i) {
        CHECK(tokenizer.id_to_token(encoding.ids[i]).has_value());
        CHECK(encoding.offsets[i].begin <= encoding.offsets[i].end);
        CHECK(encoding.offsets[i].end <= text.size());
      }
      CHECK(is_valid_utf8(tokenizer.decode(encoding.ids)));
    }
  }
}

TEST_CASE("tokenizers: pieces of a stream are those of the whole") {
  for (const auto& [name, tokenizer] : golden_tokenizers()) {
    CAPTURE(name);
    const auto count = static_cast<double>(tokenizer.vocab_size());
    int equal = 0;
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
      Ids ids;
      if (seed % 3 == 0) {
        const Philox rng(seed, 2);
        for (std::uint64_t i = 0; i < seed % 30; ++i)
          ids.push_back(static_cast<TokenId>(rng.uniform_double(i) * count));
      } else {
        ids = tokenizer.encode(random_text(seed)).ids;
      }
      for (const bool skip : {false, true}) {
        DecodeStream stream(tokenizer, skip);
        std::string joined;
        for (const TokenId id : ids) joined += stream.push(id).value_or("");
        joined += stream.finish();
        const std::string whole = tokenizer.decode(ids, skip);
        // Where bytes turn out not to be UTF-8, characters that came of them are out already.
        if (whole.find("\xEF\xBF\xBD") == std::string::npos) {
          CHECK(joined == whole);
          ++equal;
        } else {
          CHECK(is_valid_utf8(joined));
          CHECK_FALSE(joined.empty());
        }
      }
    }
    CHECK(equal > 150);
  }
}
