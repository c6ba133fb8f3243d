// What a template may spend. Templates come with models and are untrusted programs: each of these ends one that runs
// away.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../../base/error.h"

namespace trustformers::jinja {

struct Limits {
  std::uint64_t steps = 10'000'000;              // nodes evaluated and elements visited
  std::uint64_t bytes = std::uint64_t{1} << 30;  // of all strings and lists made while rendering
  std::size_t output = std::size_t{64} << 20;    // bytes of the rendered text
  int depth = 300;                               // nested evaluations, macro calls included
};

/// The nesting that a template's text and the values it makes may have.
inline constexpr int max_syntax_depth = 100;
inline constexpr int max_value_depth = 300;

/// Counts what one rendering has spent; every method throws ErrorCode::out_of_range once a limit is passed.
class Budget {
 public:
  explicit Budget(const Limits& limits) : limits_(limits) {}

  void step(std::uint64_t count = 1) {
    steps_ += count;
    check(steps_ <= limits_.steps, ErrorCode::out_of_range, "[chat_template] more than ", limits_.steps, " steps");
  }
  /// Call it before making a value of that many bytes.
  void produce(std::uint64_t bytes) {
    check(bytes <= limits_.bytes - bytes_, ErrorCode::out_of_range, "[chat_template] more than ", limits_.bytes,
          " bytes of values");
    bytes_ += bytes;
  }
  void output(std::size_t total) const {
    check(total <= limits_.output, ErrorCode::out_of_range, "[chat_template] more than ", limits_.output,
          " bytes of output");
  }

  /// One level of nesting, for as long as it lives.
  class Level {
   public:
    explicit Level(Budget& budget) : budget_(budget) {
      check(budget.depth_ < budget.limits_.depth, ErrorCode::out_of_range, "[chat_template] nested deeper than ",
            budget.limits_.depth, " levels");
      ++budget.depth_;
    }
    ~Level() { --budget_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Budget& budget_;
  };

 private:
  Limits limits_;
  std::uint64_t steps_ = 0;
  std::uint64_t bytes_ = 0;
  int depth_ = 0;
};

}  // namespace trustformers::jinja
