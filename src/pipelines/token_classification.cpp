// token-classification: named entities, parts of speech; tokens alone or grouped into words and entities.
#include <algorithm>

#include "../base/utf8.h"
#include "text_batches.h"

namespace trustformers {
namespace {

enum class EntityStrategy { none, simple, first, average, max };

/// Code points of the text, so that offsets are indices.
using CodePoints = std::u32string;

std::string part_of(const CodePoints& text, std::size_t begin, std::size_t end) {
  if (begin >= text.size() || end <= begin) return {};
  return encode_utf8(std::u32string_view(text).substr(begin, end - begin));
}

/// A token with what the model says of it.
struct ScoredToken {
  std::string word;
  std::vector<float> scores;
  std::size_t begin = 0, end = 0, index = 0;
  bool continues_word = false;
};

/// A token, a word, or several of them.
struct Entity {
  std::string label, word;
  double score = 0;
  std::size_t begin = 0, end = 0;
  std::optional<std::size_t> index;  // of a token
  bool group = false;
};

std::size_t best_of(const std::vector<float>& scores) {
  return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

struct EntityOptions {
  EntityStrategy strategy = EntityStrategy::none;
  std::vector<std::string> ignore_labels = {"O"};
  std::optional<std::int64_t> stride;
  bool words = false;  // texts are lists of words
  std::string delimiter = " ";
  std::int64_t batch_size = 8;
};

/// One input: its text, the windows it was cut into, and where its words begin.
struct TaggedText {
  CodePoints text;
  std::vector<std::size_t> windows;  // into the list of all encodings
  std::vector<std::size_t> word_starts;
};

/// "B-PER": B and PER. Labels without such a head continue their kind.
std::pair<bool, std::string_view> split_label(std::string_view label) {
  const bool marked = label.starts_with("B-") || label.starts_with("I-");
  return {label.starts_with("B-"), marked ? label.substr(2) : label};
}

class TokenClassification final : public PipelineTask {
 public:
  using PipelineTask::PipelineTask;

  Json run(const PipelineCall& call) const override {
    const EntityOptions o = read(call);
    std::vector<TaggedText> documents;
    std::vector<Encoding> encodings;
    const bool list = call.inputs.is_array() && !(o.words && is_text_list(call.inputs));
    if (list)
      for (const Json& input : call.inputs.as_array()) documents.push_back(open(input, o, encodings));
    else
      documents.push_back(open(call.inputs, o, encodings));
    std::vector<std::vector<float>> logits(encodings.size());
    run_batches(parts_, encodings, o.batch_size, call.cancel,
                [&](const ModelOutput& output, const Tensor&, std::span<const BatchRow> rows) {
                  for (const BatchRow& row : rows) logits[row.index] = row.of(output.logits).to_vector<float>();
                });
    Json::Array out;
    for (const TaggedText& document : documents) out.push_back(result(document, encodings, logits, o));
    // transformers answers one text split into words with a list of one.
    return list || o.words ? Json(std::move(out)) : std::move(out[0]);
  }

 private:
  static bool is_text_list(const Json& inputs) {
    for (const Json& item : inputs.as_array())
      if (!item.is_string()) return false;
    return true;
  }

  EntityOptions read(const PipelineCall& call) const {
    CallOptions v(call.options, parts_.task);
    EntityOptions o;
    std::string strategy = "none";
    v("aggregation_strategy", strategy);
    constexpr std::string_view names[] = {"none", "simple", "first", "average", "max"};
    const auto* const at = std::find(std::begin(names), std::end(names), strategy);
    if (at == std::end(names)) v.fail_type("aggregation_strategy", "one of none, simple, first, average, max");
    o.strategy = static_cast<EntityStrategy>(at - names);
    v("ignore_labels", o.ignore_labels);
    v("stride", o.stride);
    v("is_split_into_words", o.words);
    v("delimiter", o.delimiter);
    o.batch_size = read_batch_size(v);
    v.finish();
    if (!o.stride) return o;
    const std::int64_t limit = max_length_of(tokenizer());
    check(*o.stride >= 0 && *o.stride < limit, ErrorCode::invalid_argument,
          "[token-classification] stride must lie below the tokenizer's model_max_length, ", limit, ", got ",
          *o.stride);
    check(o.strategy != EntityStrategy::none, ErrorCode::invalid_argument,
          "[token-classification] a stride needs an aggregation_strategy");
    return o;
  }

  TaggedText open(const Json& input, const EntityOptions& o, std::vector<Encoding>& encodings) const {
    EncodeOptions encode;
    if (const auto limit = tokenizer().model_max_length())
      encode.truncation = Truncation{.max_length = *limit, .stride = static_cast<std::size_t>(o.stride.value_or(0))};
    TaggedText document;
    Encoding encoding;
    if (o.words) {
      check(input.is_array() && is_text_list(input), ErrorCode::invalid_argument,
            "[token-classification] is_split_into_words needs lists of words, got ", input.type_name());
      const TextInputs words = text_inputs(input, parts_.task);
      for (std::size_t i = 0; i < words.texts.size(); ++i) {
        if (i > 0) document.text += decode_utf8(o.delimiter);
        document.word_starts.push_back(document.text.size());
        document.text += decode_utf8(words.texts[i]);
      }
      encoding = tokenizer().encode_words(words.texts, encode);
    } else {
      check(input.is_string(), ErrorCode::invalid_argument, "[token-classification] a text expected, got ",
            input.type_name());
      document.text = decode_utf8(input.as_string());
      encoding = tokenizer().encode(input.as_string(), encode);
    }
    std::vector<Encoding> rest = std::exchange(encoding.overflowing, {});
    document.windows.push_back(encodings.size());
    encodings.push_back(std::move(encoding));
    for (Encoding& window : rest) {
      if (!o.stride) break;  // what does not fit is left out
      document.windows.push_back(encodings.size());
      encodings.push_back(std::move(window));
    }
    return document;
  }

  std::vector<ScoredToken> scored(const TaggedText& document, const Encoding& encoding,
                                  std::span<const float> logits) const {
    const std::size_t labels = logits.size() / encoding.size();
    const std::string_view prefix = tokenizer().continuing_subword_prefix();
    std::vector<ScoredToken> out;
    for (std::size_t i = 0; i < encoding.size(); ++i) {
      if (encoding.special_tokens_mask[i] != 0) continue;
      ScoredToken token;
      token.index = i;
      token.scores = softmax_of(logits.subspan(i * labels, labels));
      token.word = tokenizer().id_to_token(encoding.ids[i]).value_or("");
      token.begin = encoding.offsets[i].begin;
      token.end = encoding.offsets[i].end;
      if (!document.word_starts.empty() && encoding.word_ids[i] >= 0) {
        const std::size_t start = document.word_starts[static_cast<std::size_t>(encoding.word_ids[i])];
        token.begin += start;
        token.end += start;
      }
      if (!prefix.empty()) {
        token.continues_word = decode_utf8(token.word).size() != token.end - token.begin;
      } else {
        // The tokenizer does not mark words: what no blank parts from its left neighbour is the same word.
        const CodePoints border =
            token.begin > 0 && token.begin - 1 < document.text.size() ? document.text.substr(token.begin - 1, 2) : U"";
        token.continues_word = token.begin > 0 && border.find(U' ') == CodePoints::npos;
      }
      if (encoding.ids[i] == tokenizer().special_tokens().unk) {
        token.word = part_of(document.text, token.begin, token.end);
        token.continues_word = false;
      }
      out.push_back(std::move(token));
    }
    return out;
  }

  Entity entity_of(const ScoredToken& token) const {
    const std::size_t best = best_of(token.scores);
    return {label(best), token.word, static_cast<double>(token.scores[best]), token.begin, token.end, token.index};
  }

  Entity word_of(std::span<const ScoredToken> tokens, EntityStrategy strategy) const {
    Entity out;
    std::vector<std::string> pieces;
    for (const ScoredToken& token : tokens) pieces.push_back(token.word);
    out.word = tokenizer().decode_tokens(std::move(pieces));
    std::vector<float> scores = tokens[0].scores;
    if (strategy == EntityStrategy::max) {
      const auto largest = [](const ScoredToken& t) { return t.scores[best_of(t.scores)]; };
      scores = std::max_element(tokens.begin(), tokens.end(), [&](const auto& a, const auto& b) {
                 return largest(a) < largest(b);
               })->scores;
    } else if (strategy == EntityStrategy::average) {
      for (const ScoredToken& token : tokens.subspan(1))
        for (std::size_t i = 0; i < scores.size(); ++i) scores[i] += token.scores[i];
      for (float& score : scores) score /= static_cast<float>(tokens.size());
    }
    const std::size_t best = best_of(scores);
    out.label = label(best);
    out.score = static_cast<double>(scores[best]);
    out.begin = tokens.front().begin;
    out.end = tokens.back().end;
    return out;
  }

  std::vector<Entity> words_of(std::span<const ScoredToken> tokens, EntityStrategy strategy) const {
    std::vector<Entity> out;
    for (std::size_t begin = 0, end; begin < tokens.size(); begin = end) {
      for (end = begin + 1; end < tokens.size() && tokens[end].continues_word;) ++end;
      out.push_back(word_of(tokens.subspan(begin, end - begin), strategy));
    }
    return out;
  }

  Entity group_of(std::span<const Entity> entities) const {
    Entity out;
    std::vector<std::string> words;
    for (const Entity& entity : entities) {
      out.score += entity.score;
      words.push_back(entity.word);
    }
    out.score /= static_cast<double>(entities.size());
    const std::string& first = entities.front().label;
    const std::size_t dash = first.find('-');
    out.label = dash == std::string::npos ? first : first.substr(dash + 1);
    out.word = tokenizer().decode_tokens(std::move(words));
    out.begin = entities.front().begin;
    out.end = entities.back().end;
    out.group = true;
    return out;
  }

  /// Neighbours of one kind are one entity, unless the second begins a new one.
  std::vector<Entity> grouped(const std::vector<Entity>& entities) const {
    std::vector<Entity> out;
    for (std::size_t begin = 0, end; begin < entities.size(); begin = end) {
      for (end = begin + 1; end < entities.size(); ++end) {
        const auto [begins, kind] = split_label(entities[end].label);
        if (begins || kind != split_label(entities[end - 1].label).second) break;
      }
      out.push_back(group_of(std::span(entities).subspan(begin, end - begin)));
    }
    return out;
  }

  /// Of entities of different windows that overlap, the longest; of equal ones the surer.
  static std::vector<Entity> without_overlaps(std::vector<Entity> entities) {
    std::stable_sort(entities.begin(), entities.end(),
                     [](const Entity& a, const Entity& b) { return a.begin < b.begin; });
    std::vector<Entity> out;
    for (Entity& entity : entities) {
      if (out.empty() || entity.begin < out.back().begin || entity.begin >= out.back().end) {
        out.push_back(std::move(entity));
        continue;
      }
      const std::size_t length = entity.end - entity.begin, before = out.back().end - out.back().begin;
      if (length > before || (length == before && entity.score > out.back().score)) out.back() = std::move(entity);
    }
    return out;
  }

  Json result(const TaggedText& document, const std::vector<Encoding>& encodings,
              const std::vector<std::vector<float>>& logits, const EntityOptions& o) const {
    std::vector<Entity> all;
    for (const std::size_t window : document.windows) {
      const std::vector<ScoredToken> tokens = scored(document, encodings[window], logits[window]);
      std::vector<Entity> entities;
      if (o.strategy == EntityStrategy::none || o.strategy == EntityStrategy::simple)
        for (const ScoredToken& token : tokens) entities.push_back(entity_of(token));
      else
        entities = words_of(tokens, o.strategy);
      if (o.strategy != EntityStrategy::none) entities = grouped(entities);
      for (Entity& entity : entities)
        if (std::find(o.ignore_labels.begin(), o.ignore_labels.end(), entity.label) == o.ignore_labels.end())
          all.push_back(std::move(entity));
    }
    if (document.windows.size() > 1) all = without_overlaps(std::move(all));
    Json::Array out;
    for (const Entity& entity : all) {
      Json record = Json::object();
      record.set(entity.group ? "entity_group" : "entity", entity.label);
      record.set("score", entity.score);
      if (entity.index) record.set("index", *entity.index);
      record.set("word", entity.word);
      record.set("start", entity.begin);
      record.set("end", entity.end);
      out.push_back(std::move(record));
    }
    return Json(std::move(out));
  }
};

}  // namespace

PipelineTaskPtr make_token_classification(PipelineParts parts) {
  return std::make_shared<const TokenClassification>(std::move(parts));
}

}  // namespace trustformers
