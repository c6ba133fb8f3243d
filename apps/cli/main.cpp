// trustformers: chat with, run, embed with and inspect models from the command line.
#include <exception>
#include <iostream>

#include <trustformers/trustformers.h>
#include <CLI/CLI.hpp>

#include "commands.h"

int main(int argc, char** argv) {
  CLI::App app(
      "Runs transformer models from their published files.\n"
      "MODEL is a folder, a .gguf or .safetensors file, or the id of a model in the Hugging Face cache.");
  app.name("trustformers");
  app.set_version_flag("--version", TRUSTFORMERS_VERSION);
  app.require_subcommand(1);
  trustformers::cli::Run run;
  trustformers::cli::add_chat(app, run);
  trustformers::cli::add_run(app, run);
  trustformers::cli::add_embed(app, run);
  trustformers::cli::add_inspect(app, run);
  trustformers::cli::add_pipeline(app, run);
  trustformers::cli::add_tokenize(app, run);
  app.footer("Exit codes: 0 done, 1 it failed (the reason is on stderr), 2 the command line is wrong.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    run();
    return 0;
  } catch (const trustformers::Error& error) {
    std::cerr << "trustformers: " << to_string(error.code()) << ": " << error.what() << "\n";
  } catch (const std::exception& error) {
    std::cerr << "trustformers: " << error.what() << "\n";
  }
  return 1;
}
