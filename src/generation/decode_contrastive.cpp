#include <algorithm>
#include <cmath>

#include "../ops/shape/shape_ops.h"
#include "processor_list.h"
#include "processors/score_math.h"
#include "sampler.h"
#include "strategies.h"

namespace trustformers {
namespace {

/// The hidden states of a text as unit vectors, one after the other.
using Directions = std::vector<float>;

void add_direction(Directions& list, std::span<const float> state) {
  double norm = 0;
  for (const float x : state) norm += static_cast<double>(x) * x;
  norm = std::sqrt(std::max(norm, 1e-24));
  for (const float x : state) list.push_back(static_cast<float>(x / norm));
}

/// The largest cosine between the state and any of the text.
double likeness(const Directions& text, std::span<const float> state) {
  Directions unit;
  add_direction(unit, state);
  double best = -1;
  for (std::size_t at = 0; at < text.size(); at += unit.size()) {
    double dot = 0;
    for (std::size_t i = 0; i < unit.size(); ++i) dot += static_cast<double>(text[at + i]) * unit[i];
    best = std::max(best, dot);
  }
  return best;
}

class Contrastive {
 public:
  Contrastive(DecodingBatch& batch, const DecodeRequest& request)
      : batch_(batch), request_(request), config_(request.config), rows_(static_cast<std::size_t>(batch.batch())) {
    const auto length = static_cast<std::size_t>(batch.prompt_length());
    processors_ = make_logits_processors(config_, length, length + static_cast<std::size_t>(request.limit));
    batch.keep_hidden_states();
  }

  GenerateStats run() {
    GenerateStats stats;
    std::vector<std::uint8_t> ended(rows_, 0);
    read(batch_.scores());
    texts_.resize(rows_);
    for (std::size_t row = 0; row < rows_; ++row)
      for (std::size_t at = batch_.state(row, 0).padding; at < columns_; ++at)
        add_direction(texts_[row], hidden(row, at));
    while (stats.new_tokens < request_.limit && request_.may_go_on()) {
      propose();
      const std::vector<std::int64_t> chosen = choose(ended);
      bool open = false;
      for (std::size_t row = 0; row < rows_; ++row) {
        ended[row] = ended[row] || request_.ends(chosen[row]) || request_.stops(batch_.state(row, config_.seed + row));
        open = open || !ended[row];
      }
      if (++stats.new_tokens == 1) stats.prefill_seconds = request_.seconds();
      if (!open || (request_.on_tokens && !request_.on_tokens(chosen))) break;
    }
    stats.decode_seconds = request_.seconds() - stats.prefill_seconds;
    return stats;
  }

 private:
  /// Keeps what a pass gave: scores of the last column and the hidden states of the columns that were read.
  void read(std::span<const float> scores) {
    scores_.assign(scores.begin(), scores.end());
    const Tensor states = contiguous(batch_.hidden_states());
    columns_ = static_cast<std::size_t>(states.size(1));
    width_ = static_cast<std::size_t>(states.size(2));
    hidden_ = states.to_vector<float>();
  }
  std::span<const float> hidden(std::size_t row, std::size_t column) const {
    return std::span(hidden_).subspan((row * columns_ + column) * width_, width_);
  }

  /// The top_k likeliest tokens of each row, and their probabilities.
  void propose() {
    const auto vocabulary = static_cast<std::size_t>(batch_.vocabulary());
    const auto k = std::min(static_cast<std::size_t>(config_.top_k), vocabulary);
    candidates_.clear();
    probabilities_.clear();
    std::vector<std::int64_t> order(vocabulary);
    for (std::size_t row = 0; row < rows_; ++row) {
      const std::span<float> scores = std::span(scores_).subspan(row * vocabulary, vocabulary);
      const RowState state = batch_.state(row, config_.seed + row);
      if (!config_.remove_invalid_values) check_scores(scores, state.step());
      process_scores(processors_, state, scores);
      for (std::size_t i = 0; i < vocabulary; ++i) order[i] = static_cast<std::int64_t>(i);
      std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
                        [&](std::int64_t a, std::int64_t b) {
                          const float x = scores[static_cast<std::size_t>(a)], y = scores[static_cast<std::size_t>(b)];
                          return x != y ? x > y : a < b;
                        });
      const SoftmaxSums sums = softmax_sums(scores);
      for (std::size_t i = 0; i < k; ++i) {
        candidates_.push_back(order[i]);
        probabilities_.push_back(sums.probability(scores[static_cast<std::size_t>(order[i])]));
      }
    }
  }

  /// Reads every candidate and keeps, in each row, the one that is likely and unlike the text before.
  std::vector<std::int64_t> choose(const std::vector<std::uint8_t>& ended) {
    const std::size_t k = candidates_.size() / rows_;
    std::vector<std::int64_t> copies;
    for (std::size_t i = 0; i < candidates_.size(); ++i) copies.push_back(static_cast<std::int64_t>(i / k));
    batch_.select_rows(copies);
    for (std::size_t i = 0; i < candidates_.size(); ++i)
      if (ended[i / k]) candidates_[i] = request_.padding();
    batch_.append(candidates_);
    read(batch_.scores());
    std::vector<std::int64_t> kept, tokens;
    std::vector<float> scores;
    const auto vocabulary = static_cast<std::size_t>(batch_.vocabulary());
    for (std::size_t row = 0; row < rows_; ++row) {
      std::size_t best = row * k;
      double best_score = 0;
      for (std::size_t i = row * k; i < (row + 1) * k; ++i) {
        if (probabilities_[i] <= 0 && i > row * k) continue;  // out by a processor
        const double score = (1 - *config_.penalty_alpha) * probabilities_[i] -
                             *config_.penalty_alpha * likeness(texts_[row], hidden(i, columns_ - 1));
        if (i == row * k || score > best_score) {
          best = i;
          best_score = score;
        }
      }
      kept.push_back(static_cast<std::int64_t>(best));
      tokens.push_back(candidates_[best]);
      add_direction(texts_[row], hidden(best, columns_ - 1));
      const auto from = scores_.begin() + static_cast<std::ptrdiff_t>(best * vocabulary);
      scores.insert(scores.end(), from, from + static_cast<std::ptrdiff_t>(vocabulary));
    }
    batch_.select_rows(kept);
    scores_ = std::move(scores);
    return tokens;
  }

  DecodingBatch& batch_;
  const DecodeRequest& request_;
  const GenerationConfig& config_;
  std::size_t rows_, columns_ = 0, width_ = 0;
  LogitsProcessors processors_;
  std::vector<Directions> texts_;
  std::vector<float> scores_, hidden_;
  std::vector<std::int64_t> candidates_;
  std::vector<double> probabilities_;
};

}  // namespace

GenerateStats decode_contrastive(DecodingBatch& batch, const DecodeRequest& request) {
  return Contrastive(batch, request).run();
}

}  // namespace trustformers
