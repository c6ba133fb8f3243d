// question-answering: the part of a context that answers a question. transformers 5 has dropped the task; results are
// those of its version 4.
#include <algorithm>
#include <utility>

#include "../base/utf8.h"
#include "../tokenizers/unicode.h"
#include "text_batches.h"

namespace trustformers {
namespace {

struct AnswerOptions {
  std::int64_t top_k = 1, max_answer_len = 15;
  std::optional<std::int64_t> max_seq_len, doc_stride;
  bool handle_impossible_answer = false, align_to_words = true;
  std::int64_t batch_size = 8;
};

struct QuestionAndContext {
  std::string question, context;
  std::u32string code_points;        // of the context
  std::vector<std::size_t> windows;  // into the list of all encodings
};

struct AnswerSpan {
  std::size_t first, last;  // tokens
  float score;
};

struct Answer {
  double score = 0;
  std::size_t begin = 0, end = 0;  // code points of the context
  std::string text;
  std::u32string folded;  // in lower case
};

/// A softmax over the tokens that may be part of an answer; the first token, which stands for "no answer", gives its
/// share out and has none.
std::vector<float> shares(std::span<const float> logits, const std::vector<bool>& allowed, float& none) {
  std::vector<float> out(logits.begin(), logits.end());
  for (std::size_t i = 0; i < out.size(); ++i)
    if (!allowed[i]) out[i] = -10000;
  out = softmax_of(out);
  none = std::exchange(out[0], 0.0F);
  return out;
}

/// The `count` likeliest spans of at most `longest` tokens.
std::vector<AnswerSpan> best_spans(const std::vector<float>& starts, const std::vector<float>& ends,
                                   const std::vector<bool>& allowed, std::size_t count, std::size_t longest) {
  std::vector<AnswerSpan> spans;
  for (std::size_t s = 0; s < starts.size(); ++s)
    for (std::size_t e = s; e < std::min(ends.size(), s + longest); ++e)
      if (allowed[s] && allowed[e]) spans.push_back({s, e, starts[s] * ends[e]});
  count = std::min(count, spans.size());
  std::partial_sort(spans.begin(), spans.begin() + static_cast<std::ptrdiff_t>(count), spans.end(),
                    [](const AnswerSpan& a, const AnswerSpan& b) {
                      return a.score > b.score ||
                             (a.score == b.score && std::pair(a.first, a.last) < std::pair(b.first, b.last));
                    });
  spans.resize(count);
  return spans;
}

class QuestionAnswering final : public PipelineTask {
 public:
  using PipelineTask::PipelineTask;

  Json run(const PipelineCall& call) const override {
    const AnswerOptions o = read(call);
    std::vector<QuestionAndContext> examples;
    const bool list = read_examples(call.inputs, examples) && examples.size() != 1;
    std::vector<Encoding> encodings;
    for (QuestionAndContext& example : examples) open(example, o, encodings);
    std::vector<std::vector<float>> starts(encodings.size()), ends(encodings.size());
    run_batches(parts_, encodings, o.batch_size, call.cancel,
                [&](const ModelOutput& output, const Tensor&, std::span<const BatchRow> rows) {
                  for (const BatchRow& row : rows) {
                    starts[row.index] = row.of(output.start_logits).to_vector<float>();
                    ends[row.index] = row.of(output.end_logits).to_vector<float>();
                  }
                });
    Json::Array out;
    for (const QuestionAndContext& example : examples) out.push_back(result(example, encodings, starts, ends, o));
    return list ? Json(std::move(out)) : std::move(out[0]);
  }

 private:
  AnswerOptions read(const PipelineCall& call) const {
    CallOptions v(call.options, parts_.task);
    AnswerOptions o;
    v.at_least(1, "topk", o.top_k);  // the older spelling
    v.at_least(1, "top_k", o.top_k);
    v.at_least(1, "max_answer_len", o.max_answer_len);
    v("max_seq_len", o.max_seq_len);
    v("doc_stride", o.doc_stride);
    v("handle_impossible_answer", o.handle_impossible_answer);
    v("align_to_words", o.align_to_words);
    o.batch_size = read_batch_size(v);
    v.finish();
    return o;
  }

  static void add_example(const Json& question, const Json& context, std::vector<QuestionAndContext>& out) {
    check(question.is_string() && context.is_string(), ErrorCode::invalid_argument,
          "[question-answering] question and context must be texts, got ", question.type_name(), " and ",
          context.type_name());
    check(!question.as_string().empty() && !context.as_string().empty(), ErrorCode::invalid_argument,
          "[question-answering] question and context must not be empty");
    out.push_back({question.as_string(), context.as_string(), decode_utf8(context.as_string()), {}});
  }

  /// {"question", "context"}, where both may be lists, or a list of such. True for lists.
  static bool read_examples(const Json& inputs, std::vector<QuestionAndContext>& out) {
    if (inputs.is_array()) {
      for (const Json& item : inputs.as_array()) read_examples(item, out);
      check(!out.empty(), ErrorCode::invalid_argument, "[question-answering] there is no question");
      return true;
    }
    const Json* question = inputs.find("question");
    const Json* context = inputs.find("context");
    check(question && context, ErrorCode::invalid_argument,
          "[question-answering] {\"question\", \"context\"} or a list of them expected, got ", inputs.type_name());
    if (!question->is_array()) {
      add_example(*question, *context, out);
      return false;
    }
    check(!context->is_array() || context->size() == question->size(), ErrorCode::invalid_argument,
          "[question-answering] ", question->size(), " questions for ", context->size(), " contexts");
    for (std::size_t i = 0; i < question->size(); ++i)
      add_example(question->as_array()[i], context->is_array() ? context->as_array()[i] : *context, out);
    check(!out.empty(), ErrorCode::invalid_argument, "[question-answering] there is no question");
    return true;
  }

  /// Models that are padded on the left read the context first.
  bool question_first() const { return tokenizer().padding().direction == Side::right; }

  void open(QuestionAndContext& example, const AnswerOptions& o, std::vector<Encoding>& encodings) const {
    const std::int64_t limit =
        std::min<std::int64_t>(384, static_cast<std::int64_t>(tokenizer().model_max_length().value_or(384)));
    const std::int64_t length = o.max_seq_len.value_or(limit);
    const std::int64_t stride = o.doc_stride.value_or(std::min<std::int64_t>(length / 2, 128));
    check(length >= 1 && stride >= 0 && stride <= length, ErrorCode::invalid_argument,
          "[question-answering] doc_stride must lie in [0, max_seq_len], got ", stride, " and ", length);
    EncodeOptions options;
    options.truncation =
        Truncation{.max_length = static_cast<std::size_t>(length),
                   .stride = static_cast<std::size_t>(stride),
                   .strategy = question_first() ? TruncationStrategy::only_second : TruncationStrategy::only_first};
    const EncodeInput input = question_first() ? EncodeInput(example.question, example.context)
                                               : EncodeInput(example.context, example.question);
    Encoding encoding = tokenizer().encode(input, options);
    std::vector<Encoding> rest = std::exchange(encoding.overflowing, {});
    rest.insert(rest.begin(), std::move(encoding));
    for (Encoding& window : rest) {
      example.windows.push_back(encodings.size());
      encodings.push_back(std::move(window));
    }
  }

  std::vector<bool> allowed_tokens(const Encoding& encoding) const {
    std::vector<bool> out;
    const std::int32_t context = question_first() ? 1 : 0;
    for (std::size_t i = 0; i < encoding.size(); ++i)
      out.push_back(encoding.sequence_ids[i] == context || encoding.ids[i] == tokenizer().special_tokens().cls);
    return out;
  }

  /// The code points that tokens stand for, widened to the words they are part of when that is wanted and possible.
  std::pair<std::size_t, std::size_t> place_of(const Encoding& encoding, const AnswerSpan& span, bool align) const {
    std::size_t begin = encoding.offsets[span.first].begin, end = encoding.offsets[span.last].end;
    const std::int32_t first = encoding.word_ids[span.first], last = encoding.word_ids[span.last];
    if (!align || first < 0 || last < 0) return {begin, end};
    const std::int32_t context = question_first() ? 1 : 0;
    bool opened = false;
    for (std::size_t i = 0; i < encoding.size(); ++i) {
      if (encoding.sequence_ids[i] != context) continue;
      if (encoding.word_ids[i] == first && !std::exchange(opened, true)) begin = encoding.offsets[i].begin;
      if (encoding.word_ids[i] == last) end = encoding.offsets[i].end;
    }
    return {begin, end};
  }

  Json result(const QuestionAndContext& example, const std::vector<Encoding>& encodings,
              const std::vector<std::vector<float>>& starts, const std::vector<std::vector<float>>& ends,
              const AnswerOptions& o) const {
    double no_answer = 1000000;
    std::vector<Answer> answers;
    for (const std::size_t window : example.windows) {
      const Encoding& encoding = encodings[window];
      const std::vector<bool> allowed = allowed_tokens(encoding);
      float none_starts = 0, none_ends = 0;
      const std::vector<float> s = shares(starts[window], allowed, none_starts);
      const std::vector<float> e = shares(ends[window], allowed, none_ends);
      no_answer = std::min(no_answer, static_cast<double>(none_starts * none_ends));
      // Some spans become one when they are widened to words.
      const std::int64_t count = o.align_to_words ? o.top_k * 2 + 10 : o.top_k;
      for (const AnswerSpan& span :
           best_spans(s, e, allowed, static_cast<std::size_t>(count), static_cast<std::size_t>(o.max_answer_len)))
        add(example, place_of(encoding, span, o.align_to_words), static_cast<double>(span.score), answers);
    }
    if (o.handle_impossible_answer) answers.push_back({no_answer, 0, 0, {}, {}});
    std::stable_sort(answers.begin(), answers.end(),
                     [](const Answer& a, const Answer& b) { return a.score > b.score; });
    if (answers.size() > static_cast<std::size_t>(o.top_k)) answers.resize(static_cast<std::size_t>(o.top_k));
    Json::Array out;
    for (const Answer& answer : answers) {
      Json record = Json::object();
      record.set("score", answer.score);
      record.set("start", answer.begin);
      record.set("end", answer.end);
      record.set("answer", answer.text);
      out.push_back(std::move(record));
    }
    return out.size() == 1 ? std::move(out[0]) : Json(std::move(out));
  }

  /// Spans with the same text, but for case, are one answer.
  static void add(const QuestionAndContext& example, std::pair<std::size_t, std::size_t> place, double score,
                  std::vector<Answer>& answers) {
    const auto [begin, end] = place;
    Answer answer{score, begin, end, {}, {}};
    if (begin < end) answer.text = encode_utf8(std::u32string_view(example.code_points).substr(begin, end - begin));
    for (const char32_t c : decode_utf8(answer.text)) unicode::append_lowercase(answer.folded, c);
    for (Answer& other : answers)
      if (other.folded == answer.folded) {
        other.score += score;
        return;
      }
    answers.push_back(std::move(answer));
  }
};

}  // namespace

PipelineTaskPtr make_question_answering(PipelineParts parts) {
  return std::make_shared<const QuestionAnswering>(std::move(parts));
}

}  // namespace trustformers
