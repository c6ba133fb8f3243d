#include "case.h"

#include <algorithm>

#include "../../src/base/file.h"
#include "generate_cases.h"
#include "gguf_tokenizer_cases.h"
#include "guarded.h"
#include "model_cases.h"
#include "processor_cases.h"
#include "real_cases.h"
#include "schema_suite.h"
#include "tokenizer_cases.h"
#include "train_cases.h"
#include "weights_cases.h"

namespace trustformers::goldens {

namespace fs = std::filesystem;

std::vector<Case> find_cases(const fs::path& root) {
  check(fs::is_directory(root), ErrorCode::not_found, "[goldens] there is no folder ", root.string());
  std::vector<Case> cases;
  const auto add = [&](const fs::path& folder) {
    const fs::path description = folder / "case.json";
    const bool suite = is_schema_suite(folder);
    if (!suite && !fs::exists(description)) return;
    std::string name = folder.lexically_relative(root).generic_string();
    if (name == ".") name = fs::weakly_canonical(folder).filename().string();
    cases.push_back(
        {std::move(name), folder, suite ? Json() : Json::parse(read_text_file(description), description.string())});
  };
  add(root);
  for (const auto& item : fs::recursive_directory_iterator(root))
    if (item.is_directory()) add(item.path());
  std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.name < b.name; });
  return cases;
}

namespace {

bool is_model_case(const Json& d) {
  return d.is_object() && d.find("model_type") && d.find("class") && d.find("weights") && d.find("runs");
}

bool is_tokenizer_case(const Case& c) {
  return fs::exists(c.folder / "cases.json") || fs::exists(c.folder / "pre_tokenizers.json") ||
         (c.description.find("tokenizer") && c.description.find("encode"));
}

void run_model_case(const Case& c, Report& report) {
  run_gguf_tokenizer_case(c, report);
  if (const auto reason = cannot_open(c)) return report.skip(*reason);
  run_forward_cases(c, report);
  if (const Json* generate = c.description.find("generate"); generate && generate->size() > 0)
    guarded(report, "generate", [&] { run_generate_cases(c, report); });
  if (c.description.find("train")) run_train_cases(c, report);
}

}  // namespace

void run_case(const Case& c, const Options& options, Report& report) {
  guarded(report, "case", [&] {
    if (c.description.find("packages")) return run_real_case(c, options, report);
    if (is_schema_suite(c.folder)) return run_schema_suite(c.folder, report);
    if (is_processor_case(c)) return run_processor_case(c, report);
    if (is_tokenizer_case(c)) return run_tokenizer_case(c.folder, report);
    if (fs::exists(c.folder / "tokens.json") && fs::exists(c.folder / "model.gguf"))
      guarded(report, "tokens", [&] { run_gguf_tokens(c.folder, report); });
    const bool file = c.description.is_object() && run_weights_case(c.folder, c.description, report);
    if (is_model_case(c.description)) return run_model_case(c, report);
    if (!file) report.skip("no room for cases of this kind");
  });
}

}  // namespace trustformers::goldens
