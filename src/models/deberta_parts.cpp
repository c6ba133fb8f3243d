#include "deberta_parts.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/loss/loss.h"
#include "../ops/matmul/matmul.h"
#include "../ops/norm/norm.h"
#include "../ops/reduce/reduce.h"

namespace trustformers {
namespace {

/// Without a problem_type DeBERTa has rules of its own: negative labels do not count, and labels with a column for each
/// class are the target distribution.
Tensor deberta_loss(Tensor& logits, const Tensor& labels, const CommonConfig& config, double label_smoothing) {
  if (!config.problem_type.empty()) return classification_loss(logits, labels, config, label_smoothing);
  if (config.num_labels == 1) {
    logits = reshape(logits, {-1});
    return mse_loss(logits, cast(reshape(labels, {-1}), logits.dtype()));
  }
  if (labels.rank() == 1 || labels.size(-1) == 1) {
    std::vector<std::int64_t> targets = labels.to_vector<std::int64_t>();
    if (std::all_of(targets.begin(), targets.end(), [](std::int64_t t) { return t < 0; })) return sum(logits * 0.0);
    for (std::int64_t& target : targets)
      if (target < 0) target = -100;
    return cross_entropy(logits, Tensor::from(targets, {labels.numel()}),
                         {.ignore_index = -100, .label_smoothing = label_smoothing, .mean = true});
  }
  return -mean(sum(log_softmax(logits) * cast(labels, logits.dtype()), {-1}));
}

}  // namespace

void DebertaConfig::validate(std::string_view where) const {
  EncoderConfig::validate(where);
  check_count(embedding_size, 0, "embedding_size", where);
  check(max_relative_positions < (1 << 24), ErrorCode::parse, "[config] ", where,
        ": \"max_relative_positions\" must be below 2^24, got ", max_relative_positions);
}

std::vector<std::string> DebertaConfig::position_terms() const {
  std::vector<std::string> terms;
  for (const std::string& item : pos_att_type) {
    std::string term;
    for (const char c : item + "|") {
      if (c == '|') {
        if (!term.empty()) terms.push_back(std::exchange(term, {}));
      } else if (c != ' ') {
        term += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
    }
  }
  return terms;
}

bool DebertaConfig::has_term(std::string_view term) const {
  const std::vector<std::string> terms = position_terms();
  return std::find(terms.begin(), terms.end(), term) != terms.end();
}

DebertaEmbeddings::DebertaEmbeddings(const Scope& scope, const DebertaConfig& c) {
  const std::int64_t width = c.embedding_size > 0 ? c.embedding_size : c.hidden_size;
  words_ = Embedding(scope / "word_embeddings", c.vocab_size, width, c.pad_token_id);
  if (c.position_biased_input) positions_.emplace(scope / "position_embeddings", c.max_position_embeddings, width);
  if (c.type_vocab_size > 0) types_.emplace(scope / "token_type_embeddings", c.type_vocab_size, width);
  if (width != c.hidden_size) project_.emplace(scope / "embed_proj", width, c.hidden_size, false);
  norm_ = LayerNorm(scope / "LayerNorm", c.hidden_size, c.layer_norm_eps);
}

Tensor DebertaEmbeddings::operator()(const ModelInputs& in, const Tensor& seen) const {
  Tensor x = in.inputs_embeds.defined() ? in.inputs_embeds : words_(in.input_ids);
  if (positions_) x = x + (*positions_)(positions_or_consecutive(in));
  if (types_)
    x = x + (*types_)(in.token_type_ids.defined() ? in.token_type_ids : Tensor::zeros({1, x.size(1)}, DType::i64));
  if (project_) x = (*project_)(x);
  x = norm_(x);
  return seen.defined() ? x * seen : x;
}

DebertaMask DebertaMask::of(const ModelInputs& in) {
  const Tensor token = self_key_mask(in);
  if (!token.defined()) return {};
  const Tensor in_sight = logical_and(unsqueeze(token, 2), unsqueeze(token, 1));
  const Tensor hidden = where(in_sight, Tensor::zeros({}), Tensor::full({}, -std::numeric_limits<double>::infinity()));
  return {unsqueeze(cast(token, DType::f32), 2), unsqueeze(hidden, 1)};
}

RelativeIndex relative_index(std::int64_t length, std::int64_t span, FunctionRef<std::int64_t(std::int64_t)> distance) {
  RelativeIndex out{Tensor::empty({1, 1, length, length}, DType::i64),
                    Tensor::empty({1, 1, length, length}, DType::i64)};
  std::int64_t* c2p = out.content_to_position.mutable_data<std::int64_t>();
  std::int64_t* p2c = out.position_to_content.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < length; ++i)
    for (std::int64_t j = 0; j < length; ++j) {
      const std::int64_t d = distance(i - j);
      c2p[i * length + j] = std::clamp<std::int64_t>(d + span, 0, 2 * span - 1);
      p2c[i * length + j] = std::clamp<std::int64_t>(span - d, 0, 2 * span - 1);
    }
  return out;
}

Tensor disentangled_scores(const Tensor& q, const Tensor& k, const Tensor& position_keys,
                           const Tensor& position_queries, const RelativeIndex& index) {
  const Shape shape = {q.size(0), q.size(1), q.size(2), k.size(2)};
  const auto looked_up = [&](const Tensor& content, const Tensor& table, const Tensor& rows) {
    return gather(matmul(content, transpose(table, 2, 3)), 3, expand(rows, shape));
  };
  Tensor scores;
  if (position_keys.defined()) scores = looked_up(q, position_keys, index.content_to_position);
  if (position_queries.defined()) {
    const Tensor other = transpose(looked_up(k, position_queries, index.position_to_content), 2, 3);
    scores = scores.defined() ? scores + other : other;
  }
  return scores;
}

Tensor disentangled_attention(const Tensor& q, const Tensor& k, const Tensor& v, double scale, const Tensor& bias,
                              const DebertaMask& mask) {
  const Tensor masked = !mask.hidden.defined() ? bias : bias.defined() ? bias + mask.hidden : mask.hidden;
  return merge_heads(attention(q, k, v, {.scale = scale}, Tensor(), masked));
}

DebertaSelfOutput::DebertaSelfOutput(const Scope& scope, const DebertaConfig& c)
    : dense_(scope / "dense", c.hidden_size, c.hidden_size),
      norm_(scope / "LayerNorm", c.hidden_size, c.layer_norm_eps) {}

Tensor DebertaSelfOutput::operator()(const Tensor& context, const Tensor& x) const {
  return norm_(dense_(context) + x);
}

std::unique_ptr<Model> make_deberta(const DebertaConfig& c, const Json& json, std::string_view where, const Scope& root,
                                    Task task, const EncoderModel::MakeBody& make_body) {
  CommonConfig common = CommonConfig::parse(json, where, true);
  if (c.position_biased_input) {
    common.max_position_embeddings = c.max_position_embeddings;
    common.learned_positions = true;
  }
  // Published files mostly have the newer head and a config that says nothing of it.
  const bool legacy = c.legacy.value_or(!root.stored("lm_predictions.lm_head.dense.weight"));
  const TransformSpec pooler{.dense = "pooler.dense",
                             .activation = ActivationFunction::parse(c.pooler_hidden_act, "pooler_hidden_act")};
  EncoderHeads heads{.body = "deberta",
                     .lm = {.dense = "cls.predictions.transform.dense",
                            .activation = c.activation(),
                            .norm = "cls.predictions.transform.LayerNorm",
                            .outputs = c.embedding_size,
                            .eps = c.layer_norm_eps},
                     .lm_decoder = "cls.predictions.decoder",
                     .lm_bias = "cls.predictions.bias",
                     .lm_untied_bias = "cls.predictions.decoder.bias",
                     .sentence = SentenceVector::first,
                     .sentence_transform = pooler,
                     .sentence_loss = deberta_loss,
                     .choice = SentenceVector::first,
                     .choice_transform = pooler};
  if (!legacy) {
    common.tie_word_embeddings = true;  // this head has no matrix of its own
    heads.lm = {.dense = "lm_predictions.lm_head.dense",
                .activation = c.activation(),
                .norm = "lm_predictions.lm_head.LayerNorm",
                .eps = c.layer_norm_eps};
    heads.lm_bias = "lm_predictions.lm_head.bias";
  }
  root.parameters().ignore({"*position_ids", "*position_embeddings.*", "cls.*", "lm_predictions.*",
                            "mask_predictions.*", "pooler.*", "classifier.*"});
  return std::make_unique<EncoderModel>(std::move(common), root, task, heads, make_body);
}

}  // namespace trustformers
