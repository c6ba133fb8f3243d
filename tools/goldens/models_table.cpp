#include "models_table.h"

#include <algorithm>
#include <map>
#include <set>

#include "../../src/models/architectures.h"
#include "../../src/models/specialised.h"
#include "case.h"

namespace trustformers::goldens {
namespace {

using Names = std::set<std::string>;

std::string joined(const auto& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

/// The cases of each model_type, by what stands behind it in their names.
std::map<std::string, Names> cases_by_type(const std::filesystem::path& root) {
  std::map<std::string, Names> out;
  for (const Case& c : find_cases(root)) {
    if (!c.description.find("class") || !c.description.find("model_type")) continue;
    const std::size_t dot = c.name.find('.');
    out[c.description.at("model_type").as_string()].insert(dot == std::string::npos ? c.name : c.name.substr(dot + 1));
  }
  return out;
}

std::string fill_cell(const SpecialisedFamily& family) {
  return family.fill ? "`" + fill_prompt(*family.fill, "before", "after") + "`" : "";
}

/// A cell of a Markdown table: bars would end it.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : std::string(1, c);
  return out;
}

}  // namespace

std::string models_document(const std::filesystem::path& cases) {
  const std::map<std::string, Names> golden = cases_by_type(cases);
  std::string out =
      "# Models\n\n"
      "Written by `./dev docs` from the registry; `./dev test` compares. To change it, change the code.\n\n"
      "`model_type` is what `config.json` says. Heads are the tasks that AutoModel classes ask for. All are read from "
      "and\n"
      "written to safetensors; GGUF is read where a name stands. Golden cases are those of tests/goldens: outputs, "
      "losses,\n"
      "gradients or generated ids of PyTorch, which the unit tests reproduce.\n\n";
  out += "| model_type | heads | GGUF | golden cases |\n|---|---|---|---|\n";
  std::size_t classes = 0;
  for (const Architecture& a : all_architectures()) {
    std::vector<std::string_view> heads;
    for (const ModelClass& c : a.classes) {
      ++classes;
      if (std::find(heads.begin(), heads.end(), to_string(c.task)) == heads.end()) heads.push_back(to_string(c.task));
    }
    const auto found = golden.find(std::string(a.model_type));
    out += "| " + std::string(a.model_type) + " | " + joined(heads) + " | " +
           (a.gguf.names.empty() ? "" : std::string(a.gguf.name)) + " | " +
           (found == golden.end() ? "" : joined(found->second)) + " |\n";
  }
  out +=
      "\n" + std::to_string(all_architectures().size()) + " architectures, " + std::to_string(classes) + " classes.\n";

  out +=
      "\n## Specialised families\n\n"
      "Models for code, mathematics, science, medicine and law are sizes, tokens and prompts of the bodies above\n"
      "(`src/models/specialised.h`). `before` and `after` stand for the text around the gap that a model fills.\n\n"
      "| family | field | body | its config | instructions | filling a gap |\n|---|---|---|---|---|---|\n";
  for (const SpecialisedFamily& f : specialised_families())
    out += "| " + std::string(f.name) + " | " + std::string(f.field) + " | " + std::string(f.model_type) + " | " +
           std::string(f.config) + " | " + std::string(to_string(f.style)) + " | " + escaped(fill_cell(f)) + " |\n";
  return out;
}

}  // namespace trustformers::goldens
