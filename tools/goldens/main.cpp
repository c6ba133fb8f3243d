// Runs golden cases and tells what came of each; behind `./dev goldens`.
#include <cstdio>
#include <exception>
#include <regex>
#include <string_view>

#include "../../src/base/error.h"
#include "../../src/hub/cache.h"
#include "case.h"
#include "models_table.h"

namespace trustformers::goldens {
namespace {

constexpr const char* usage =
    "Usage: trustformers_goldens DIR… [--filter RE] [--models DIR] [--json]\n"
    "  DIR           a folder of cases at any depth, or one case\n"
    "  --filter RE   only cases in whose name (the path below DIR) RE is found\n"
    "  --models DIR  real models by name; otherwise ~/.cache/trustformers/models\n"
    "  --json        one JSON object instead of a table\n"
    "or:    trustformers_goldens --models-document DIR\n"
    "  prints docs/models.md\n";

enum class Verdict { passed, failed, skipped };
constexpr std::string_view verdict_names[] = {"passed", "failed", "skipped"};

Verdict verdict_of(const Report& report) {
  return report.failed() > 0 ? Verdict::failed : report.rows().empty() ? Verdict::skipped : Verdict::passed;
}

void print_case(const Case& c, const Report& report) {
  for (const Report::Row& row : report.rows())
    std::printf("%-4s  %s  %s  %s  %.3g  %.3g\n", row.passed ? "ok" : "FAIL", c.name.c_str(), row.run.c_str(),
                row.item.c_str(), row.error, row.tolerance);
  for (const std::string& reason : report.skips()) std::printf("skip  %s  %s\n", c.name.c_str(), reason.c_str());
  std::fflush(stdout);
}

Json to_json(const Case& c, const Report& report) {
  Json::Array rows, skips;
  for (const Report::Row& row : report.rows())
    rows.push_back(Json::Object{{"run", row.run},
                                {"item", row.item},
                                {"error", row.error},
                                {"tolerance", row.tolerance},
                                {"passed", row.passed}});
  for (const std::string& reason : report.skips()) skips.emplace_back(reason);
  return Json::Object{{"case", c.name},
                      {"verdict", verdict_names[static_cast<std::size_t>(verdict_of(report))]},
                      {"rows", std::move(rows)},
                      {"skips", std::move(skips)}};
}

struct Arguments {
  std::vector<std::filesystem::path> roots;
  std::string filter;
  Options options{hub::fetched_models()};
  bool json = false;
  bool models_document = false;
};

/// Throws invalid_argument.
Arguments parse_arguments(int count, char** values) {
  Arguments out;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = values[i];
    const auto value = [&] {
      check(i + 1 < count, ErrorCode::invalid_argument, argument, " needs a value");
      return std::string(values[++i]);
    };
    if (argument == "--json")
      out.json = true;
    else if (argument == "--models-document")
      out.models_document = true;
    else if (argument == "--filter")
      out.filter = value();
    else if (argument == "--models")
      out.options.models = {value()};
    else if (argument.starts_with("-"))
      fail(ErrorCode::invalid_argument, "unknown argument ", argument);
    else
      out.roots.emplace_back(argument);
  }
  check(!out.roots.empty(), ErrorCode::invalid_argument, "no folder was given");
  return out;
}

int run(const Arguments& arguments) {
  if (arguments.models_document) {
    std::fputs(models_document(arguments.roots.front()).c_str(), stdout);
    return 0;
  }
  const std::regex filter(arguments.filter);
  std::size_t counts[3] = {};
  Json::Array results;
  for (const auto& root : arguments.roots)
    for (const Case& c : find_cases(root)) {
      if (!arguments.filter.empty() && !std::regex_search(c.name, filter)) continue;
      Report report;
      run_case(c, arguments.options, report);
      ++counts[static_cast<std::size_t>(verdict_of(report))];
      if (arguments.json)
        results.push_back(to_json(c, report));
      else
        print_case(c, report);
    }
  if (arguments.json)
    std::printf(
        "%s\n",
        Json(Json::Object{
                 {"passed", counts[0]}, {"failed", counts[1]}, {"skipped", counts[2]}, {"cases", std::move(results)}})
            .dump(1)
            .c_str());
  else
    std::printf("%zu passed, %zu failed, %zu skipped\n", counts[0], counts[1], counts[2]);
  return counts[1] > 0 ? 1 : 0;
}

}  // namespace
}  // namespace trustformers::goldens

int main(int count, char** values) {
  using namespace trustformers::goldens;
  Arguments arguments;
  try {
    arguments = parse_arguments(count, values);
  } catch (const trustformers::Error& error) {
    std::fprintf(stderr, "%s\n%s", error.what(), usage);
    return 2;
  }
  try {
    return run(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
