#include "tokenizers/tokenizer.h"

#include <doctest/doctest.h>

#include <chrono>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace {

namespace fs = std::filesystem;
using namespace trustformers;
using Ids = std::vector<TokenId>;

fs::path case_file(const char* name) {
  return fs::path(TRUSTFORMERS_TEST_DATA) / "goldens/tokenizers" / name / "tokenizer.json";
}

std::string tokenizer_error_of(std::string_view json) {
  try {
    Tokenizer::from_json(json);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

/// A tokenizer.json that is right, with one part replaced.
std::string with(std::string_view key, std::string_view value) {
  const std::pair<std::string_view, std::string_view> parts[] = {
      {"normalizer", "null"},     {"pre_tokenizer", "null"},
      {"post_processor", "null"}, {"decoder", "null"},
      {"added_tokens", "[]"},     {"model", R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]})"}};
  std::string out = "{";
  for (const auto& [name, usual] : parts)
    out += str(out.size() > 1 ? "," : "", '"', name, "\":", name == key ? value : usual);
  return out + "}";
}

}  // namespace

TEST_CASE("tokenizers: a malformed tokenizer.json gives an error that names the key") {
  CHECK(tokenizer_error_of(with("", "")) == "accepted");
  const auto names = [](std::string_view key, std::string_view value, std::string_view what) {
    const std::string error = tokenizer_error_of(with(key, value));
    CAPTURE(error);
    CHECK(error.find(what) != std::string::npos);
  };
  names("model", "null", "model");
  names("model", R"({"type":"Nonsense"})", "Nonsense");
  names("model", R"({"type":"BPE","vocab":[],"merges":[]})", "model.vocab");
  names("model", R"({"type":"BPE","vocab":{"a":"0"},"merges":[]})", "model.vocab");
  names("model", R"({"type":"BPE","vocab":{"a":-1},"merges":[]})", "model.vocab");
  names("model", R"({"type":"BPE","vocab":{"a":999999999999},"merges":[]})", "model.vocab");
  names("model", R"({"type":"BPE","vocab":{"a":0},"merges":[["a","b"]]})", "model.merges[0]");
  names("model", R"({"type":"BPE","vocab":{"a":0},"merges":["ab"]})", "model.merges");
  names("model", R"({"type":"BPE","vocab":{"a":0}})", "merges");
  names("model", R"({"type":"Unigram","vocab":[["a",0.0]],"unk_id":1})", "model.unk_id");
  names("model", R"({"type":"Unigram","vocab":[["a"]]})", "model.vocab[0]");
  names("normalizer",
        R"({"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":"("},"content":""}]})",
        "normalizer.normalizers[1].pattern");
  names("normalizer", R"({"type":"Precompiled","precompiled_charsmap":"AAAA"})", "normalizer.precompiled_charsmap");
  names("pre_tokenizer", R"({"type":"Split","pattern":{"String":" "},"behavior":"Sideways"})",
        "pre_tokenizer.behavior");
  names("pre_tokenizer", R"({"type":"Metaspace","replacement":"__"})", "pre_tokenizer.replacement");
  names(
      "post_processor",
      R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[X]","type_id":0}}],"pair":[],"special_tokens":{}})",
      "post_processor.single[0].SpecialToken.id");
  names("decoder", R"({"type":"Strip","content":" ","start":-1,"stop":0})", "decoder.start");
  names("added_tokens", R"([{"id":-4,"content":"x"}])", "added_tokens[0].id");
}

TEST_CASE("tokenizers: a file whose replacements feed on each other is refused in time") {
  const std::string grow = R"({"type":"Replace","pattern":{"Regex":"."},"content":"xxxxxxxxxxxxxxxx"})";
  const auto chain = [&](std::string_view list) {
    std::string out = str(R"({"type":"Sequence",")", list, "\":[");
    for (int i = 0; i < 12; ++i) out += str(i > 0 ? "," : "", grow);
    return out + "]}";
  };
  const Tokenizer tokenizer = Tokenizer::from_json(with("normalizer", chain("normalizers")));
  CHECK_THROWS_AS(tokenizer.encode("abab"), Error);
  CHECK(tokenizer_error_of(with("decoder", chain("decoders"))).find("decoder") != std::string::npos);
}

TEST_CASE("tokenizers: bytes that are not UTF-8 count as U+FFFD") {
  const Tokenizer tokenizer = Tokenizer::from_file(case_file("bytelevel-llama3"));
  const Encoding broken = tokenizer.encode("a\xFF\xC3z", {.add_special_tokens = false});
  CHECK(broken.ids == tokenizer.encode("a\xEF\xBF\xBD\xEF\xBF\xBDz", {.add_special_tokens = false}).ids);
  CHECK(broken.offsets.back() == SourceRange{3, 4});
}

TEST_CASE("tokenizers: special tokens in a text can be plain text") {
  const Tokenizer tokenizer = Tokenizer::from_file(case_file("bytelevel-llama3"));
  const TokenId begin = *tokenizer.token_to_id("<|begin_of_text|>");
  CHECK(tokenizer.encode("<|begin_of_text|>", {.add_special_tokens = false}).ids == Ids{begin});
  const Encoding plain =
      tokenizer.encode("<|begin_of_text|>", {.add_special_tokens = false, .parse_special_tokens = false});
  CHECK(plain.size() > 1);
  CHECK(tokenizer.decode(plain.ids, true) == "<|begin_of_text|>");
  CHECK(tokenizer.is_special(begin));
  CHECK_FALSE(tokenizer.is_special(plain.ids[0]));
  CHECK_FALSE(tokenizer.id_to_token(1 << 30));
  CHECK_FALSE(tokenizer.id_to_token(-1));
  CHECK(tokenizer.decode(Ids{1 << 30, -1}).empty());
}

TEST_CASE("tokenizers: a stream gives whole characters, and together the decoded text") {
  const Tokenizer tokenizer = Tokenizer::from_file(case_file("bytelevel-llama3"));
  const std::string text = "caf\xC3\xA9 \xF0\x9F\x98\x80 ok";
  const Ids ids = tokenizer.encode(text, {.add_special_tokens = false}).ids;
  DecodeStream stream(tokenizer);
  std::string joined;
  for (const TokenId id : ids) {
    const auto piece = stream.push(id);
    if (piece) CHECK(piece->find("\xEF\xBF\xBD") == std::string::npos);
    joined += piece.value_or("");
  }
  CHECK(joined == text);
  CHECK(stream.finish().empty());
  // A stream that ends inside a character.
  const Ids cut = tokenizer.encode("\xF0\x9F\x98\x80", {.add_special_tokens = false}).ids;
  REQUIRE(cut.size() > 1);
  CHECK_FALSE(stream.push(cut[0]));
  CHECK(stream.finish() == "\xEF\xBF\xBD");
}

TEST_CASE("tokenizers: texts made to be slow take linear time") {
  const std::size_t length = 1 << 18;
  for (const char* name : {"bytelevel-llama3", "llama2-metaspace-first", "bert-uncased"}) {
    const Tokenizer tokenizer = Tokenizer::from_file(case_file(name));
    for (const std::string_view unit : {"a", " ", "\n", "\xCC\x81", "'", "1", "a\xCC\x81", "<", "\xE2\x96\x81"}) {
      std::string text;
      while (text.size() < length) text += unit;
      const auto start = std::chrono::steady_clock::now();
      const Encoding encoding = tokenizer.encode(text);
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      CAPTURE(name);
      CAPTURE(unit);
      CHECK(encoding.size() > 0);
      CHECK(seconds < 20);  // quadratic time would be minutes
    }
  }
}

TEST_CASE("tokenizers: a model folder gives roles, limits and chat templates") {
  const fs::path folder = fs::temp_directory_path() / "trustformers_tokenizer_test";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const auto write = [&](const char* name, std::string_view text) {
    std::ofstream(folder / name, std::ios::binary) << text;
  };
  CHECK_THROWS_AS(Tokenizer::from_pretrained(folder), Error);
  fs::copy_file(case_file("bert-uncased"), folder / "tokenizer.json");
  write(
      "tokenizer_config.json",
      R"({"model_max_length":512,"cls_token":"[CLS]","pad_token":{"content":"[PAD]"},"eos_token":null,"padding_side":"left",
            "chat_template":[{"name":"default","template":"A"},{"name":"tool_use","template":"B"}]})");
  write("special_tokens_map.json", R"({"sep_token":"[SEP]","cls_token":"[MASK]"})");
  const Tokenizer tokenizer = Tokenizer::from_pretrained(folder);
  CHECK(tokenizer.model_max_length() == 512u);
  CHECK(tokenizer.special_tokens().cls == tokenizer.token_to_id("[CLS]"));
  CHECK(tokenizer.special_tokens().sep == tokenizer.token_to_id("[SEP]"));
  CHECK(tokenizer.special_tokens().pad == tokenizer.token_to_id("[PAD]"));
  CHECK_FALSE(tokenizer.special_tokens().eos);
  CHECK(tokenizer.padding().direction == Side::left);
  CHECK(tokenizer.chat_templates().at("default") == "A");
  CHECK(tokenizer.chat_templates().at("tool_use") == "B");
  write("chat_template.jinja", "C");
  CHECK(Tokenizer::from_pretrained(folder).chat_templates().at("default") == "C");

  const std::vector<EncodeInput> batch = {"one", "one two three four"};
  const auto encodings = tokenizer.encode_batch(batch, {.padding = tokenizer.padding()});
  CHECK(encodings[0].size() == encodings[1].size());
  CHECK(encodings[0].attention_mask.front() == 0);
  CHECK(encodings[0].ids.front() == *tokenizer.special_tokens().pad);
  fs::remove_all(folder);
}
