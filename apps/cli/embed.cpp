// embed: vectors for texts, or how alike the texts are.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <sstream>

#include <trustformers/trustformers.h>
#include <CLI/CLI.hpp>

#include "commands.h"
#include "terminal.h"

namespace trustformers::cli {
namespace {

struct EmbedArguments {
  std::string model;
  std::vector<std::string> texts;
  bool similarity = false, json = false;
};

Json rows_of(const Tensor& matrix) {
  const std::vector<double> values = matrix.to_vector<double>();
  const auto width = static_cast<std::size_t>(matrix.size(1));
  Json::Array rows;
  for (std::size_t i = 0; i < values.size(); i += width)
    rows.push_back(Json(Json::Array(values.begin() + static_cast<std::ptrdiff_t>(i),
                                    values.begin() + static_cast<std::ptrdiff_t>(i + width))));
  return Json(std::move(rows));
}

void print_table(const std::vector<std::string>& texts, const Tensor& cosines) {
  const std::vector<double> values = cosines.to_vector<double>();
  std::printf("     ");
  for (std::size_t j = 0; j < texts.size(); ++j) std::printf(" %6zu", j + 1);
  std::printf("\n");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::printf("%4zu ", i + 1);
    for (std::size_t j = 0; j < texts.size(); ++j) std::printf(" %6.3f", values[i * texts.size() + j]);
    std::printf("   %s\n", texts[i].c_str());
  }
}

void embed(EmbedArguments o) {
  if (o.texts.empty()) {
    std::istringstream lines(read_stdin());
    for (std::string line; std::getline(lines, line);) o.texts.push_back(line);
  }
  check(!o.texts.empty(), ErrorCode::invalid_argument, "[embed] needs at least one text");
  ProgressLine progress;
  LoadOptions load;
  load.parameters.progress = progress.callback();
  const auto encoder = SentenceTransformer::from_pretrained(o.model, load);
  const Tensor vectors = encoder.encode(o.texts);
  if (o.similarity) {
    const Tensor cosines = SentenceTransformer::similarity(vectors, vectors);
    if (o.json)
      std::cout << rows_of(cosines).dump() << "\n";
    else
      print_table(o.texts, cosines);
    return;
  }
  if (o.json) {
    std::cout << rows_of(vectors).dump() << "\n";
    return;
  }
  const std::vector<float> values = vectors.to_vector<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    std::printf("%.7g%c", static_cast<double>(values[i]),
                (i + 1) % static_cast<std::size_t>(vectors.size(1)) ? ' ' : '\n');
}

}  // namespace

void add_embed(CLI::App& app, Run& chosen) {
  CLI::App* command = app.add_subcommand("embed", "Turn texts into vectors");
  const auto o = std::make_shared<EmbedArguments>();
  command->add_option("MODEL", o->model, "Folder, file or cached hub id of an encoder")->required();
  command->add_option("TEXT", o->texts, "Texts; the lines of stdin when absent");
  command->add_flag("--similarity", o->similarity, "Print the cosines between the texts instead of the vectors");
  command->add_flag("--json", o->json, "A JSON array of arrays");
  command->footer(
      "Examples:\n"
      "  trustformers embed ./all-MiniLM-L6-v2 'a cat' 'a dog' --similarity\n"
      "  trustformers embed ./all-MiniLM-L6-v2 --json < sentences.txt");
  command->callback([o, &chosen] { chosen = [o] { embed(*o); }; });
}

}  // namespace trustformers::cli
