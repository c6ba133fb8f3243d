// Pipelines against the results of transformers (tests/goldens/pipelines, whose make.py wrote them), and their laws.
#include "pipelines/pipeline.h"

#include <doctest/doctest.h>

#include <cmath>

#include "../support.h"
#include "base/file.h"
#include "base/file_set.h"

using namespace trustformers;
using test::code_of;
using test::error_of;
using test::mentions;

namespace {

const std::string pipeline_models = TRUSTFORMERS_TEST_DATA "/goldens/pipelines/";

/// Where two results differ, or nothing. Numbers may differ by rounding.
std::string result_difference(const Json& got, const Json& expected, const std::string& path) {
  if (expected.is_number() && got.is_number()) {
    const double a = got.as_double(), b = expected.as_double();
    return std::abs(a - b) <= 2e-5 * std::max(1.0, std::abs(b))
               ? ""
               : path + ": " + got.dump() + " is not " + expected.dump();
  }
  if (got.is_array() && expected.is_array() && got.size() == expected.size()) {
    for (std::size_t i = 0; i < got.size(); ++i)
      if (auto text =
              result_difference(got.as_array()[i], expected.as_array()[i], path + "[" + std::to_string(i) + "]");
          !text.empty())
        return text;
    return "";
  }
  if (got.is_object() && expected.is_object() && got.size() == expected.size()) {
    for (std::size_t i = 0; i < got.size(); ++i) {
      const auto& [name, value] = got.as_object()[i];
      const auto& [other, wanted] = expected.as_object()[i];
      if (name != other) return path + ": the field " + name + " is not " + other;  // also in order
      if (auto text = result_difference(value, wanted, path + "." + name); !text.empty()) return text;
    }
    return "";
  }
  return got == expected ? "" : path + ": " + got.dump() + " is not " + expected.dump();
}

void check_results(const std::string& file, std::size_t least_cases) {
  const Json expected = Json::parse(read_text_file(pipeline_models + file));
  const Json::Array& cases = expected.at("cases").as_array();
  CHECK(cases.size() >= least_cases);
  for (const Json& one : cases) {
    const std::string name = one.at("model").as_string(), task = one.at("task").as_string();
    CAPTURE(name);
    CAPTURE(task);
    CAPTURE(one.at("pipeline").dump());
    CAPTURE(one.at("options").dump());
    try {
      const Pipeline run = pipeline(task, pipeline_models + name, one.at("pipeline"));
      const Json result = run(one.at("inputs"), one.at("options"));
      CHECK(result_difference(result, one.at("result"), "") == "");
    } catch (const Error& error) {
      FAIL_CHECK(error.what());
    }
  }
}

std::string joined_stream(TextStream stream) {
  std::string out;
  while (const auto piece = stream.next()) {
    CHECK_FALSE(piece->empty());
    out += *piece;
  }
  CHECK(stream.finished());
  CHECK(stream.text() == out);
  return out;
}

}  // namespace

TEST_CASE("pipelines: results are those of transformers 5") { check_results("expected_transformers5.json", 100); }
TEST_CASE("pipelines: results of the tasks that ended with transformers 4") {
  check_results("expected_transformers4.json", 48);
}
TEST_CASE("pipelines: rankings and similarities are those of sentence-transformers") {
  check_results("expected_sentence_transformers.json", 10);
}

TEST_CASE("pipelines: a batch gives what each text gives alone") {
  const Json texts = Json::Array{"I love this movie.", "People!", "", "Maria moved from New York to Paris in 2019."};
  for (const auto& [task, model] : {std::pair{"text-classification", "bert-nli"},
                                    {"token-classification", "roberta-ner"},
                                    {"feature-extraction", "roberta-fill"}}) {
    CAPTURE(task);
    const Pipeline run = pipeline(task, pipeline_models + model);
    const Json together = run(texts, Json::parse(R"({"batch_size": 3})"));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const Json alone = run(Json::Array{texts.as_array()[i]});
      CHECK(result_difference(together.as_array()[i], alone.as_array()[0], "") == "");
    }
  }
  const Pipeline write =
      pipeline("text-generation", pipeline_models + "gpt2-chat",
               Json::parse(R"({"max_new_tokens": 6, "do_sample": false, "repetition_penalty": 1.2})"));
  const Json prompts = Json::Array{"I love", "People! How many people live in Hamburg?", "The"};
  const Json together = write(prompts);
  for (std::size_t i = 0; i < prompts.size(); ++i) CHECK(together.as_array()[i] == write(prompts.as_array()[i]));
}

TEST_CASE("pipelines: streamed pieces are the final text") {
  const Json greedy = Json::parse(R"({"max_new_tokens": 20, "do_sample": false, "return_full_text": false})");
  const Json sampled = Json::parse(R"({"max_new_tokens": 20, "seed": 7, "return_full_text": false})");
  const Pipeline write = pipeline("text-generation", pipeline_models + "gpt2-chat");
  const Json chat = Json::Array{chat_message("user", "How many?")};
  for (const Json& options : {greedy, sampled})
    for (const Json& input : {Json("The quick"), chat}) {
      const Json whole = write(input, options);
      CHECK(joined_stream(write.stream(input, options)) == whole.as_array()[0].at("generated_text").as_string());
      TextStream stream = write.stream(input, options);
      while (stream.next()) {
      }
      CHECK(stream.result() == whole);
    }
  const Pipeline translate = pipeline("translation_en_to_fr", pipeline_models + "t5");
  const Json one_beam = Json::parse(R"({"num_beams": 1, "max_new_tokens": 12})");
  const Json whole = translate("The house is wonderful.", one_beam);
  CHECK(joined_stream(translate.stream("The house is wonderful.", one_beam)) ==
        whole.as_array()[0].at("translation_text").as_string());
  TextStream stream = translate.stream("The house is wonderful.", one_beam);
  while (stream.next()) {
  }
  CHECK(stream.result() == whole);
}

TEST_CASE("pipelines: the next turn of a streamed chat is read only from where it is new") {
  const Pipeline write = pipeline("text-generation", pipeline_models + "gpt2-chat",
                                  Json::parse(R"({"max_new_tokens": 5, "do_sample": false})"));
  const auto run = [&](const Json& chat) {
    TextStream stream = write.stream(chat);
    while (stream.next()) {
    }
    return std::pair(stream.stats().reused_tokens, stream.result());
  };
  const Json first = Json::Array{chat_message("user", "How many?")};
  CHECK(run(first).first == 0);
  Json second = first;
  second.as_array().push_back(chat_message("assistant", "Many."));
  second.as_array().push_back(chat_message("user", "More?"));
  {
    const TextStream holder = write.stream(first);  // who comes while it is lent reads all
    CHECK(run(second).first == 0);
  }
  const auto [reused, result] = run(second);
  CHECK(reused > 0);
  CHECK(result == write(second));
}

TEST_CASE("pipelines: a stop sequence ends the text and is part of it") {
  const Pipeline write =
      pipeline("text-generation", pipeline_models + "gpt2-chat",
               Json::parse(R"({"max_new_tokens": 20, "do_sample": false, "return_full_text": false})"));
  const std::string all = write("The quick").as_array()[0].at("generated_text").as_string();
  REQUIRE(all.size() > 12);
  const std::string stop = all.substr(5, 3);
  const std::string cut =
      write("The quick", Json(Json::Object{{"stop_sequence", stop}})).as_array()[0].at("generated_text").as_string();
  CHECK(all.starts_with(cut));
  CHECK(cut.size() < all.size());
  const std::size_t at = cut.find(stop);
  REQUIRE(at != std::string::npos);
  CHECK(cut.find(stop, at + 1) == std::string::npos);

  StopStrings across({"ab", "xyz"}, "x");
  CHECK_FALSE(across.ends_in("y"));
  CHECK(across.ends_in("z!"));
  CHECK_FALSE(across.ends_in("a"));
  CHECK(across.ends_in("b"));
  CHECK_FALSE(across.ends_in("."));  // it ended before
}

TEST_CASE("pipelines: cancelling ends the work within one token") {
  const Pipeline write = pipeline("text-generation", pipeline_models + "gpt2-chat");
  const CancelToken cancel;
  TextStream stream = write.stream("The quick", Json::parse(R"({"max_new_tokens": 50, "do_sample": false})"), cancel);
  REQUIRE(stream.next().has_value());
  const std::size_t before = stream.tokens().size();
  cancel.cancel();
  CHECK(code_of([&] { stream.next(); }) == ErrorCode::cancelled);
  CHECK(stream.tokens().size() == before);
  CHECK(code_of([&] { write("The quick", Json::object(), cancel); }) == ErrorCode::cancelled);
  const Pipeline classify = pipeline("text-classification", pipeline_models + "bert-nli");
  CHECK(code_of([&] { classify("The quick", Json::object(), cancel); }) == ErrorCode::cancelled);

  TextStream stopped = write.stream("The quick", Json::parse(R"({"max_new_tokens": 50, "do_sample": false})"));
  REQUIRE(stopped.next().has_value());
  stopped.stop();
  while (stopped.next()) {
  }
  CHECK(stopped.finished());
  CHECK(stopped.tokens().size() < 5);
}

TEST_CASE("pipelines: the default models are those of the document") {
  const std::string document = read_text_file(TRUSTFORMERS_TEST_DATA "/../docs/pipelines.md");
  for (const PipelineName& name : pipeline_tasks()) {
    CAPTURE(name.task);
    const std::size_t row = document.find("| " + std::string(name.task));
    const std::size_t listed = row == std::string::npos ? document.find(", " + std::string(name.task)) : row;
    REQUIRE(listed != std::string::npos);
    CHECK(document.substr(listed, document.find('\n', listed) - listed).find(name.default_model) != std::string::npos);
  }
}

TEST_CASE("pipelines: words that nobody knows are refused by name") {
  CHECK(mentions(error_of([] { pipeline("text-painting", pipeline_models + "t5"); }), "text-painting"));
  const Pipeline classify = pipeline("sentiment-analysis", pipeline_models + "bert-nli");
  CHECK(classify.task() == "text-classification");
  const Error unknown = error_of([&] { classify("a", Json::parse(R"({"topk": 2})")); });
  CHECK(unknown.code() == ErrorCode::invalid_argument);
  CHECK(mentions(unknown, "\"topk\""));
  CHECK(mentions(unknown, "top_k"));
  CHECK(mentions(error_of([&] { classify("a", Json::parse(R"({"top_k": "two"})")); }), "whole number"));
  CHECK(code_of([&] { classify(3); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { classify.stream("a"); }) == ErrorCode::unsupported);
  const Pipeline write = pipeline("text-generation", pipeline_models + "gpt2-chat");
  CHECK(mentions(error_of([&] { write("a", Json::parse(R"({"tempreature": 1})")); }), "tempreature"));
  CHECK(code_of([&] { pipeline("translation", pipeline_models + "bert-nli"); }) != ErrorCode::internal);
  CHECK(mentions(error_of([] { pipeline("fill-mask", pipeline_models + "bert-fill")("no mask"); }), "[MASK]"));
  CHECK(mentions(error_of([] {
                   pipeline("zero-shot-classification", pipeline_models + "bert-nli")(
                       "a", Json::parse(R"({"candidate_labels": "x", "hypothesis_template": "none"})"));
                 }),
                 "{}"));
}

TEST_CASE("pipelines: ranking and similarity") {
  const Pipeline rank = pipeline("text-ranking", pipeline_models + "bert-ranker");
  const Json input =
      Json::parse(R"({"query": "Who lives?", "documents": ["People!", "Wolfgang lives in Berlin", "Best"]})");
  const Json ranked = rank(input, Json::parse(R"({"return_documents": true})"));
  REQUIRE(ranked.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const Json& one = ranked.as_array()[i];
    const auto id = static_cast<std::size_t>(one.at("corpus_id").as_int());
    CHECK(one.at("text") == input.at("documents").as_array()[id]);
    CHECK((i == 0 || ranked.as_array()[i - 1].at("score").as_double() >= one.at("score").as_double()));
    // The same model as a classifier gives the same score to the pair.
    const Pipeline classify = pipeline("text-classification", pipeline_models + "bert-ranker");
    Json pair = Json::object();
    pair.set("text", input.at("query"));
    pair.set("text_pair", one.at("text"));
    CHECK(one.at("score").as_double() == doctest::Approx(classify(pair).at("score").as_double()).epsilon(1e-6));
  }
  CHECK(rank(input, Json::parse(R"({"top_k": 1})")).size() == 1);

  const Pipeline similar = pipeline("sentence-similarity", pipeline_models + "bert-fill");
  const Json scores =
      similar(Json::parse(R"({"source_sentence": "I love it", "sentences": ["I love it", "Best in show", "People"]})"));
  REQUIRE(scores.size() == 3);
  CHECK(scores.as_array()[0].as_double() == doctest::Approx(1).epsilon(1e-6));
  CHECK(scores.as_array()[1].as_double() < 0.9999);
}

TEST_CASE("pipelines: features are pooled and normalised as sentence encoders do it") {
  const Pipeline extract = pipeline("feature-extraction", pipeline_models + "roberta-fill");
  const Json tokens = extract("I love this").as_array()[0];
  const Json pooled =
      extract(Json::Array{"I love this", "a"}, Json::parse(R"({"pooling": "mean", "normalize": true})"));
  REQUIRE(pooled.size() == 2);
  const Json::Array& vector = pooled.as_array()[0].as_array();
  std::vector<double> mean(vector.size());
  double norm = 0;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    for (const Json& token : tokens.as_array()) mean[i] += token.as_array()[i].as_double();
    norm += mean[i] * mean[i];
  }
  for (std::size_t i = 0; i < mean.size(); ++i)
    CHECK(vector[i].as_double() == doctest::Approx(mean[i] / std::sqrt(norm)).epsilon(1e-4));
}

TEST_CASE("pipelines: a pipeline of open parts is the same") {
  const std::string folder = pipeline_models + "bert-nli";
  const Pipeline opened = pipeline("text-classification", folder);
  const Pipeline made = pipeline("text-classification", AutoTokenizer::from_pretrained(folder),
                                 AutoModelForSequenceClassification::from_pretrained(folder));
  CHECK(made("People!") == opened("People!"));
  CHECK(pipeline_model("ner") == Task::token_classification);
  CHECK(pipeline_tasks().size() == 12);
}
