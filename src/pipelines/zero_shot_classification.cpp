// zero-shot-classification: a model of entailment says which of the caller's labels follow from a text (Yin et al.
// 2019, arXiv:1909.00161).
#include <algorithm>
#include <cmath>

#include "text_batches.h"

namespace trustformers {
namespace {

std::string trimmed_label(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\r\f\v";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(blanks) + 1 - begin));
}

/// A text with commas is a list.
std::vector<std::string> read_candidate_labels(CallOptions& v) {
  const Json* given = v.find("candidate_labels");
  std::vector<std::string> labels;
  if (given && given->is_string()) {
    std::string_view rest = given->as_string();
    for (bool more = true; more;) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (std::string label = trimmed_label(rest.substr(0, comma)); !label.empty()) labels.push_back(std::move(label));
      more = comma < rest.size();
      if (more) rest.remove_prefix(comma + 1);
    }
  } else {
    v("candidate_labels", labels);
  }
  check(!labels.empty(), ErrorCode::invalid_argument, "[zero-shot-classification] needs candidate_labels");
  return labels;
}

/// "This example is {}." with the label in it: {} and {0} are places, {{ and }} are braces.
std::string hypothesis(std::string_view pattern, const std::string& label) {
  std::string out;
  bool used = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view rest = pattern.substr(i);
    if (rest.starts_with("{{") || rest.starts_with("}}")) {
      out += rest[0];
      ++i;
    } else if (rest.starts_with("{}") || rest.starts_with("{0}")) {
      out += label;
      i += rest[1] == '}' ? 1 : 2;
      used = true;
    } else {
      check(rest[0] != '{' && rest[0] != '}', ErrorCode::invalid_argument,
            "[zero-shot-classification] a brace of the hypothesis_template \"", pattern,
            "\" is neither {} nor doubled");
      out += rest[0];
    }
  }
  check(used, ErrorCode::invalid_argument, "[zero-shot-classification] the hypothesis_template \"", pattern,
        "\" has no {} where the label goes");
  return out;
}

class ZeroShotClassification final : public PipelineTask {
 public:
  explicit ZeroShotClassification(PipelineParts parts) : PipelineTask(std::move(parts)) {
    const auto labels = static_cast<std::size_t>(model().common().num_labels);
    entailment_ = labels - 1;  // as transformers: the last, where no label says it
    for (std::size_t i = labels; i-- > 0;) {
      std::string name = label(i);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      if (name.starts_with("entail")) {
        entailment_ = i;
        contradiction_ = i == 0 ? labels - 1 : 0;
      }
    }
  }

  Json run(const PipelineCall& call) const override {
    CallOptions v(call.options, parts_.task);
    const std::vector<std::string> labels = read_candidate_labels(v);
    std::string pattern = "This example is {}.";
    v("hypothesis_template", pattern);
    bool multi_label = false;
    v("multi_label", multi_label);
    const std::int64_t batch_size = read_batch_size(v);
    v.finish();
    const TextInputs inputs = text_inputs(call.inputs, parts_.task);
    std::vector<Encoding> encodings;
    for (const std::string& text : inputs.texts)
      for (const std::string& label : labels) encodings.push_back(encode_pair(text, hypothesis(pattern, label)));
    std::vector<std::vector<float>> logits(encodings.size());
    run_batches(parts_, encodings, batch_size, call.cancel,
                [&](const ModelOutput& output, const Tensor&, std::span<const BatchRow> rows) {
                  const auto all = output.logits.to_vector<float>();
                  const auto width = static_cast<std::ptrdiff_t>(all.size() / rows.size());
                  for (const BatchRow& row : rows)
                    logits[row.index].assign(all.data() + row.row * width, all.data() + (row.row + 1) * width);
                });
    Json::Array out;
    for (std::size_t i = 0; i < inputs.texts.size(); ++i)
      out.push_back(result(inputs.texts[i], labels, std::span(logits).subspan(i * labels.size(), labels.size()),
                           multi_label || labels.size() == 1));
    return inputs.list ? Json(std::move(out)) : std::move(out[0]);
  }

 private:
  /// Only the text may be cut, never the label. One that is too short to be cut stays as it is.
  Encoding encode_pair(const std::string& text, const std::string& claim) const {
    EncodeOptions options;
    const EncodeInput pair(text, claim);
    if (const auto limit = tokenizer().model_max_length()) {
      options.truncation = Truncation{.max_length = *limit, .strategy = TruncationStrategy::only_first};
      try {
        return tokenizer().encode(pair, options);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::invalid_argument) throw;
        options.truncation.reset();
      }
    }
    return tokenizer().encode(pair, options);
  }

  /// Each label on its own against contradiction, or all against each other.
  std::vector<float> scores(std::span<const std::vector<float>> logits, bool independent) const {
    std::vector<float> out;
    for (const auto& row : logits) {
      const float entails[] = {row[contradiction_], row[entailment_]};
      out.push_back(independent ? softmax_of(entails)[1] : row[entailment_]);
    }
    return independent ? out : softmax_of(out);
  }

  Json result(const std::string& text, const std::vector<std::string>& labels,
              std::span<const std::vector<float>> logits, bool independent) const {
    const std::vector<float> values = scores(logits, independent);
    std::vector<std::size_t> order(labels.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = order.size() - 1 - i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
    Json::Array names, numbers;
    for (const std::size_t i : order) {
      names.push_back(Json(labels[i]));
      numbers.push_back(Json(static_cast<double>(values[i])));
    }
    Json out = Json::object();
    out.set("sequence", text);
    out.set("labels", Json(std::move(names)));
    out.set("scores", Json(std::move(numbers)));
    return out;
  }

  std::size_t entailment_ = 0, contradiction_ = 0;
};

}  // namespace

PipelineTaskPtr make_zero_shot_classification(PipelineParts parts) {
  return std::make_shared<const ZeroShotClassification>(std::move(parts));
}

}  // namespace trustformers
