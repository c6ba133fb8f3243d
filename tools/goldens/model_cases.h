// Cases of models: forward runs, cached runs, and what must hold beside what is stored.
#pragma once

#include <memory>
#include <optional>

#include "../../src/models/auto.h"
#include "case.h"

namespace trustformers::goldens {

/// Why this build cannot open the case's model (an architecture, class or file format that it lacks).
std::optional<std::string> cannot_open(const Case& c);

/// The case's model in f32 arithmetic. Options other than the class are the caller's.
std::unique_ptr<Model> open_model(const Case& c, LoadOptions options = {});

/// The arguments `<run>/<name>` of a file of inputs; `unknown` gets those that ModelInputs lacks.
ModelInputs read_inputs(const WeightSource& source, const std::string& run, std::vector<std::string>& unknown);

/// Every run of inputs.safetensors against expected.safetensors; a row of a batch against the row alone; cached steps
/// against the whole pass; one thread against two.
void run_forward_cases(const Case& c, Report& report);

}  // namespace trustformers::goldens
