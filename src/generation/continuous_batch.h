// Many texts generated side by side: requests join and leave a running batch between any two tokens.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "../base/progress.h"
#include "generate.h"
#include "prefix_pages.h"

namespace trustformers {

struct BatchOptions {
  /// Requests that run at once; others wait in the order they came.
  std::int64_t max_running = 32;
  /// > 0: a longer prompt is read in pieces of so many tokens, one a step, so that it does not hold up the others.
  std::int64_t prompt_piece = 0;
  /// Tokens whose keys and values are kept for beginnings to come, after the last request that had them left.
  std::int64_t kept_tokens = 0;
};

/// stopped: by GenerationConfig::stopping.
enum class RequestEnd { end_token, stopped, length, time, cancelled, failed };

/// What a step did for a request: gave it a token, ended it, or both. A request ends once.
struct RequestEvent {
  std::uint64_t request = 0;
  std::optional<std::int64_t> token;
  std::optional<RequestEnd> end;
  std::optional<Error> error;  // why it failed
};

/// A model that serves many requests, each with its own options, seed and processors. A request gets the tokens it
/// would get alone, whoever is beside it: texts share the matrix products of a pass, but each keeps its keys and values
/// in pages of its own. Pages of a common beginning (64 tokens each) are computed once and held once.
///
/// Requests that cannot share a pass run beside the others on their own: other ways of decoding than token by token
/// (their tokens come when all are known), models whose positions depend on the length of the text (dynamic and long
/// rotary embeddings, Qwen 1), and use_cache = false.
///
/// Not for use by several threads at once. The model must outlive it.
class ContinuousBatch {
 public:
  explicit ContinuousBatch(const Model& model, const BatchOptions& options = {});
  ~ContinuousBatch();
  ContinuousBatch(const ContinuousBatch&) = delete;
  ContinuousBatch& operator=(const ContinuousBatch&) = delete;

  /// A request joins at the next step that has room for it; its number. `inputs` are one row of generate()'s.
  /// Errors: those of generate() that need no forward pass; unsupported for num_return_sequences above 1.
  std::uint64_t add(const ModelInputs& inputs, GenerationConfig config, CancelToken cancel = {});
  std::uint64_t add(std::span<const std::int64_t> prompt, GenerationConfig config, CancelToken cancel = {});

  /// One token for every request whose prompt is read. A request that fails ends with its error and leaves the others
  /// alone. The events, in the order the requests came, are valid until the next step.
  std::span<const RequestEvent> step();
  /// The request ends with the next step, before its next token; false when there is no such request (any more).
  bool cancel(std::uint64_t request);

  /// No request waits or runs.
  bool idle() const { return waiting_.empty() && running_.empty(); }
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t running() const { return running_.size(); }
  /// Bytes of keys and values that are held, shared ones once.
  std::int64_t cache_bytes() const;
  /// Prompt tokens so far that were found in pages of other requests, and tokens that were read by passes.
  std::int64_t reused_tokens() const { return reused_; }
  std::int64_t read_tokens() const { return read_; }

 private:
  struct Request;
  using Requests = std::list<std::unique_ptr<Request>>;

  void end(Request& request, RequestEnd end);
  void admit();
  void start(Request& request);
  bool may_go_on(Request& request);
  template <class Body>
  void guarded(std::span<Request* const> requests, const Body& body);
  void step_alone(Request& request);
  void reuse_beginning(Request& request);
  void read_prompt(Request& request);
  void read_together(std::span<Request* const> requests);
  std::span<float> pass(std::span<Request* const> requests, std::int64_t count);
  void choose(Request& request, std::span<float> scores);
  void remember(Request& request);

  const Model& model_;
  BatchOptions options_;
  PrefixPages prefixes_;
  Requests waiting_, running_;
  std::vector<RequestEvent> events_;
  Tensor logits_;
  std::uint64_t last_request_ = 0;
  std::int64_t reused_ = 0, read_ = 0;
};

}  // namespace trustformers
