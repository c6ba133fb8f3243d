#include "generation/text_rules.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/rng.h"
#include "generation/generate.h"
#include "table_model.h"
#include "tokenizers/token_bytes.h"
#include "tokenizers/training.h"

using namespace trustformers;
using trustformers::test::TableModel;

namespace {

const std::vector<std::string> corpus = {"{\"name\": \"low\", \"age\": 12}", "lower, lowest; [1, 2, 3] true false null",
                                         "new newer newest été 東京 \"quoted\" {}"};

Tokenizer byte_level(std::size_t size) {
  TrainingOptions options;
  options.vocab_size = size;
  options.special_tokens = {"<end>"};
  options.initial_alphabet = byte_level_alphabet();
  return Tokenizer::from_json(
      train_tokenizer(
          Json::parse(
              R"({"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"},"model":{"type":"BPE"}})"),
          corpus, options)
          .dump());
}

GenerationConfig table_config() {
  GenerationConfig config;
  config.use_cache = false;
  config.eos_token_id = {0};
  config.max_new_tokens = 60;
  config.do_sample = true;
  config.top_k = 0;
  return config;
}

std::string continued(const TableModel& model, const Tokenizer& tokenizer, const GenerationConfig& config,
                      std::vector<std::int64_t>* tokens = nullptr) {
  const std::vector<std::int64_t> ids = Session(model).generate(std::vector<std::int64_t>{5, 6}, config);
  if (tokens) *tokens = ids;
  return tokenizer.decode(std::vector<TokenId>(ids.begin(), ids.end()), true);
}

}  // namespace

TEST_CASE("tokenizers: the bytes of tokens make up the text") {
  const auto joined = [](const Tokenizer& tokenizer, const std::string& text) {
    const std::vector<std::string> bytes = token_bytes(tokenizer);
    std::string out;
    for (const TokenId id : tokenizer.encode(text, {.add_special_tokens = false}).ids)
      out += bytes.at(static_cast<std::size_t>(id));
    return out;
  };
  const Tokenizer bpe = byte_level(300);
  for (const std::string text : {"low and  newer", "été 東京 🙂", "\t\n{\"a\": [1]}"}) CHECK(joined(bpe, text) == text);
  CHECK(token_bytes(bpe)[0].empty());  // special

  const Tokenizer pieces = Tokenizer::from_json(
      R"({"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"},
          "decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}]},
          "model":{"type":"Unigram","unk_id":0,"byte_fallback":true,
                   "vocab":[["<unk>",0],["<0xC3>",-3],["<0xA9>",-3],["▁a",-1],["b",-1],["▁",-2],["a",-2]]}})");
  CHECK(joined(pieces, "ab é") == " ab é");

  const Tokenizer words = Tokenizer::from_json(
      R"({"pre_tokenizer":{"type":"Whitespace"},"decoder":{"type":"WordPiece","prefix":"##","cleanup":false},
          "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
                   "vocab":{"[UNK]":0,"new":1,"##er":2,"low":3}}})");
  CHECK(joined(words, "low newer") == " low newer");
}

TEST_CASE("generation: text in the form that was asked for") {
  const Tokenizer tokenizer = byte_level(290);
  const auto vocabulary = token_trie(tokenizer);
  const TableModel model(static_cast<std::int64_t>(tokenizer.vocab_size()), 3);
  const auto generated = [&](const char* settings, std::uint64_t seed) {
    GenerationConfig config = table_config();
    config.seed = seed;
    constrain(config, vocabulary, *grammar_of(Json::parse(settings)));
    return continued(model, tokenizer, config);
  };
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const Json json = Json::parse(generated(
        R"({"json_schema":{"type":"object","properties":{"n":{"type":"integer","minimum":0,"maximum":99},"ok":{"type":"boolean"}},"required":["n","ok"],"additionalProperties":false}})",
        seed));
    CHECK(json.at("n").as_int() <= 99);
    CHECK(json.at("ok").is_bool());
    const std::string date = generated(R"({"regex":"[0-9]{4}-[01][0-9]"})", seed);
    CHECK(date.size() == 7);
    CHECK(date[4] == '-');
    const std::string choice = generated(R"({"choices":["low","lower","東京"]})", seed);
    CHECK((choice == "low" || choice == "lower" || choice == "東京"));
    const std::string rule = generated(R"x({"grammar":"root ::= \"<\" [ab]{2,3} \">\""})x", seed);
    CHECK((rule.size() >= 4 && rule.front() == '<' && rule.back() == '>'));
  }
  CHECK(!grammar_of(Json::parse(R"({"regex":null})")));
  CHECK_THROWS_WITH_AS(grammar_of(Json::parse(R"({"regex":"a","json":true})")),
                       "[generation] regex and json exclude each other", Error);
  GenerationConfig endless = table_config();
  endless.eos_token_id.clear();
  CHECK_THROWS_AS(constrain(endless, vocabulary, Grammar::json()), Error);
}

TEST_CASE("generation: a stop string ends the text with the token that completes it") {
  const Tokenizer tokenizer = byte_level(270);
  const TableModel model(static_cast<std::int64_t>(tokenizer.vocab_size()), 8);
  GenerationConfig config = table_config();
  config.max_new_tokens = 200;
  config.eos_token_id.clear();
  std::vector<std::int64_t> whole;
  const std::string text = continued(model, tokenizer, config, &whole);
  for (const std::size_t at : {3U, 40U, 90U}) {
    config.stop_strings = {text.substr(at, 2), "never to be seen"};
    GenerationConfig stopping = config;
    apply_stop_strings(stopping, tokenizer);
    CHECK(stopping.stop_strings.empty());
    std::vector<std::int64_t> part;
    const std::string until = continued(model, tokenizer, stopping, &part);
    CHECK(std::equal(part.begin(), part.end(), whole.begin()));
    CHECK(until.find(config.stop_strings[0]) != std::string::npos);
    std::vector<TokenId> before(part.begin(), part.end() - 1);
    CHECK(tokenizer.decode(before, true).find(config.stop_strings[0]) == std::string::npos);
  }
}

TEST_CASE("generation: drafts through another tokenizer leave the tokens as they are") {
  const Tokenizer tokenizer = byte_level(280), other = byte_level(262);
  const TableModel model(static_cast<std::int64_t>(tokenizer.vocab_size()), 5);
  const TableModel small(static_cast<std::int64_t>(other.vocab_size()), 5);
  for (const bool sample : {false, true}) {
    GenerationConfig config = table_config();
    config.do_sample = sample;
    config.max_new_tokens = 40;
    std::vector<std::int64_t> plain, assisted;
    continued(model, tokenizer, config, &plain);
    const DraftSource source = draft_through_text(small, other, tokenizer);
    std::size_t asked = 0, proposed = 0;
    config.num_assistant_tokens = 4;
    config.draft = [&](const RowState& row, std::int64_t count) {
      std::vector<std::int64_t> out = source(row, count);
      ++asked;
      proposed += out.size();
      return out;
    };
    continued(model, tokenizer, config, &assisted);
    CHECK(assisted == plain);
    CHECK(asked > 1);
    CHECK(proposed > asked);
  }
}

TEST_CASE("generation: a perfect draft is kept whole, one of nonsense is dropped") {
  const TableModel model(20, 4);
  GenerationConfig config = table_config();
  config.do_sample = false;
  config.eos_token_id.clear();
  config.max_new_tokens = 30;
  const std::vector<std::int64_t> prompt = {5, 6}, plain = Session(model).generate(prompt, config);
  config.num_assistant_tokens = 9;
  int asked = 0;
  config.draft = [&](const RowState& row, std::int64_t count) {
    ++asked;
    const auto at = plain.begin() + static_cast<std::ptrdiff_t>(row.step());
    return std::vector<std::int64_t>(at, std::min(at + count, plain.end()));
  };
  CHECK(Session(model).generate(prompt, config) == plain);
  CHECK(asked == 3);
  config.draft = [](const RowState&, std::int64_t) { return std::vector<std::int64_t>{-4, 99, 3}; };
  CHECK(Session(model).generate(prompt, config) == plain);
}

TEST_CASE("generation: beams hand out their tokens at the end") {
  const TableModel model(12, 9);
  GenerationConfig config = table_config();
  config.do_sample = false;
  config.num_beams = 3;
  config.num_return_sequences = 2;
  config.max_new_tokens = 6;
  std::vector<std::vector<std::int64_t>> rows(2);
  const GenerateOutput out = generate(model, {.input_ids = Tensor::from(std::vector<std::int64_t>{1, 2}, {1, 2})},
                                      config, [&](std::span<const std::int64_t> column) {
                                        REQUIRE(column.size() == 2);
                                        for (std::size_t row = 0; row < 2; ++row) rows[row].push_back(column[row]);
                                        return true;
                                      });
  const auto all = out.sequences.to_vector<std::int64_t>();
  const auto width = static_cast<std::size_t>(out.sequences.size(1));
  for (std::size_t row = 0; row < 2; ++row)
    CHECK(rows[row] == std::vector<std::int64_t>(all.begin() + static_cast<std::ptrdiff_t>(row * width + 2),
                                                 all.begin() + static_cast<std::ptrdiff_t>((row + 1) * width)));
}
