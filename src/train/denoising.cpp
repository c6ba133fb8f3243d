#include "denoising.h"

#include <algorithm>
#include <cmath>

#include "../base/rng.h"

namespace trustformers {
namespace {

/// Numbers of one example, one after the other.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t number) : random_(seed, number) {}
  double uniform() { return random_.uniform_double(next_++); }
  /// In [0, count).
  std::int64_t below(std::int64_t count) {
    return std::min(static_cast<std::int64_t>(uniform() * static_cast<double>(count)), count - 1);
  }
  /// Knuth's way: how many uniform numbers multiply to e^-mean.
  std::int64_t poisson(double mean) {
    const double limit = std::exp(-mean);
    std::int64_t count = 0;
    for (double product = uniform(); product > limit; product *= uniform()) ++count;
    return count;
  }
  template <class T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i)
      std::swap(values[i - 1], values[static_cast<std::size_t>(below(static_cast<std::int64_t>(i)))]);
  }

 private:
  Philox random_;
  std::uint64_t next_ = 0;
};

/// `parts` positive lengths that add up to `total`, uniform among all such.
std::vector<std::int64_t> random_lengths(std::int64_t total, std::int64_t parts, Draws& draws) {
  std::vector<std::uint8_t> starts(static_cast<std::size_t>(total - 1), 0);  // a part may start behind each element
  std::fill_n(starts.begin(), parts - 1, std::uint8_t{1});
  draws.shuffle(starts);
  std::vector<std::int64_t> lengths = {1};
  for (const std::uint8_t start : starts) {
    if (start)
      lengths.push_back(1);
    else
      ++lengths.back();
  }
  return lengths;
}

void check_share(double share, std::string_view name) {
  check(share >= 0 && share <= 1, ErrorCode::invalid_argument, "[denoising] ", name, " must lie in [0, 1], got ",
        share);
}

void permute_sentences(TokenIds& text, const TokenIds& ends, Draws& draws) {
  std::vector<TokenIds> sentences(1);
  for (const std::int64_t token : text) {
    sentences.back().push_back(token);
    if (std::find(ends.begin(), ends.end(), token) != ends.end()) sentences.emplace_back();
  }
  if (sentences.back().empty()) sentences.pop_back();
  draws.shuffle(sentences);
  text.clear();
  for (const TokenIds& sentence : sentences) text.insert(text.end(), sentence.begin(), sentence.end());
}

void delete_tokens(TokenIds& text, double ratio, Draws& draws) {
  TokenIds kept;
  for (const std::int64_t token : text)
    if (draws.uniform() >= ratio) kept.push_back(token);
  if (kept.empty()) kept.push_back(text[static_cast<std::size_t>(draws.below(static_cast<std::int64_t>(text.size())))]);
  text = std::move(kept);
}

void infill(TokenIds& text, const BartNoise& settings, Draws& draws) {
  const auto length = static_cast<std::int64_t>(text.size());
  const auto hidden =
      static_cast<std::int64_t>(std::ceil(static_cast<double>(length) * settings.infilling_ratio - 1e-9));
  std::vector<std::int64_t> spans;
  for (std::int64_t sum = 0; sum < hidden; sum += spans.back())
    spans.push_back(std::min(draws.poisson(settings.mean_span_length), hidden - sum));
  // Each span lies behind so many of the tokens that stay.
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < spans.size(); ++i) places.push_back(draws.below(length - hidden + 1));
  std::sort(places.begin(), places.end());
  TokenIds out;
  const std::int64_t* from = text.data();
  const std::int64_t* const end = from + text.size();
  std::int64_t stayed = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    for (; stayed < places[i]; ++stayed) out.push_back(*from++);
    out.push_back(settings.mask_token_id);
    from += spans[i];
  }
  out.insert(out.end(), from, end);
  text = std::move(out);
}

}  // namespace

std::vector<bool> span_corruption_mask(std::int64_t length, const SpanCorruption& settings, std::uint64_t seed,
                                       std::uint64_t number) {
  check(settings.noise_density > 0 && settings.noise_density < 1 && settings.mean_span_length >= 1,
        ErrorCode::invalid_argument,
        "[denoising] noise_density must lie in (0, 1) and mean_span_length be at least 1, ", "got ",
        settings.noise_density, " and ", settings.mean_span_length);
  check(length >= 2, ErrorCode::invalid_argument, "[denoising] span corruption needs two tokens, got ", length);
  const auto hidden = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(std::llround(static_cast<double>(length) * settings.noise_density)), 1, length - 1);
  const auto wanted = static_cast<std::int64_t>(std::llround(static_cast<double>(hidden) / settings.mean_span_length));
  const std::int64_t spans = std::clamp<std::int64_t>(wanted, 1, std::min(hidden, length - hidden));
  Draws draws(seed, number);
  const std::vector<std::int64_t> gone = random_lengths(hidden, spans, draws);
  const std::vector<std::int64_t> kept = random_lengths(length - hidden, spans, draws);
  std::vector<bool> mask;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    mask.insert(mask.end(), static_cast<std::size_t>(kept[i]), false);
    mask.insert(mask.end(), static_cast<std::size_t>(gone[i]), true);
  }
  return mask;
}

DenoisingExample corrupt_spans(std::span<const std::int64_t> tokens, const SpanCorruption& settings, std::uint64_t seed,
                               std::uint64_t number) {
  const std::vector<bool> mask = span_corruption_mask(static_cast<std::int64_t>(tokens.size()), settings, seed, number);
  DenoisingExample out;
  std::int64_t spans = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!mask[i]) {
      out.input.push_back(tokens[i]);
      continue;
    }
    if (i == 0 || !mask[i - 1]) {
      const std::int64_t sentinel = settings.first_sentinel - spans++;
      check(spans <= settings.sentinels, ErrorCode::invalid_argument, "[denoising] the text needs more than ",
            settings.sentinels, " sentinels");
      out.input.push_back(sentinel);
      out.labels.push_back(sentinel);
    }
    out.labels.push_back(tokens[i]);
  }
  if (settings.eos_token_id)
    for (TokenIds* text : {&out.input, &out.labels}) text->push_back(*settings.eos_token_id);
  return out;
}

DenoisingExample add_bart_noise(std::span<const std::int64_t> tokens, const BartNoise& settings, std::uint64_t seed,
                                std::uint64_t number) {
  check_share(settings.infilling_ratio, "infilling_ratio");
  check_share(settings.masking_ratio, "masking_ratio");
  check_share(settings.deletion_ratio, "deletion_ratio");
  check(settings.mean_span_length >= 1 && settings.mean_span_length < 100, ErrorCode::invalid_argument,
        "[denoising] mean_span_length must lie in [1, 100), got ", settings.mean_span_length);
  check(!tokens.empty(), ErrorCode::invalid_argument, "[denoising] the text is empty");
  Draws draws(seed, number);
  DenoisingExample out{{tokens.begin(), tokens.end()}, {tokens.begin(), tokens.end()}};
  TokenIds& text = out.input;
  if (settings.permute_sentences) permute_sentences(text, settings.sentence_ends, draws);
  if (settings.rotate) {
    const std::int64_t first = draws.below(static_cast<std::int64_t>(text.size()));
    std::rotate(text.data(), text.data() + first, text.data() + text.size());
  }
  if (settings.deletion_ratio > 0) delete_tokens(text, settings.deletion_ratio, draws);
  if (settings.masking_ratio > 0)
    for (std::int64_t& token : text)
      if (draws.uniform() < settings.masking_ratio) token = settings.mask_token_id;
  if (settings.infilling_ratio > 0) infill(text, settings, draws);
  for (TokenIds* side : {&out.input, &out.labels}) {
    if (settings.bos_token_id) side->insert(side->begin(), *settings.bos_token_id);
    if (settings.eos_token_id) side->push_back(*settings.eos_token_id);
  }
  return out;
}

DenoisingBatch collate_denoising(std::span<const DenoisingExample> examples, std::int64_t pad_token_id) {
  check(!examples.empty(), ErrorCode::invalid_argument, "[denoising] a batch needs an example");
  std::size_t length = 0, target = 0;
  for (const DenoisingExample& e : examples) {
    length = std::max(length, e.input.size());
    target = std::max(target, e.labels.size());
  }
  TokenIds ids, seen, labels;
  const auto pad = [](TokenIds& to, const TokenIds& row, std::size_t width, std::int64_t filler) {
    to.insert(to.end(), row.begin(), row.end());
    to.insert(to.end(), width - row.size(), filler);
  };
  for (const DenoisingExample& e : examples) {
    pad(ids, e.input, length, pad_token_id);
    pad(seen, TokenIds(e.input.size(), 1), length, 0);
    pad(labels, e.labels, target, -100);
  }
  const auto rows = static_cast<std::int64_t>(examples.size());
  const Shape inputs = {rows, static_cast<std::int64_t>(length)};
  return {Tensor::from(ids, inputs), Tensor::from(seen, inputs),
          Tensor::from(labels, {rows, static_cast<std::int64_t>(target)})};
}

}  // namespace trustformers
