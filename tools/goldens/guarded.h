// Errors of the library as rows of a report.
#pragma once

#include "../../src/base/error.h"
#include "report.h"

namespace trustformers::goldens {

/// Calls `body`; an Error becomes a failed row.
template <class Body>
void guarded(Report& report, const std::string& run, Body body) {
  try {
    body();
  } catch (const Error& error) {
    report.add_exact(run, error.what(), false);
  }
}

}  // namespace trustformers::goldens
