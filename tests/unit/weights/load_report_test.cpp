#include "weights/load_report.h"

#include <doctest/doctest.h>

#include "files.h"

namespace trustformers {
namespace {

using test::mentions;

Error report_error_of(const LoadReport& report, const LoadRules& rules = {}) {
  return test::error_of([&] { report.check("model.safetensors", rules); });
}

TEST_CASE("weights: a report without findings is silent") {
  CHECK(LoadReport().text().empty());
  CHECK_NOTHROW(LoadReport().check("x", {.strict = true, .ignore_unexpected = {}}));
}

TEST_CASE("weights: one error names everything that is wrong") {
  LoadReport report;
  report.add_missing("lm_head.weight");
  report.add_misshapen("model.norm.weight", {64}, {32, 2}, "model-00002.safetensors");
  report.add_unexpected("extra");
  const Error error = report_error_of(report);
  CHECK(error.code() == ErrorCode::not_found);
  CHECK(mentions(error, "model.safetensors"));
  CHECK(mentions(error, "1 missing:\n  'lm_head.weight'"));
  CHECK(mentions(error, "'model.norm.weight': expected [64], got [32, 2] in model-00002.safetensors"));
  CHECK_FALSE(mentions(error, "extra"));
  CHECK(mentions(report_error_of(report, {.strict = true, .ignore_unexpected = {}}), "'extra'"));
}

TEST_CASE("weights: shapes alone give shape_mismatch") {
  LoadReport report;
  report.add_misshapen("a", {2}, {3}, "f");
  CHECK(report_error_of(report).code() == ErrorCode::shape_mismatch);
}

TEST_CASE("weights: unexpected tensors count only when strict, and not those that may be left over") {
  LoadReport report;
  report.add_unexpected("model.layers.3.rotary_emb.inv_freq");
  CHECK_NOTHROW(report.check("x"));
  CHECK(report_error_of(report, {.strict = true, .ignore_unexpected = {}}).code() == ErrorCode::not_found);
  CHECK_NOTHROW(report.check("x", {.strict = true, .ignore_unexpected = {"*.rotary_emb.inv_freq"}}));
}

TEST_CASE("weights: long lists are cut and counted") {
  LoadReport report;
  for (int i = 0; i < 25; ++i) report.add_missing(str("t", i));
  const Error error = report_error_of(report);
  CHECK(mentions(error, "25 missing"));
  CHECK(mentions(error, "'t19'"));
  CHECK_FALSE(mentions(error, "'t20'"));
  CHECK(mentions(error, "and 5 more"));
}

TEST_CASE("weights: patterns") {
  CHECK(matches("abc", "abc"));
  CHECK_FALSE(matches("abc", "ab"));
  CHECK_FALSE(matches("ab", "abc"));
  CHECK(matches("", "*"));
  CHECK(matches("a.b.c", "a.*.c"));
  CHECK(matches("a.x.c.y.c", "a.*.c"));
  CHECK_FALSE(matches("a.x.c.y", "a.*.c"));
  CHECK(matches("aab", "*ab"));
  CHECK(matches(std::string(2000, 'a') + "b", "*a*a*a*a*b"));
  CHECK_FALSE(matches(std::string(2000, 'a'), "*a*a*a*a*b"));
}

}  // namespace
}  // namespace trustformers
