// Conformance rows that run on every device, also on those that answer a read later: natively, under Node, in a
// browser.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace trustformers::test {

/// Called once: empty when the row passed, else what differed. Must not throw.
using RowDone = std::function<void(std::string failure)>;

struct DeviceRow {
  std::string name;
  /// Runs on the current context's default device.
  std::function<void(RowDone)> run;
};

/// rms_norm and matmul: values, views, decomposition, gradient of matmul, and their recorded graph.
std::vector<DeviceRow> device_rows();

/// Starts every row at once and calls `report` for each as it ends; a row that throws fails with the error's text.
void run_rows(const std::vector<DeviceRow>& rows,
              const std::function<void(const std::string& name, std::string failure)>& report);

}  // namespace trustformers::test
