// Generated text, pulled piece by piece.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../generation/generation_steps.h"
#include "auto_classes.h"

namespace trustformers {

/// Says when a text that grows has come to a stop string, as transformers does: the string ends in what was added last,
/// and may begin anywhere before, also in the prompt.
class StopStrings {
 public:
  explicit StopStrings(std::vector<std::string> strings = {}, std::string_view prompt = {});
  bool empty() const { return strings_.empty(); }
  /// True when one of the strings ends in `piece`.
  bool ends_in(std::string_view piece);

 private:
  std::vector<std::string> strings_;
  std::size_t longest_ = 0;
  std::string tail_;  // of the text so far, shorter than the longest string
};

/// One prompt's continuation. Move-only; the pieces joined are the whole text, a stop string included.
class TextStream {
 public:
  struct Setup {
    PreTrainedTokenizer tokenizer;
    PreTrainedModel model;
    ModelInputs inputs;
    GenerationConfig config;               // its stop_strings are the stream's
    std::string_view prompt = {};          // in which a stop string may begin
    std::vector<std::int64_t> start = {};  // tokens whose text comes before the first new one
    bool skip_special_tokens = true;
    CancelToken cancel = {};
    // What a pipeline makes of the sequence: `start` and new tokens, of an encoder-decoder all of its decoder's.
    std::function<Json(const std::vector<std::int64_t>& sequence)> record = {};
    // Knows the beginning of the one prompt perhaps, and then of its continuation; nobody else's meanwhile.
    std::shared_ptr<Session> session = {};
  };
  explicit TextStream(Setup setup);

  /// The next piece, which is not empty, or nothing at the end. Each step looks for a request to cancel first. Errors:
  /// as of generate(); an error is the end.
  std::optional<std::string> next();
  /// The same after one token, whose piece is empty while a character lacks bytes.
  std::optional<std::string> step();
  /// No more tokens; next() gives what was held back, then nothing.
  void stop();
  bool finished() const { return finished_; }
  /// What the pipeline would have answered, had it ended here. Errors: unsupported for a stream of no pipeline.
  Json result() const;
  /// All pieces so far.
  const std::string& text() const { return text_; }
  const std::vector<std::int64_t>& tokens() const { return tokens_; }
  const GenerateStats& stats() const { return steps_->stats(); }

 private:
  std::optional<std::string> hand_out(std::string piece);

  PreTrainedModel model_;  // the steps refer to it and to the session
  std::shared_ptr<Session> session_;
  std::unique_ptr<GenerationSteps> steps_;
  std::function<Json(const std::vector<std::int64_t>&)> record_;
  std::vector<std::int64_t> start_;
  DecodeStream decoder_;
  StopStrings stop_strings_;
  std::string text_;
  std::vector<std::int64_t> tokens_;
  bool stopped_ = false, finished_ = false;
};

}  // namespace trustformers
