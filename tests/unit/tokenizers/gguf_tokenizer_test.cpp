#include "models/gguf_tokenizer.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <sstream>

#include "../../../tools/goldens/tokenizer_cases.h"
#include "base/error.h"
#include "base/file.h"

namespace {

namespace fs = std::filesystem;
using namespace trustformers;
using Ids = std::vector<TokenId>;

/// A vocabulary of single characters and a few words, as sentencepiece would write it.
GgufVocabulary small_sentencepiece() {
  GgufVocabulary v;
  v.model = "llama";
  v.tokens = {"<unk>",
              "<s>",
              "</s>",
              "\xE2\x96\x81",
              "a",
              "b",
              "ab",
              "\xE2\x96\x81"
              "ab",
              "<0xC3>",
              "<0xA9>"};
  v.scores = {0, 0, 0, -5, -6, -7, -1, -0.5F, 0, 0};
  v.token_types = {2, 3, 3, 1, 1, 1, 1, 1, 6, 6};
  v.bos = 1;
  v.eos = 2;
  v.unk = 0;
  return v;
}

}  // namespace

TEST_CASE("tokenizers: a sentencepiece vocabulary joins by score and falls back to bytes") {
  const Tokenizer tokenizer = Tokenizer::from_gguf(small_sentencepiece());
  CHECK(tokenizer.encode("ab").ids == Ids{1, 7});
  CHECK(tokenizer.encode("ab", {.add_special_tokens = false}).ids == Ids{7});
  CHECK(tokenizer.encode(" ab").ids == Ids{1, 3, 7});
  CHECK(tokenizer.encode("a\xC3\xA9").ids == Ids{1, 3, 4, 8, 9});
  CHECK(tokenizer.encode("x").ids == Ids{1, 3, 0});
  CHECK(tokenizer.encode("").ids == Ids{1});
  CHECK(tokenizer.decode(Ids{1, 7, 4, 8, 9}, true) == "aba\xC3\xA9");
  CHECK(tokenizer.encode("a</s>").ids == Ids{1, 3, 4, 2});
  // Plain text: '<' and the like are unknown here.
  CHECK(tokenizer.encode("a</s>", {.parse_special_tokens = false}).ids == Ids{1, 3, 4, 0, 0, 0, 0});
}

TEST_CASE("tokenizers: a GGUF vocabulary that contradicts itself is refused by key") {
  const auto refused = [](const GgufVocabulary& vocabulary, const char* what) {
    try {
      Tokenizer::from_gguf(vocabulary);
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find(what) != std::string::npos);
    }
  };
  GgufVocabulary v = small_sentencepiece();
  v.bos = 10;
  refused(v, "tokenizer.ggml.bos_token_id");
  v = small_sentencepiece();
  v.scores.pop_back();
  refused(v, "tokenizer.ggml.scores");
  v = small_sentencepiece();
  v.model = "rwkv";
  refused(v, "tokenizer.ggml.model");
  v = small_sentencepiece();
  v.model = "gpt2";
  v.pre = "no-such-scheme";
  refused(v, "tokenizer.ggml.pre");
  v.pre = "gpt-2";
  v.merges = {"a b", "ab"};
  refused(v, "tokenizer.ggml.merges");
}

TEST_CASE("tokenizers: the GGUF models of the folder that TRUSTFORMERS_GOLDENS names") {
  const char* root = std::getenv("TRUSTFORMERS_GOLDENS");
  if (!root) return;
  for (const auto& entry : fs::directory_iterator(fs::path(root) / "gguf")) {
    if (!fs::exists(entry.path() / "tokens.json") || !fs::exists(entry.path() / "model.gguf")) continue;
    goldens::Report report;
    goldens::run_gguf_tokens(entry.path(), report);
    for (const auto& row : report.rows()) {
      INFO(entry.path().filename().string(), ": ", row.item);
      CHECK(row.passed);
    }
  }
}

TEST_CASE("tokenizers: published GGUF vocabularies of the folder that TRUSTFORMERS_VOCABULARIES names") {
  const char* root = std::getenv("TRUSTFORMERS_VOCABULARIES");
  if (!root) return;
  constexpr std::string_view divider = "\n__ggml_vocab_test__\n";
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.path().extension() != ".gguf") continue;
    CAPTURE(entry.path().filename().string());
    const Tokenizer tokenizer = open_tokenizer(entry.path());
    const std::string texts = read_text_file(entry.path().string() + ".inp");
    std::istringstream lines(read_text_file(entry.path().string() + ".out"));
    for (std::size_t at = 0; at <= texts.size();) {
      const std::size_t end = std::min(texts.find(divider, at), texts.size());
      const std::string text = texts.substr(at, end - at);
      at = end + divider.size();
      std::string line;
      if (!std::getline(lines, line)) break;
      std::istringstream fields(line);
      Ids expected;
      for (TokenId id; fields >> id;) expected.push_back(id);
      CAPTURE(text);
      CHECK(tokenizer.encode(text, {.add_special_tokens = false}).ids == expected);
    }
  }
}
