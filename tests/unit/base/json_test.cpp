#include "base/json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace trustformers {
namespace {

std::string parse_error_of(std::string_view text, const JsonLimits& limits = {}) {
  try {
    Json::parse(text, "config.json", limits);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::parse);
    return error.message();
  }
  return "no error";
}

template <class Body>
std::string json_message_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::parse);
    return error.message();
  }
  return "no error";
}

TEST_CASE("base: json values of every type are read") {
  const Json value =
      Json::parse(R"( {"n":null,"t":true,"f":false,"i":-12,"d":1.5e3,"s":"a\u00e9\ud83d\ude00\n","a":[1,[],{}]} )");
  CHECK(value.at("n").is_null());
  CHECK(value.at("t").as_bool());
  CHECK_FALSE(value.at("f").as_bool());
  CHECK(value.at("i").as_int() == -12);
  CHECK_FALSE(value.at("d").is_int());
  CHECK(value.at("d").as_double() == 1500.0);
  CHECK(value.at("d").as_int() == 1500);
  CHECK(value.at("s").as_string() == "a\xc3\xa9\xf0\x9f\x98\x80\n");
  CHECK(value.at("a").size() == 3);
  CHECK(value.find("x") == nullptr);
  CHECK(value.as_object()[3].first == "i");
  CHECK(Json::parse("\xef\xbb\xbf 1").as_int() == 1);
  CHECK(Json::parse("\"\"").as_string().empty());
}

TEST_CASE("base: json integers beyond 64 bits become doubles") {
  CHECK(Json::parse("9223372036854775807").as_int() == std::numeric_limits<std::int64_t>::max());
  CHECK(Json::parse("-9223372036854775808").as_int() == std::numeric_limits<std::int64_t>::min());
  for (const char* text : {"9223372036854775808", "18446744073709551615", "18446744073709551616",
                           "-9223372036854775809", "100000000000000000000000000"}) {
    const Json value = Json::parse(text);
    CHECK_FALSE(value.is_int());
    CHECK(value.as_double() == std::strtod(text, nullptr));
  }
  CHECK(Json(std::numeric_limits<std::uint64_t>::max()).as_double() == 0x1p64);
  CHECK(Json(std::uint64_t{5}).is_int());
  CHECK(Json(std::size_t{5}).as_int() == 5);
  CHECK(Json(short{-5}).as_int() == -5);
  CHECK(json_message_of([] { Json::parse("18446744073709551615").as_int("size"); }) ==
        "[size] expected an integer of 64 bits, got 18446744073709551616.0");
  CHECK_THROWS_AS(Json(0.5).as_int(), Error);
  CHECK_THROWS_AS(Json(std::nan("")).as_int(), Error);
}

TEST_CASE("base: json takes Python's NaN and Infinity outside strings only") {
  const Json value = Json::parse(R"([NaN,Infinity , -Infinity,"NaN, Infinity \" NaN",{"Infinity":NaN},0.5,1.0])");
  const auto& items = value.as_array();
  CHECK(std::isnan(items[0].as_double()));
  CHECK(items[1].as_double() == std::numeric_limits<double>::infinity());
  CHECK(items[2].as_double() == -std::numeric_limits<double>::infinity());
  CHECK(items[3].as_string() == "NaN, Infinity \" NaN");
  CHECK(std::isnan(items[4].at("Infinity").as_double()));
  CHECK(items[5].as_double() == 0.5);
  CHECK(items[6].as_double() == 1.0);
  CHECK(std::isnan(Json::parse("NaN").as_double()));
  CHECK(std::isnan(Json::parse(" NaN\n").as_double()));
  for (const char* text : {"[1NaN]", "NaN1", "-NaN", "--Infinity", "nan", "Inf", "[NaN NaN]", "+Infinity", "{NaN:1}",
                           "Infinity-Infinity", "- Infinity", "[0.0 Infinity]"})
    CHECK_MESSAGE(parse_error_of(text) != "no error", text);
  for (const char* text : {"NaN", "[Infinity]", "-Infinity"})
    CHECK_MESSAGE(parse_error_of(text, {.allow_non_finite = false}) != "no error", text);
}

TEST_CASE("base: json refuses what RFC 8259 does not allow") {
  for (const char* text : {"",
                           " ",
                           "[",
                           "]",
                           "{",
                           "[1,]",
                           "{\"a\":1,}",
                           "{\"a\"}",
                           "{a:1}",
                           "{'a':1}",
                           "[1 2]",
                           "01",
                           "-",
                           "+1",
                           ".5",
                           "5.",
                           "1e",
                           "1e+",
                           "0x1",
                           "tru",
                           "True",
                           "nulll",
                           "\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\\udc00\\ud800\"",
                           "\"\t\"",
                           "\"\n\"",
                           "1 2",
                           "[1]]",
                           "// c\n1",
                           "/* c */ 1",
                           "1e999",
                           "[1,,2]",
                           ",",
                           ":",
                           "\xef\xbb\xbf",
                           "\xef\xbb\xbf\xef\xbb\xbf"
                           "1",
                           "\xef\xbb"
                           "1"})
    CHECK_MESSAGE(parse_error_of(text) != "no error", text);
  for (const char* text :
       {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "\"\x80\""})
    CHECK_MESSAGE(parse_error_of(text) != "no error", text);
  CHECK(parse_error_of(std::string_view("1\0garbage", 9)) == "[config.json] line 1, column 2: a zero byte");
  CHECK(parse_error_of(std::string_view("\"a\0\"", 4)) == "[config.json] line 1, column 3: a zero byte");
}

TEST_CASE("base: json errors name the text, the line and the column") {
  CHECK(parse_error_of("{\n  \"\xc3\xa9\": tru }").starts_with("[config.json] line 2, column 11: "));
  CHECK(parse_error_of("[1, 2").starts_with("[config.json] line 1, column 6: "));
  CHECK(parse_error_of("[1, x]").starts_with("[config.json] line 1, column 5: "));
  CHECK(parse_error_of("[1e999]").starts_with("[config.json] line 1, column "));
  const std::string error = parse_error_of("[\"" + std::string(100000, 'x'));
  CHECK(error.starts_with("[config.json] line 1, column 100003: "));
  CHECK(error.size() < 400);
}

TEST_CASE("base: json keeps the last of repeated keys at the place of the first") {
  const Json value = Json::parse(R"({"a":1,"b":2,"a":3,"c":4,"b":5})");
  CHECK(value.dump() == R"({"a":3,"b":5,"c":4})");
  CHECK(parse_error_of("{\"a\":1,\n \"a\":2}", {.allow_duplicate_keys = false}) ==
        "[config.json] line 2, column 7: the object that ends here has the key \"a\" twice");
  CHECK(parse_error_of("{\"a\":{\"a\":1}}", {.allow_duplicate_keys = false}) == "no error");
}

TEST_CASE("base: json depth is bounded in parsing and free of the call stack everywhere") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parse_error_of(nested(256)) == "no error");
  CHECK(parse_error_of(nested(257)) == "[config.json] line 1, column 257: nested deeper than 256 levels");
  CHECK(parse_error_of(std::string(1000000, '[')).ends_with("nested deeper than 256 levels"));
  constexpr std::size_t deep = 1000000;
  std::string text;
  for (std::size_t i = 0; i < deep; ++i) text += i % 2 == 0 ? "[" : "{\"a\":";
  text += "1";
  for (std::size_t i = deep; i-- > 0;) text += i % 2 == 0 ? "]" : "}";
  Json value = Json::parse(text, "deep", {.max_depth = deep});
  CHECK(value.dump() == text);
  value = Json(1);
  CHECK(value.as_int() == 1);
}

TEST_CASE("base: json numbers are written so that they read back equal") {
  for (const double number : {0.0, -0.0, 0.1, 1.0, 1e-5, 1e21, 1.0 / 3, 5e-324, 1.7976931348623157e308,
                              123456789012345680.0, -2.5, static_cast<double>(0.1f)}) {
    const Json read = Json::parse(Json(number).dump());
    CHECK_FALSE(read.is_int());
    const double back = read.as_double();
    CHECK(std::memcmp(&back, &number, sizeof(back)) == 0);
  }
  CHECK(Json(0.1).dump() == "0.1");
  CHECK(Json(1.0).dump() == "1.0");
  CHECK(Json(std::numeric_limits<std::int64_t>::min()).dump() == "-9223372036854775808");
  CHECK(Json(std::nan("")).dump() == "NaN");
  CHECK(Json(-std::numeric_limits<double>::infinity()).dump() == "-Infinity");
}

TEST_CASE("base: json text is written in one line or indented") {
  Json value = Json::object();
  value.set("name", "a\"\\\n\x01\x7f\xc3\xa9");
  value.set("list", Json::Array{1, 2.5, nullptr, true, Json::array(), Json::object()});
  CHECK(value.dump() == "{\"name\":\"a\\\"\\\\\\n\\u0001\x7f\xc3\xa9\",\"list\":[1,2.5,null,true,[],{}]}");
  CHECK(value.dump(2) ==
        "{\n  \"name\": \"a\\\"\\\\\\n\\u0001\x7f\xc3\xa9\",\n  \"list\": [\n    1,\n    2.5,\n    null,\n    true,\n  "
        "  [],\n    {}\n  ]\n}");
  CHECK(Json::parse(value.dump(4)) == value);
  CHECK(Json("a\xff"
             "b")
            .dump() ==
        "\"a\xef\xbf\xbd"
        "b\"");
  CHECK(Json("\xff").dump() == "\"\xef\xbf\xbd\"");
}

TEST_CASE("base: json members are set, replaced and compared") {
  Json value;
  value.set("a", 1);
  value.set("b", Json::array());
  value.set("a", "x");
  CHECK(value.dump() == R"({"a":"x","b":[]})");
  CHECK(value == Json::parse(R"({"b":[],"a":"x"})"));
  CHECK_FALSE(value == Json::parse(R"({"b":[],"a":"y"})"));
  CHECK_FALSE(value == Json::parse(R"({"a":"x"})"));
  CHECK_FALSE(Json(1) == Json(1.0));
  CHECK_FALSE(Json(true) == Json(1));
  Json list = Json::parse("[[1,2],3]");
  list = list.as_array()[0];
  CHECK(list.dump() == "[1,2]");
  list = std::move(list.as_array()[1]);
  CHECK(list.dump() == "2");
}

TEST_CASE("base: json values of the wrong type name the path") {
  const Json value = Json::parse(R"({"a":"x"})");
  CHECK(json_message_of([&] { value.at("a").as_int("config.a"); }) == "[config.a] expected an integer, got string");
  CHECK(json_message_of([&] { value.at("b", "config"); }) == "[config] has no \"b\"");
  CHECK(json_message_of([&] { value.at("a").at("b", "config.a"); }) ==
        "[config.a] expected an object with \"b\", got string");
  CHECK(json_message_of([&] { value.as_array("config"); }) == "[config] expected an array, got object");
  CHECK(json_message_of([&] { Json(1).as_bool("flag"); }) == "[flag] expected a boolean, got integer");
  CHECK(json_message_of([&] { Json(1).as_string("name"); }) == "[name] expected a string, got integer");
  CHECK(json_message_of([&] { Json().as_double("eps"); }) == "[eps] expected a number, got null");
  CHECK_THROWS_AS(Json(1).as_object(), Error);
}

}  // namespace
}  // namespace trustformers
