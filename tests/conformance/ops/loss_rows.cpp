#include "ops/loss/loss.h"

#include "rows.h"

namespace trustformers::conformance {
namespace {

Row loss_row(std::string label, const CrossEntropyAttrs& attrs, bool some_ignored, bool wide = false) {
  return {.op = &cross_entropy_op,
          .label = std::move(label),
          .attrs = attrs_of(attrs),
          .inputs =
              [=](std::int64_t n, DType dtype) {
                const std::int64_t rows = wide ? 5 : n;
                const std::int64_t classes = wide ? n : 7;
                std::vector<std::int64_t> targets = indices({rows}, 2, classes).to_vector<std::int64_t>();
                if (some_ignored)
                  for (std::size_t i = 2; i < targets.size(); i += 3) targets[i] = attrs.ignore_index;
                return std::vector{values({rows, classes}, 1, dtype), Tensor::from(targets, {rows})};
              },
          .sizes = wide ? std::vector<std::int64_t>{1, 31, 32, 33, 255, 256, 257, 4099} : all_sizes};
}

}  // namespace

void add_loss_rows(Rows& rows) {
  rows.push_back(loss_row("", {}, false));
  rows.push_back(loss_row("wide", {}, false, true));
  rows.push_back(loss_row("ignoring", {}, true));
  rows.push_back(loss_row("sum", {.mean = false}, true));
  rows.push_back(loss_row("smoothed", {.label_smoothing = 0.1}, true));
  rows.push_back(
      loss_row("smoothed sum, ignoring 3", {.ignore_index = 3, .label_smoothing = 0.3, .mean = false}, true));
}

}  // namespace trustformers::conformance
