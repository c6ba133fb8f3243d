#include "ops/attention/attention.h"

#include <cmath>

#include "ops/attention/paged_attention.h"
#include "ops/attention/rope.h"
#include "rows.h"

namespace trustformers::conformance {
namespace {

struct Extras {
  bool key_mask = false;
  Shape bias = {};  // 0 stands for the number of keys, -1 for that of queries; empty: none
  bool sinks = false;
};

/// Four query heads over two key heads. `decode` asks with three queries at the end of n + 2 keys.
Row attention_row(std::string label, const AttentionAttrs& attrs, bool decode, const Extras& extras = {}) {
  return {.op = &attention_op,
          .label = std::move(label),
          .attrs = attrs_of(attrs),
          .inputs =
              [=](std::int64_t n, DType dtype) {
                const std::int64_t queries = decode ? 3 : n;
                const std::int64_t keys = decode ? n + 2 : n;
                Shape bias = extras.bias;
                for (std::int64_t& size : bias) size = size == 0 ? keys : size == -1 ? queries : size;
                const std::int64_t width = n == 3 ? 2 : 8;  // 3 is the size of central differences: few elements
                return std::vector{values({2, 4, queries, 2 * width}, 1, dtype),
                                   values({2, 2, keys, 2 * width}, 2, dtype),
                                   values({2, 2, keys, 3 * width}, 3, dtype),
                                   extras.key_mask ? values({2, keys}, 4, DType::boolean) : Tensor(),
                                   bias.empty() ? Tensor() : values(bias, 5, dtype),
                                   extras.sinks ? values({4}, 6, dtype) : Tensor()};
              },
          .measure = Measure::normalised,
          .sizes = decode ? std::vector<std::int64_t>{1, 31, 32, 33, 255, 256, 257}
                          : std::vector<std::int64_t>{0, 1, 31, 32, 33, 130}};
}

/// Three texts: one page of n keys; two of 64 and n; three of 64, 64 and n. n <= 64.
Row paged_row(std::string label, const AttentionAttrs& attrs, const Extras& extras = {}) {
  return {.op = &paged_attention_op,
          .label = std::move(label),
          .attrs = attrs_of(PagedAttentionAttrs{attrs, {1, 2, 3}}),
          .inputs =
              [=](std::int64_t n, DType dtype) {
                Shape bias = extras.bias;
                for (std::int64_t& size : bias) size = size == 0 ? 128 + n : size;
                const std::int64_t width = n == 3 ? 2 : 8;
                std::vector<Tensor> in = {values({3, 4, 1, 2 * width}, 1, dtype),
                                          bias.empty() ? Tensor() : values(bias, 5, dtype),
                                          extras.sinks ? values({4}, 6, dtype) : Tensor()};
                std::uint64_t seed = 7;
                for (const std::int64_t count : {1, 2, 3})
                  for (const std::int64_t dim : {2 * width, 3 * width})
                    for (std::int64_t i = 0; i < count; ++i)
                      in.push_back(values({2, i + 1 < count ? 64 : n, dim}, seed++, dtype));
                return in;
              },
          .measure = Measure::normalised,
          .sizes = {0, 1, 31, 64}};
}

Row rope_row(std::string label, bool interleaved, std::int64_t rotary_half, bool shared_positions) {
  return {.op = &rope_op,
          .label = std::move(label),
          .attrs = attrs_of(RopeAttrs{interleaved}),
          .inputs =
              [=](std::int64_t n, DType dtype) {
                std::vector<double> cosines;
                std::vector<double> sines;
                for (std::int64_t p = 0; p < 40; ++p)
                  for (std::int64_t r = 0; r < rotary_half; ++r) {
                    const double angle = static_cast<double>(p) * std::pow(100.0, -static_cast<double>(r) / 8.0);
                    cosines.push_back(std::cos(angle));
                    sines.push_back(std::sin(angle));
                  }
                const DType table = dtype == DType::f64 ? DType::f64 : DType::f32;
                const auto tensor = [&](const std::vector<double>& from) {
                  const Tensor wide = Tensor::from(from, {40, rotary_half});
                  return table == DType::f64 ? wide : Tensor::from(wide.to_vector<float>(), wide.shape());
                };
                return std::vector{values({2, 3, n, 16}, 1, dtype), tensor(cosines), tensor(sines),
                                   indices({shared_positions ? 1 : 2, n}, 2, 40)};
              },
          .sizes = {0, 1, 31, 32, 33, 255, 256, 257},
          .constants_from = 1};
}

}  // namespace

void add_attention_rows(Rows& rows) {
  const double scale = 0.25;
  for (const bool decode : {false, true}) {
    const std::string at = decode ? " decode" : "";
    const auto add = [&](const std::string& label, const AttentionAttrs& attrs, const Extras& extras = {}) {
      rows.push_back(attention_row(label + at, attrs, decode, extras));
    };
    add("full", {.scale = scale});
    add("causal", {.scale = scale, .causal = true});
    add("window", {.scale = scale, .causal = true, .window = 7});
    add("two-sided window", {.scale = scale, .window = 5});
    add("prefix", {.scale = scale, .causal = true, .prefix = 9});
    add("prefix and window", {.scale = scale, .causal = true, .window = 4, .prefix = 2});
    add("softcap", {.scale = 2, .causal = true, .softcap = 3});
    add("padding", {.scale = scale}, {.key_mask = true});
    add("padding, causal", {.scale = scale, .causal = true}, {.key_mask = true});
    add("chunks", {.scale = scale, .causal = true, .chunk = 12});
    add("chunks and prefix", {.scale = scale, .causal = true, .chunk = 5, .prefix = 3});
    add("two-sided chunks", {.scale = scale, .chunk = 6});
    add("sinks", {.scale = scale, .causal = true}, {.sinks = true});
    add("sinks, window, padding", {.scale = 3, .causal = true, .window = 4}, {.key_mask = true, .sinks = true});
    add("bias", {.scale = scale, .causal = true}, {.bias = {4, -1, 0}});
    add("bias a key", {.scale = scale}, {.key_mask = true, .bias = {2, 1, 1, 0}});
    add("bias a query", {.scale = scale, .softcap = 2}, {.bias = {2, 4, -1, 1}});
    rows.back().constants_from = 4;  // softmax does not see what all keys share: that gradient is 0 but for rounding
  }
  rows.push_back(paged_row("full", {.scale = scale}));
  rows.push_back(paged_row("causal", {.scale = scale, .causal = true}));
  rows.push_back(paged_row("window", {.scale = scale, .causal = true, .window = 70, .prefix = 3}));
  rows.push_back(paged_row("chunks, softcap", {.scale = scale, .causal = true, .chunk = 20, .softcap = 3}));
  rows.push_back(paged_row("bias", {.scale = scale, .causal = true}, {.bias = {3, 4, 1, 0}}));
  rows.push_back(paged_row("shared bias, sinks", {.scale = scale, .causal = true}, {.bias = {4, 1, 0}, .sinks = true}));
  rows.push_back(rope_row("halves", false, 8, false));
  rows.push_back(rope_row("neighbours", true, 8, false));
  rows.push_back(rope_row("partial halves", false, 3, true));
  rows.push_back(rope_row("partial neighbours", true, 5, true));
}

}  // namespace trustformers::conformance
