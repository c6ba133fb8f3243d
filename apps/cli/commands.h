// The commands of the program. Each add_… declares one with its options and sets `chosen` when it is the one called;
// running it throws Error.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace trustformers::cli {

using Run = std::function<void()>;

void add_chat(CLI::App& app, Run& chosen);
void add_run(CLI::App& app, Run& chosen);
void add_embed(CLI::App& app, Run& chosen);
void add_inspect(CLI::App& app, Run& chosen);
void add_pipeline(CLI::App& app, Run& chosen);
void add_tokenize(CLI::App& app, Run& chosen);

}  // namespace trustformers::cli
