// The classes that transformers makes of sentencepiece models without a tokenizer.json, against its results
// (make_sentencepiece_classes.py).
#include <doctest/doctest.h>

#include "../support.h"
#include "base/file.h"
#include "base/file_set.h"
#include "base/json.h"
#include "tokenizers/tokenizer.h"

using namespace trustformers;

namespace {

std::vector<TokenId> listed_ids(const Json& list) {
  std::vector<TokenId> out;
  for (const Json& id : list.as_array()) out.push_back(static_cast<TokenId>(id.as_int()));
  return out;
}

Tokenizer tokenizer_of_case(const Json& one) {
  MemoryFiles files;
  files.add(one.at("name").as_string(), read_text_file(TRUSTFORMERS_TEST_DATA "/" + one.at("model").as_string()));
  for (const auto& [name, text] : one.at("files").as_object()) files.add(name, text.as_string());
  return Tokenizer::from_files(files);
}

}  // namespace

TEST_CASE("tokenizers: classes made of sentencepiece models are those of transformers") {
  Json::Array classes;
  for (const char* const name : {"sentencepiece_classes.json", "sentencepiece_classes_4.json"}) {
    const Json all = Json::parse(read_text_file(TRUSTFORMERS_TEST_DATA "/unit/tokenizers/" + std::string(name)));
    for (const Json& one : all.at("classes").as_array()) classes.push_back(one);
  }
  CHECK(classes.size() == 14);
  for (const Json& one : classes) {
    CAPTURE(one.at("class").as_string());
    const Tokenizer tokenizer = tokenizer_of_case(one);
    for (const Json& text : one.at("texts").as_array()) {
      CAPTURE(text.at("text").as_string());
      const std::vector<TokenId> ids = listed_ids(text.at("ids"));
      CHECK(tokenizer.encode(text.at("text").as_string()).ids == ids);
      CHECK(tokenizer.encode(text.at("text").as_string(), {.add_special_tokens = false}).ids ==
            listed_ids(text.at("plain")));
      CHECK(tokenizer.decode(ids) == text.at("decoded").as_string());
      CHECK(tokenizer.decode(ids, true) == text.at("skipped").as_string());
    }
    const Json::Array& texts = one.at("pair").at("texts").as_array();
    const Encoding pair = tokenizer.encode({texts[0].as_string(), texts[1].as_string()});
    CHECK(pair.ids == listed_ids(one.at("pair").at("ids")));
    if (const Json& types = one.at("pair").at("type_ids"); !types.is_null())  // Python's own classes have odd ones
      CHECK(pair.type_ids == listed_ids(types));
    for (const auto& [id, token] : one.at("tokens").as_object())
      CHECK(tokenizer.id_to_token(static_cast<TokenId>(std::stoi(id))).value_or("none") == token.as_string());
    CHECK((tokenizer.padding().direction == Side::left) == (one.at("padding_side").as_string() == "left"));
    CHECK(tokenizer.padding().pad_type_id == one.at("pad_token_type_id").as_int());
  }
}

TEST_CASE("tokenizers: a tokenizer.json says itself which special tokens there are") {
  MemoryFiles files;
  files.add("tokenizer.json", read_text_file(TRUSTFORMERS_TEST_DATA "/goldens/tokenizers/bert-uncased/tokenizer.json"));
  const std::vector<TokenId> without = Tokenizer::from_files(files).encode("a").ids;
  files.add("tokenizer_config.json", R"({"add_bos_token": true, "add_eos_token": true, "bos_token": "[MASK]"})");
  CHECK(Tokenizer::from_files(files).encode("a").ids == without);
}

TEST_CASE("tokenizers: blanks are cleaned up where the files ask for it, also in a stream") {
  CHECK(clean_up_spaces("it is n't , I 'm sure ' it 's ' we 've . ? !") == "it isn't, I'm sure'it's'we've.?!");
  const std::string json = read_text_file(TRUSTFORMERS_TEST_DATA "/goldens/pipelines/bert-fill/tokenizer.json");
  MemoryFiles plain, cleaned;
  plain.add("tokenizer.json", json);
  cleaned.add("tokenizer.json", json);
  cleaned.add("tokenizer_config.json", R"({"clean_up_tokenization_spaces": true})");
  const Tokenizer a = Tokenizer::from_files(plain), b = Tokenizer::from_files(cleaned);
  CHECK_FALSE(a.cleans_up_spaces());
  CHECK(b.cleans_up_spaces());
  for (const char* const text : {"does n't he ' live ' here , we 've it ?", "' a '", "a ' . b", "i 'm 've 's 're !"}) {
    CAPTURE(text);
    const std::vector<TokenId> ids = b.encode(text, {.add_special_tokens = false}).ids;
    CHECK(b.decode(ids) == clean_up_spaces(a.decode(ids)));
    CHECK(b.decode(ids, false, false) == a.decode(ids));
    DecodeStream stream(b);
    std::string streamed;
    for (const TokenId id : ids) streamed += stream.push(id).value_or("");
    CHECK(streamed + stream.finish() == b.decode(ids));
  }
  // Byte-pair encodings keep their blanks.
  MemoryFiles bytes;
  bytes.add("tokenizer.json", read_text_file(TRUSTFORMERS_TEST_DATA "/goldens/pipelines/gpt2-chat/tokenizer.json"));
  bytes.add("tokenizer_config.json", R"({"clean_up_tokenization_spaces": true})");
  const Tokenizer c = Tokenizer::from_files(bytes);
  CHECK(c.decode(c.encode("a . b").ids) == "a . b");
}

TEST_CASE("tokenizers: windows of a pair know which text their tokens are of") {
  const Tokenizer tokenizer =
      Tokenizer::from_file(TRUSTFORMERS_TEST_DATA "/goldens/pipelines/bert-fill/tokenizer.json");
  EncodeOptions options;
  options.truncation = Truncation{.max_length = 12, .stride = 2, .strategy = TruncationStrategy::only_second};
  const Encoding encoding = tokenizer.encode({"who", "people live there and people live here and there"}, options);
  REQUIRE(encoding.overflowing.size() > 1);
  for (const Encoding& window : encoding.overflowing) CHECK(window.sequence_ids[window.size() - 2] == 1);
}

TEST_CASE("tokenizers: words are encoded each by itself") {
  const Tokenizer tokenizer =
      Tokenizer::from_file(TRUSTFORMERS_TEST_DATA "/goldens/pipelines/bert-fill/tokenizer.json");
  const std::vector<std::string> words = {"people", "in", "new york"};
  const Encoding encoding = tokenizer.encode_words(words);
  CHECK(encoding.ids == tokenizer.encode("people in new york").ids);
  CHECK(encoding.word_ids.front() == -1);
  CHECK(encoding.word_ids[1] == 0);
  CHECK(encoding.word_ids[encoding.size() - 2] == 2);
  CHECK(encoding.offsets[1].begin == 0);
}
