// What a checkpoint and a model disagree about, told at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../tensor/shape.h"

namespace trustformers {

struct LoadRules {
  bool strict = false;  // tensors that the model does not use are an error
  /// Names that may be left over even then; `*` stands for any text: "*.rotary_emb.inv_freq".
  std::vector<std::string> ignore_unexpected;
};

/// Collects the disagreements while a model is built, so that a user sees all of them in one error.
class LoadReport {
 public:
  struct Misshapen {
    std::string name;
    Shape expected, got;
    std::string file;
  };

  void add_missing(std::string name) { missing_.push_back(std::move(name)); }
  void add_unexpected(std::string name) { unexpected_.push_back(std::move(name)); }
  void add_misshapen(std::string name, const Shape& expected, const Shape& got, std::string file);

  const std::vector<std::string>& missing() const { return missing_; }
  const std::vector<std::string>& unexpected() const { return unexpected_; }
  const std::vector<Misshapen>& misshapen() const { return misshapen_; }
  bool empty() const { return missing_.empty() && unexpected_.empty() && misshapen_.empty(); }

  /// All disagreements in plain text, at most 20 of a kind; empty when there are none.
  std::string text() const;
  /// Throws one Error that lists everything the rules forbid: not_found where tensors are missing or left over,
  /// shape_mismatch where only shapes differ. `source` says what was loaded.
  void check(std::string_view source, const LoadRules& rules = {}) const;

 private:
  std::vector<std::string> missing_, unexpected_;
  std::vector<Misshapen> misshapen_;
};

/// True when `name` is what `pattern` describes; `*` stands for any text, also none.
bool matches(std::string_view name, std::string_view pattern);

}  // namespace trustformers
