// What came of comparing with goldens: one row per compared item.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace trustformers::goldens {

class Report {
 public:
  struct Row {
    std::string run;   // which part of the case: a run, a file
    std::string item;  // the tensor, id list or verdict that was compared
    double error;      // in units of `tolerance`
    double tolerance;
    bool passed;
  };

  void add(std::string run, std::string item, double error, double tolerance, bool passed) {
    rows_.push_back({std::move(run), std::move(item), error, tolerance, passed});
  }
  /// For what is equal or not.
  void add_exact(std::string run, std::string item, bool equal) {
    add(std::move(run), std::move(item), equal ? 0 : 1, 0, equal);
  }
  /// Something of the case, or all of it, that this build does not do.
  void skip(std::string reason) { skips_.push_back(std::move(reason)); }

  const std::vector<Row>& rows() const { return rows_; }
  const std::vector<std::string>& skips() const { return skips_; }
  std::size_t passed() const { return rows_.size() - failed(); }
  std::size_t failed() const {
    return static_cast<std::size_t>(
        std::count_if(rows_.begin(), rows_.end(), [](const Row& row) { return !row.passed; }));
  }

 private:
  std::vector<Row> rows_;
  std::vector<std::string> skips_;
};

}  // namespace trustformers::goldens
