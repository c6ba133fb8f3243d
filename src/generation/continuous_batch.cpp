#include "continuous_batch.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "../nn/attention.h"
#include "../tensor/op.h"
#include "generation_steps.h"
#include "prompt.h"

namespace trustformers {

struct ContinuousBatch::Request {
  std::uint64_t number = 0;
  ModelInputs inputs;  // as given, until it starts
  GenerationConfig config;
  CancelToken cancel;
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  bool started = false, ended = false;

  // Among others.
  ModelInputs context;  // an encoder's states
  std::vector<std::int64_t> ids, source;
  std::size_t prompt_length = 0;
  std::int64_t limit = 0;  // new tokens at most
  CachedText text;
  std::size_t known_pages = 0;  // that other requests can find
  std::optional<TokenChooser> chooser;

  // On its own.
  std::unique_ptr<GenerationSteps> steps;

  std::int64_t unread() const { return static_cast<std::int64_t>(ids.size()) - text.length; }
  std::int64_t generated() const { return static_cast<std::int64_t>(ids.size() - prompt_length); }
  bool has_encoder() const { return context.encoder_hidden_states.defined(); }
};

namespace {

bool decodes_by_token(const GenerationConfig& c) {
  return c.num_beams == 1 && c.guidance_scale == 1 && !is_speculative(c) && !c.penalty_alpha;
}

}  // namespace

ContinuousBatch::ContinuousBatch(const Model& model, const BatchOptions& options)
    : model_(model), options_(options), prefixes_(options.kept_tokens / CachePage::length) {
  check(model.can_generate(), ErrorCode::unsupported, "[generate] ", model.class_name(), " does not generate text");
  check(options.max_running > 0 && options.prompt_piece >= 0 && options.kept_tokens >= 0, ErrorCode::invalid_argument,
        "[continuous_batch] max_running must be positive, prompt_piece and kept_tokens not negative, got ",
        options.max_running, ", ", options.prompt_piece, " and ", options.kept_tokens);
}

ContinuousBatch::~ContinuousBatch() = default;

std::uint64_t ContinuousBatch::add(std::span<const std::int64_t> prompt, GenerationConfig config, CancelToken cancel) {
  const auto length = static_cast<std::int64_t>(prompt.size());
  return add({.input_ids = Tensor::from(std::vector<std::int64_t>(prompt.begin(), prompt.end()), {1, length})},
             std::move(config), std::move(cancel));
}

std::uint64_t ContinuousBatch::add(const ModelInputs& inputs, GenerationConfig config, CancelToken cancel) {
  config.validate();
  check(config.num_return_sequences == 1, ErrorCode::unsupported,
        "[continuous_batch] a request gives one text, num_return_sequences is ", config.num_return_sequences);
  const Tensor& first = inputs.input_ids.defined() ? inputs.input_ids : inputs.encoder_hidden_states;
  check(first.defined() && first.rank() >= 2 && first.size(0) == 1 && first.size(1) > 0, ErrorCode::shape_mismatch,
        "[continuous_batch] input_ids must be [1, L], got ", first.defined() ? str(describe(first)) : "nothing");
  auto request = std::make_unique<Request>();
  request->number = ++last_request_;
  request->inputs = inputs;
  request->config = std::move(config);
  request->cancel = std::move(cancel);
  waiting_.push_back(std::move(request));
  return last_request_;
}

bool ContinuousBatch::cancel(std::uint64_t number) {
  for (const Requests* list : {&running_, &waiting_})
    for (const auto& request : *list)
      if (request->number == number) {
        request->cancel.cancel();
        return true;
      }
  return false;
}

void ContinuousBatch::end(Request& request, RequestEnd end) {
  request.ended = true;
  if (!events_.empty() && events_.back().request == request.number && !events_.back().end) {
    events_.back().end = end;
    return;
  }
  events_.push_back({request.number, std::nullopt, end, std::nullopt});
}

/// Runs `body` for requests; what it throws ends them, and nobody else.
template <class Body>
void ContinuousBatch::guarded(std::span<Request* const> requests, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    for (Request* request : requests) {
      if (request->ended) continue;
      end(*request, error.code() == ErrorCode::cancelled ? RequestEnd::cancelled : RequestEnd::failed);
      if (error.code() == ErrorCode::cancelled) continue;
      events_.back().error = error;
    }
  }
}

/// False when the request's time is over or somebody cancelled it; it has ended then.
bool ContinuousBatch::may_go_on(Request& request) {
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - request.since;
  if (request.cancel.cancelled()) {
    end(request, RequestEnd::cancelled);
  } else if (request.config.max_time > 0 && seconds.count() >= request.config.max_time) {
    end(request, RequestEnd::time);
  }
  return !request.ended;
}

void ContinuousBatch::start(Request& request) {
  const GenerationConfig& config = request.config;
  if (!model_.common().mixes_lengths || !config.use_cache || !decodes_by_token(config)) {
    request.steps = std::make_unique<GenerationSteps>(model_, request.inputs, config, request.cancel);
    return;
  }
  Prompt prompt = make_prompt(model_, request.inputs, config);
  request.inputs = {};
  // Without padding, what an encoder reads aside: a text of the batch is nobody's neighbour.
  for (std::size_t i = 0; i < prompt.ids.size(); ++i)
    if (prompt.mask.empty() || prompt.mask[i] != 0) request.ids.push_back(prompt.ids[i]);
  request.prompt_length = request.ids.size();
  prompt.ids = request.ids;
  prompt.mask.clear();
  prompt.length = static_cast<std::int64_t>(request.ids.size());
  request.source = prompt.sources[0];
  const std::int64_t wanted = wanted_tokens(config, prompt.length);
  const DecodingBatch text(model_, prompt, nullptr);  // knows the limits of a context
  request.limit = text.room(wanted);
  request.context.encoder_hidden_states = prompt.context.encoder_hidden_states;
  request.context.encoder_attention_mask = prompt.context.encoder_attention_mask;
  if (model_.is_encoder_decoder()) request.context.attention_mask = prompt.context.attention_mask;
  request.chooser.emplace(config, request.prompt_length,
                          request.prompt_length + static_cast<std::size_t>(request.limit));
}

void ContinuousBatch::admit() {
  // Who waits may lose patience.
  for (const auto& request : waiting_) may_go_on(*request);
  std::erase_if(waiting_, [](const auto& request) { return request->ended; });
  while (!waiting_.empty() && static_cast<std::int64_t>(running_.size()) < options_.max_running)
    running_.splice(running_.end(), waiting_, waiting_.begin());
}

std::span<const RequestEvent> ContinuousBatch::step() {
  const NoGrad quiet;
  events_.clear();
  admit();
  std::vector<Request*> plain, with_encoder;
  for (const auto& owned : running_) {
    Request& request = *owned;
    if (!may_go_on(request)) continue;
    Request* const self = &request;
    const std::span<Request* const> alone(&self, 1);
    if (!std::exchange(request.started, true)) guarded(alone, [&] { start(request); });
    if (request.ended) continue;
    if (request.steps) {
      guarded(alone, [&] { step_alone(request); });
    } else if (request.limit == 0) {
      end(request, RequestEnd::length);
    } else if (request.unread() > 1 || request.text.length == 0) {
      guarded(alone, [&] { read_prompt(request); });
    } else {
      (request.has_encoder() ? with_encoder : plain).push_back(self);
    }
  }
  for (const auto& together : {plain, with_encoder})
    if (!together.empty()) guarded(together, [&] { read_together(together); });
  if (std::erase_if(running_, [](const auto& request) { return request->ended; }) > 0) prefixes_.sweep();
  std::sort(events_.begin(), events_.end(),
            [](const RequestEvent& a, const RequestEvent& b) { return a.request < b.request; });
  return events_;
}

void ContinuousBatch::step_alone(Request& request) {
  const std::span<const std::int64_t> tokens = request.steps->step();
  const auto is_last = [&](std::int64_t token) {
    const auto& eos = request.config.eos_token_id;
    return std::find(eos.begin(), eos.end(), token) != eos.end();
  };
  if (tokens.empty()) {
    end(request, RequestEnd::length);
    return;
  }
  events_.push_back({request.number, tokens[0], std::nullopt, std::nullopt});
  if (is_last(tokens[0])) end(request, RequestEnd::end_token);
}

/// Scores [n, V] of what follows the next `count` tokens of each request.
std::span<float> ContinuousBatch::pass(std::span<Request* const> requests, std::int64_t count) {
  const auto rows = static_cast<std::int64_t>(requests.size());
  const bool decoder = model_.is_encoder_decoder();
  ModelInputs inputs = requests[0]->context;  // later passes read an encoder's keys from the cache
  if (rows > 1) inputs.attention_mask = inputs.encoder_attention_mask = Tensor();
  Tensor ids = Tensor::empty({rows, count}, DType::i64), positions = Tensor::empty({rows, count}, DType::i64);
  std::vector<CachedText*> texts;
  std::int64_t longest = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    Request& request = *requests[static_cast<std::size_t>(row)];
    std::copy_n(request.ids.data() + request.text.length, count, ids.mutable_data<std::int64_t>() + row * count);
    for (std::int64_t i = 0; i < count; ++i)
      positions.mutable_data<std::int64_t>()[row * count + i] = request.text.length + i;
    texts.push_back(&request.text);
    longest = std::max(longest, request.text.length);
  }
  PagedPass cache(std::move(texts));
  (decoder ? inputs.decoder_input_ids : inputs.input_ids) = ids;
  if (!decoder) inputs.position_ids = positions;
  if (!cache.lengths().empty()) {
    // Texts of different lengths look to the model as texts padded on the left.
    const std::int64_t columns = longest + count;
    Tensor mask = Tensor::empty({rows, columns}, DType::u8);
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t padding = longest - requests[static_cast<std::size_t>(row)]->text.length;
      std::uint8_t* to = mask.mutable_data<std::uint8_t>() + row * columns;
      std::fill_n(to, padding, std::uint8_t{0});
      std::fill_n(to + padding, columns - padding, std::uint8_t{1});
    }
    (decoder ? inputs.decoder_attention_mask : inputs.attention_mask) = mask;
  }
  inputs.cache = &cache;
  inputs.logits_to_keep = 1;
  logits_ = model_.forward(inputs).logits;
  cache.finish(count);
  read_ += rows * count;
  return {logits_.mutable_data<float>(), static_cast<std::size_t>(logits_.numel())};
}

/// Takes the pages of the prompt's beginning that somebody has read.
void ContinuousBatch::reuse_beginning(Request& request) {
  if (request.text.length > 0 || request.has_encoder()) return;
  // The last token must be read: its scores choose the next one.
  request.text.pages = prefixes_.find(std::span(request.ids).first(request.prompt_length - 1));
  request.known_pages = request.text.pages.size();
  request.text.length = static_cast<std::int64_t>(request.known_pages) * CachePage::length;
  reused_ += request.text.length;
}

/// The next piece of a prompt, and the first token after the last one.
void ContinuousBatch::read_prompt(Request& request) {
  reuse_beginning(request);
  const std::int64_t piece = options_.prompt_piece > 0 ? options_.prompt_piece : request.unread();
  Request* const self = &request;
  const std::span<float> scores = pass({&self, 1}, std::min(piece, request.unread()));
  remember(request);
  if (request.unread() == 0) choose(request, scores);
}

void ContinuousBatch::read_together(std::span<Request* const> requests) {
  const std::span<float> scores = pass(requests, 1);
  const std::size_t width = scores.size() / requests.size();
  for (std::size_t row = 0; row < requests.size(); ++row) {
    Request* const request = requests[row];
    remember(*request);
    guarded({&request, 1}, [&] { choose(*request, scores.subspan(row * width, width)); });
  }
}

void ContinuousBatch::choose(Request& request, std::span<float> scores) {
  RowState state;
  state.ids = request.ids;
  state.prompt_length = request.prompt_length;
  state.source = request.source;
  state.seed = request.config.seed;
  const std::int64_t token = request.chooser->choose(state, scores);
  request.ids.push_back(token);
  events_.push_back({request.number, token, std::nullopt, std::nullopt});
  const auto& eos = request.config.eos_token_id;
  state.ids = request.ids;
  if (std::find(eos.begin(), eos.end(), token) != eos.end()) {
    end(request, RequestEnd::end_token);
  } else if (any_stops(request.config, state)) {
    end(request, RequestEnd::stopped);
  } else if (request.generated() >= request.limit) {
    end(request, RequestEnd::length);
  }
}

/// Lets other requests find the pages that are full now.
void ContinuousBatch::remember(Request& request) {
  if (request.has_encoder()) return;  // its keys depend on more than its tokens
  const auto full = static_cast<std::size_t>(request.text.length / CachePage::length);
  if (full == request.known_pages) return;
  request.known_pages = full;
  prefixes_.add(std::span(request.ids).first(full * CachePage::length), request.text.pages);
}

std::int64_t ContinuousBatch::cache_bytes() const {
  std::set<const CachePage*> seen;
  std::int64_t sum = prefixes_.unused_bytes();
  for (const auto& request : running_) {
    for (const auto& page : request->text.pages)
      if (seen.insert(page.get()).second) sum += page->bytes();
    for (const auto& fixed : request->text.fixed)
      for (const Tensor* t : {&fixed.kept.keys, &fixed.kept.values})
        if (t->defined()) sum += byte_size(t->dtype(), t->numel());
  }
  return sum;
}

}  // namespace trustformers
