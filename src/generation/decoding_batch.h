// Texts that grow together: their tokens, masks and cache, and the forward passes that score what may come next.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "../models/model.h"
#include "logits_processor.h"
#include "prompt.h"

namespace trustformers {

/// Rows of equal length. Every way of decoding is made of scores(), append(), select_rows() and truncate().
class DecodingBatch {
 public:
  /// `cache` keeps what was read (its first `held` positions are the prompt's); without one every pass reads all.
  /// Errors: out_of_range for a prompt longer than the context.
  DecodingBatch(const Model& model, Prompt prompt, KVCache* cache, std::int64_t held = 0);

  /// Rows that read another prompt in step with these: scores() becomes
  /// unconditional + scale · (conditional - unconditional) of log-probabilities (classifier-free guidance).
  void guide(std::unique_ptr<DecodingBatch> unconditional, double scale);

  std::int64_t batch() const { return static_cast<std::int64_t>(histories_.size()); }
  std::int64_t length() const { return static_cast<std::int64_t>(histories_[0].size()); }
  std::int64_t prompt_length() const { return prompt_length_; }
  const std::vector<std::int64_t>& ids(std::size_t row) const { return histories_[row]; }
  std::int64_t vocabulary() const { return vocabulary_; }

  /// How many tokens may follow the prompt: `wanted`, or what a table of positions has left.
  std::int64_t room(std::int64_t wanted) const;
  /// Makes room for texts of `length`, so that growing allocates nothing.
  void reserve(std::int64_t length);

  /// Reads what is new; scores [B, count, V] of what follows the last `count` columns, which are the caller's to
  /// change. Valid until the next call.
  std::span<float> scores(std::int64_t count = 1);
  /// The last hidden states [B, L, D] of the columns that the last scores() read; asked for beforehand.
  const Tensor& hidden_states() const { return hidden_; }
  void keep_hidden_states() { keep_hidden_ = true; }

  /// One token a row.
  void append(std::span<const std::int64_t> tokens);
  /// Row i becomes what rows[i] was; rows may come twice, and their number may change.
  void select_rows(std::span<const std::int64_t> rows);
  /// Forgets the columns from `length` on, which must not be the prompt's.
  void truncate(std::int64_t length);

  /// `seed` is the request's.
  RowState state(std::size_t row, std::uint64_t seed) const;
  std::size_t prompt_of(std::size_t row) const { return prompts_[row]; }

 private:
  void select_context(std::span<const std::int64_t> rows);

  const Model& model_;
  ModelInputs context_;
  KVCache* cache_;
  std::int64_t read_ = 0;  // columns that the cache holds
  std::int64_t prompt_length_;
  std::int64_t vocabulary_ = 0;
  bool padded_, keep_hidden_ = false;
  std::vector<std::vector<std::int64_t>> histories_;
  std::vector<std::vector<std::uint8_t>> masks_;
  std::vector<std::size_t> padding_;
  std::vector<std::size_t> prompts_;  // which prompt each row continues
  std::vector<std::vector<std::int64_t>> sources_;
  Tensor logits_, hidden_;
  std::unique_ptr<DecodingBatch> unconditional_;
  double guidance_scale_ = 1;
};

}  // namespace trustformers
