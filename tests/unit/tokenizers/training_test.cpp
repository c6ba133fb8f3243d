#include "tokenizers/training.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/error.h"
#include "tokenizers/tokenizer.h"

using namespace trustformers;

namespace {

const std::vector<std::string> texts = {"low lower lowest lowly", "new newer newest newly", "wide wider widest widely",
                                        "été étés 東京 東京都 low-lying"};

std::vector<std::string> sorted_tokens(const Json& trained) {
  std::vector<std::string> out;
  for (const auto& entry : trained.at("model").at("vocab").as_object()) out.push_back(entry.first);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

// Expected: what the trainers of Hugging Face's tokenizers 0.23 learn from these texts.
TEST_CASE("tokenizers: BPE learns the merges of the reference") {
  TrainingOptions options;
  options.vocab_size = 285;
  options.special_tokens = {"<s>"};
  options.initial_alphabet = byte_level_alphabet();
  const Json trained = train_tokenizer(
      Json::parse(
          R"({"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"},"model":{"type":"BPE"}})"),
      texts, options);
  CHECK(
      trained.at("model").at("merges") ==
      Json::parse(
          R"([["l","o"],["lo","w"],["d","e"],["e","w"],["i","de"],["l","y"],["n","ew"],["w","ide"],["Ã","©"],["Ġ","low"],["s","t"],["Ġ","new"],["Ġ","wide"],["e","r"],["e","st"],["t","Ã©"],["±","ä"],["º","¬"],["æ","Ŀ"],["Ġ","æĿ"],["Ã©","tÃ©"],["±ä","º¬"],["ĠæĿ","±äº¬"],["i","n"],["é","ĥ"],["Ġ","Ã©tÃ©"],["ly","in"],["Ġlow","ly"]])"));
  CHECK(trained.at("model").at("vocab").at("<s>").as_int() == 0);
  const Tokenizer tokenizer = Tokenizer::from_json(trained.dump());
  CHECK(tokenizer.vocab_size() == 285);
  for (const std::string& text : texts) CHECK(tokenizer.decode(tokenizer.encode(text).ids) == text);
  CHECK(tokenizer.encode("<s>").ids == std::vector<TokenId>{0});
}

TEST_CASE("tokenizers: BPE training keeps to its limits") {
  TrainingOptions options;
  options.vocab_size = 40;
  options.special_tokens = {"<unk>"};
  options.min_frequency = 2;
  options.max_token_length = 4;
  const Json description =
      Json::parse(R"({"pre_tokenizer":{"type":"WhitespaceSplit"},"model":{"type":"BPE","unk_token":"<unk>"}})");
  const Json trained = train_tokenizer(description, texts, options);
  CHECK(
      trained.at("model").at("merges") ==
      Json::parse(
          R"([["l","o"],["lo","w"],["d","e"],["e","w"],["i","de"],["l","y"],["n","ew"],["s","t"],["e","r"],["e","st"],["t","é"],["é","té"],["東","京"]])"));
  options.limit_alphabet = 3;
  options.max_token_length.reset();
  CHECK(sorted_tokens(train_tokenizer(description, texts, options)).size() < 31);
  options.vocab_size = 2;
  CHECK_THROWS_AS(train_tokenizer(description, texts, options), Error);
  CHECK_THROWS_AS(train_tokenizer(Json::parse(R"({"model":{"type":"Nonsense"}})"), texts), Error);
}

TEST_CASE("tokenizers: WordPiece learns the tokens of the reference") {
  TrainingOptions options;
  options.vocab_size = 64;
  options.special_tokens = {"[UNK]"};
  const Json trained = train_tokenizer(
      Json::parse(
          R"({"pre_tokenizer":{"type":"WhitespaceSplit"},"decoder":{"type":"WordPiece"},"model":{"type":"WordPiece","unk_token":"[UNK]"}})"),
      texts, options);
  const Json list = Json::parse(
      R"(["##-","##-ly","##d","##de","##e","##er","##est","##g","##i","##in","##ing","##l","##ly","##n","##o","##r","##s","##st","##t","##w","##y","##é","##京","##都","-","[UNK]","d","e","g","i","l","lo","low","low-ly","low-lying","lower","lowest","lowly","n","ne","new","newer","newest","newly","o","r","s","t","w","wi","wide","widely","wider","widest","y","é","ét","été","étés","京","東","東京","東京都","都"])");
  std::vector<std::string> expected;
  for (const Json& token : list.as_array()) expected.push_back(token.as_string());
  CHECK(sorted_tokens(trained) == expected);
  const Tokenizer tokenizer = Tokenizer::from_json(trained.dump());
  CHECK(tokenizer.encode("lowering").tokens == std::vector<std::string>{"lower", "##ing"});
}

TEST_CASE("tokenizers: Unigram learns the pieces of the reference") {
  TrainingOptions options;
  options.vocab_size = 60;
  options.special_tokens = {"<s>"};
  options.unk_token = "<unk>";
  const Json description = Json::parse(
      R"({"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"},
          "decoder":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"},"model":{"type":"Unigram"}})");
  const Json trained = train_tokenizer(description, texts, options);
  // The reference's scores; characters that were dropped come back with about the least of them, in any order.
  const std::vector<std::pair<std::string, double>> expected = {
      {"<unk>", 0},       {"<s>", 0},         {"ly", -2.31344808569}, {"▁wide", -2.31344808573}, {"s", -2.31344808573},
      {"▁low", -2.64678}, {"t", -2.64678},    {"r", -2.64678},        {"▁new", -3.14678},        {"▁été", -3.14678},
      {"▁東京", -3.1468}, {"▁newe", -3.1468}, {"▁lowe", -3.1468}};
  const Json::Array& vocab = trained.at("model").at("vocab").as_array();
  REQUIRE(vocab.size() == 28);
  for (std::size_t i = 0; i < vocab.size(); ++i) {
    const Json::Array& piece = vocab[i].as_array();
    if (i < expected.size()) {
      CHECK(piece[0].as_string() == expected[i].first);
      CHECK(piece[1].as_double() == doctest::Approx(expected[i].second).epsilon(1e-5));
    } else {
      CHECK(piece[1].as_double() == doctest::Approx(-4.146).epsilon(2e-4));
    }
  }
  CHECK(trained.at("model").at("unk_id").as_int() == 0);
  const Tokenizer tokenizer = Tokenizer::from_json(trained.dump());
  for (const std::string& text : texts) CHECK(tokenizer.decode(tokenizer.encode(text).ids) == text);
  CHECK(tokenizer.encode("<s>").ids == std::vector<TokenId>{1});
  CHECK(tokenizer.encode("ж", {.add_special_tokens = false}).ids.back() == 0);

  options.vocab_size = 10;
  CHECK_THROWS_AS(train_tokenizer(description, texts, options), Error);
  options.vocab_size = 60;
  options.shrinking_factor = 1;
  CHECK_THROWS_AS(train_tokenizer(description, texts, options), Error);
}
