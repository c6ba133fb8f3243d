#include "base/json_reader.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace {

using namespace trustformers;

/// Reads any value through the reader; as a Json value, to compare with Json::parse.
Json read(JsonReader& reader) {
  std::string scratch;
  switch (reader.peek()) {
    case JsonReader::Kind::object: {
      Json out = Json::object();
      std::string key;
      for (reader.enter_object(); reader.next_key(key);) out.set(key, read(reader));
      return out;
    }
    case JsonReader::Kind::array: {
      Json::Array out;
      for (reader.enter_array(); reader.next_item();) out.push_back(read(reader));
      return out;
    }
    case JsonReader::Kind::string: return std::string(reader.string(scratch));
    case JsonReader::Kind::number: return reader.number();
    case JsonReader::Kind::literal: return Json::parse(reader.skip());
  }
  return {};
}

std::string reader_error_of(std::string_view text, bool only_skip = false) {
  try {
    JsonReader reader(text, "file");
    if (only_skip)
      reader.skip();
    else
      read(reader);
    reader.finish();
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::parse);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("base: the JSON reader reads what Json::parse reads") {
  const std::vector<std::string> texts = {
      R"({"a":[1.5,-0.25,1e3,[],{}],"b":{"c":"x","d":[["l","r"],["",""]]},"e":null,"f":true})",
      R"( [ "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00" , "é😀" , "" ] )",
      "\xEF\xBB\xBF[0.1, 123456789.123456789, 1e-400, 2.5e-320, 17.0]", "[[[[]]],{}]"};
  for (const std::string& text : texts) {
    CAPTURE(text);
    JsonReader reader(text, "file");
    CHECK(read(reader) == Json::parse(text));
    reader.finish();
    JsonReader again(text, "file");
    CHECK(Json::parse(again.skip()) == Json::parse(text));
    again.finish();
  }
}

TEST_CASE("base: the JSON reader refuses what is not JSON, and says where") {
  for (const char* text : {"",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           R"({"a" 1})",
                           R"({"a":1,})",
                           "{1:2}",
                           "[1",
                           R"(["a)",
                           "\"\t\"",
                           R"("\x")",
                           R"("\u12g4")",
                           R"("\ud800")",
                           R"("\ud800\u0041")",
                           R"("\udc00")",
                           "01",
                           "-",
                           "1.",
                           ".5",
                           "1e",
                           "+1",
                           "1e999",
                           "[1]]",
                           "\"\xFF\"",
                           R"({"a":1 "b":2})"}) {
    CAPTURE(text);
    CHECK(reader_error_of(text) != "accepted");
  }
  CHECK(reader_error_of("{\n  \"\xc3\xa9\": [1 2]}").starts_with("[file] line 2, column 11: "));
  CHECK(reader_error_of("[{]}", true) == "[file] line 1, column 4: '}' expected");
  CHECK(reader_error_of(std::string(1000000, '['), true).ends_with("the text ends inside an object or array"));
  CHECK(reader_error_of("9223372036854775808") == "accepted");
  JsonReader reader("[9223372036854775807, 1.5]", "file");
  reader.enter_array();
  REQUIRE(reader.next_item());
  CHECK(reader.integer() == 9223372036854775807);
  REQUIRE(reader.next_item());
  CHECK_THROWS_AS(reader.integer(), Error);
}
