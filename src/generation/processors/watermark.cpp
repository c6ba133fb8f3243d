#include "watermark.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "../../base/error.h"
#include "score_math.h"

namespace trustformers {
namespace {

constexpr std::size_t self_hash_table = 1'000'003;
constexpr std::size_t self_hash_candidates = 40;

/// The linear congruential step of SynthID's hash, modulo 2^64.
std::uint64_t accumulate(std::uint64_t hash, std::int64_t value) {
  return (hash + static_cast<std::uint64_t>(value)) * 6364136223846793005ULL + 1;
}

}  // namespace

std::vector<std::int64_t> torch_permutation(std::uint64_t seed, std::size_t n) {
  // The generator takes the seed's low 32 bits; the shuffle takes 32 bits a step.
  std::mt19937 generator(static_cast<std::uint32_t>(seed));
  std::vector<std::int64_t> out(n);
  std::iota(out.begin(), out.end(), 0);
  for (std::size_t i = 0; i + 1 < n; ++i) std::swap(out[i], out[i + generator() % (n - i)]);
  return out;
}

std::vector<std::uint8_t> torch_coin_flips(std::uint64_t seed, std::size_t n) {
  std::mt19937 generator(static_cast<std::uint32_t>(seed));
  std::vector<std::uint8_t> out(n);
  for (std::uint8_t& flip : out) flip = static_cast<std::uint8_t>(generator() % 2);
  return out;
}

Watermark::Watermark(WatermarkSettings settings) : settings_(settings) {
  check(settings_.greenlist_ratio > 0 && settings_.greenlist_ratio < 1, ErrorCode::invalid_argument,
        "[generation] greenlist_ratio must lie in (0, 1), got ", settings_.greenlist_ratio);
  check(settings_.context_width >= 1, ErrorCode::invalid_argument, "[generation] context_width must be positive");
  if (settings_.self_hash) table_ = torch_permutation(settings_.hashing_key, self_hash_table);
}

std::uint64_t Watermark::seed_after(std::span<const std::int64_t> context) const {
  std::int64_t hash = context.back();
  const auto key = static_cast<std::int64_t>(settings_.hashing_key);
  if (settings_.self_hash) {
    const auto entry = [&](std::int64_t id) { return table_[static_cast<std::size_t>(id) % self_hash_table] + 1; };
    hash = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t id : context.last(std::min(settings_.context_width, context.size())))
      hash = std::min(
          hash, static_cast<std::int64_t>(static_cast<std::uint64_t>(key) * static_cast<std::uint64_t>(entry(id)) *
                                          static_cast<std::uint64_t>(entry(context.back()))));
    return static_cast<std::uint64_t>(hash) % std::numeric_limits<std::uint64_t>::max();
  }
  return static_cast<std::uint64_t>(key) * static_cast<std::uint64_t>(hash);
}

void Watermark::process(const RowState& row, std::span<float> scores) {
  const auto text = row.tokens();
  if (text.size() < settings_.context_width) return;
  const auto green = static_cast<std::size_t>(static_cast<double>(scores.size()) * settings_.greenlist_ratio);
  const auto bias = static_cast<float>(settings_.bias);
  if (!settings_.self_hash) {
    const std::vector<std::int64_t> order = torch_permutation(seed_after(text), scores.size());
    for (std::size_t i = 0; i < green; ++i) scores[static_cast<std::size_t>(order[i])] += bias;
    return;
  }
  // Each of the likeliest tokens is judged by the list that it chooses itself.
  std::vector<std::int64_t> best(scores.size()), context(text.begin(), text.end());
  std::iota(best.begin(), best.end(), 0);
  const std::size_t considered = std::min(self_hash_candidates, scores.size());
  std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(considered), best.end(),
                    [&](std::int64_t a, std::int64_t b) {
                      const float x = scores[static_cast<std::size_t>(a)], y = scores[static_cast<std::size_t>(b)];
                      return x != y ? x > y : a < b;
                    });
  best.resize(considered);
  context.push_back(0);
  for (const std::int64_t id : best) {
    context.back() = id;
    const std::vector<std::int64_t> order = torch_permutation(seed_after(context), scores.size());
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(green);
    if (std::find(order.begin(), end, id) != end) scores[static_cast<std::size_t>(id)] += bias;
  }
}

SynthIdWatermark::SynthIdWatermark(SynthIdSettings settings)
    : settings_(std::move(settings)),
      table_(torch_coin_flips(settings_.sampling_table_seed, settings_.sampling_table_size)) {
  check(settings_.ngram_len >= 2 && !settings_.keys.empty() && settings_.sampling_table_size > 0,
        ErrorCode::invalid_argument, "[generation] SynthID needs ngram_len >= 2, keys and a sampling table");
}

std::uint64_t SynthIdWatermark::context_hash(std::span<const std::int64_t> generated) const {
  const std::size_t width = settings_.ngram_len - 1;
  std::uint64_t hash = 1;
  for (std::size_t i = generated.size(); i < width; ++i) hash = accumulate(hash, 0);
  for (const std::int64_t id : generated.last(std::min(width, generated.size()))) hash = accumulate(hash, id);
  return hash;
}

void SynthIdWatermark::process(const RowState& row, std::span<float> scores) {
  const auto generated = row.generated();
  const std::size_t first_call = settings_.skip_first_ngram_calls ? settings_.ngram_len - 1 : 0;
  if (generated.size() < first_call) return;
  const std::uint64_t context = context_hash(generated);
  // A context that was watermarked before is left alone; the history starts with zeros.
  history_.assign(settings_.context_history_size, 0);
  for (std::size_t call = first_call; call < generated.size() && !history_.empty(); ++call)
    history_[(call - first_call) % history_.size()] = context_hash(generated.first(call));
  if (std::find(history_.begin(), history_.end(), context) != history_.end()) return;

  const SoftmaxSums sums = softmax_sums(scores);
  probabilities_.resize(scores.size());
  flips_.resize(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) probabilities_[i] = sums.probability(scores[i]);
  const auto size = static_cast<std::int64_t>(table_.size());
  for (const std::int64_t key : settings_.keys) {
    double mass = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const auto hash = static_cast<std::int64_t>(accumulate(accumulate(context, static_cast<std::int64_t>(i)), key));
      flips_[i] = table_[static_cast<std::size_t>(((hash % size) + size) % size)];
      if (flips_[i]) mass += probabilities_[i];
    }
    for (std::size_t i = 0; i < scores.size(); ++i) probabilities_[i] *= 1 + flips_[i] - mass;
  }
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto p = static_cast<float>(probabilities_[i]);
    scores[i] = p > 0 ? std::log(p) : std::numeric_limits<float>::lowest();
  }
}

}  // namespace trustformers
