// inspect: what a model is and needs, from the headers of its files.
#include <iostream>
#include <memory>

#include <trustformers/trustformers.h>
#include <CLI/CLI.hpp>

#include "commands.h"
#include "terminal.h"

namespace trustformers::cli {
namespace {

struct InspectArguments {
  std::string model, class_name;
  bool json = false;
};

Json names_of(const std::vector<std::string>& names) { return Json(Json::Array(names.begin(), names.end())); }

void inspect_model(const InspectArguments& o) {
  const Checkpoint checkpoint = open_checkpoint(hub::resolve_model(o.model));
  const Inspection i = inspect(checkpoint, o.class_name);
  if (o.json) {
    Json out = Json::object();
    out.set("model_type", Json(i.model_type));
    out.set("class", Json(i.class_name));
    out.set("parameters", Json(i.parameters));
    Json dtypes = Json::object();
    for (const auto& [name, bytes] : i.dtypes) dtypes.set(name, Json(bytes));
    out.set("bytes_by_dtype", std::move(dtypes));
    out.set("weight_bytes", Json(i.weight_bytes));
    out.set("cache_bytes_per_token", Json(i.cache_bytes_per_token));
    out.set("missing", names_of(i.report.missing()));
    out.set("unused", names_of(i.report.unexpected()));
    Json::Array misshapen;
    for (const auto& m : i.report.misshapen()) misshapen.push_back(Json(m.name));
    out.set("misshapen", Json(std::move(misshapen)));
    out.set("config", checkpoint.config);
    std::cout << out.dump(2) << "\n";
    return;
  }
  std::cout << "model        " << i.model_type << ", " << i.class_name << "\n"
            << "parameters   " << i.parameters << "\n"
            << "weights      " << human_bytes(static_cast<double>(i.weight_bytes)) << " (";
  std::string separator;
  for (const auto& [name, bytes] : i.dtypes) {
    std::cout << separator << name << " " << human_bytes(static_cast<double>(bytes));
    separator = ", ";
  }
  std::cout << ")\n";
  if (i.cache_bytes_per_token > 0)
    std::cout << "cache        " << human_bytes(static_cast<double>(i.cache_bytes_per_token)) << " a token, "
              << human_bytes(1000.0 * static_cast<double>(i.cache_bytes_per_token)) << " for 1000 tokens\n";
  const std::string text = i.report.text();
  std::cout << "checkpoint   "
            << (i.report.missing().empty() && i.report.misshapen().empty() ? "complete" : "does not fit the model")
            << "\n";
  if (!text.empty()) std::cout << text << "\n";
}

}  // namespace

void add_inspect(CLI::App& app, Run& chosen) {
  CLI::App* command = app.add_subcommand("inspect", "Show what a model is and needs, without loading it");
  const auto o = std::make_shared<InspectArguments>();
  command->add_option("MODEL", o->model, "Folder, file or cached hub id")->required();
  command->add_option("--class", o->class_name, "Check against this class, such as BertForMaskedLM");
  command->add_flag("--json", o->json, "As JSON, with the whole config");
  command->footer(
      "Examples:\n"
      "  trustformers inspect model.gguf\n"
      "  trustformers inspect ./bert-base-uncased --class BertForMaskedLM --json");
  command->callback([o, &chosen] { chosen = [o] { inspect_model(*o); }; });
}

}  // namespace trustformers::cli
