// What must hold for every model, asked of every class of every registered architecture.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "../support.h"
#include "nn/attention.h"
#include "ops/shape/shape_ops.h"
#include "tensor/context.h"
#include "tensor/op.h"
#include "train/sgd.h"
#include "zoo.h"

namespace trustformers::test {
namespace {

constexpr std::int64_t tokens_per_text = 7;
/// Of the spread of the outputs: what summing in another order may change.
constexpr double rounding = 2e-5;

/// Calls body(entry, class) for all classes.
template <class Body>
void for_each_class(const Body& body) {
  for (const Zoo& entry : zoo())
    for (const ModelClass& model_class : entry.architecture->classes) {
      INFO(entry.architecture->model_type, ": ", model_class.name);
      body(entry, model_class);
    }
}

void check_same(const ModelOutput& got, const ModelOutput& expected, double tolerance) {
  const std::vector<NamedOutput> outputs = outputs_of(expected);
  CHECK(!outputs.empty());
  for (const NamedOutput& output : outputs) {
    INFO(output.name);
    REQUIRE(got.find(output.name).defined());
    const double error = difference(got.find(output.name), output.value);
    CHECK(error <= tolerance);
  }
}

/// Where columns of padding move what follows, as in the reference: Llama 4 counts attention chunks from the first
/// column, and the decoders of BART's family take no position ids.
bool positions_by_column(const Zoo& entry) {
  constexpr std::string_view types[] = {"llama4_text", "bart",  "blenderbot", "blenderbot-small",
                                        "marian",      "mbart", "pegasus",    "m2m_100"};
  return std::find(std::begin(types), std::end(types), entry.architecture->model_type) != std::end(types);
}

TEST_CASE("models: every architecture has a golden case") {
  std::vector<std::string_view> known;
  for (const Zoo& entry : zoo()) known.push_back(entry.architecture->model_type);
  for (const Architecture& a : all_architectures()) {
    INFO(a.model_type);
    CHECK(std::find(known.begin(), known.end(), a.model_type) != known.end());
  }
}

TEST_CASE("models: a pass with a cache is the whole pass") {
  for_each_class([](const Zoo& entry, const ModelClass& c) {
    const auto model = random_model(entry, c.name, 1);
    if (!model->can_generate()) return;
    const NoGrad no_grad;
    const ModelInputs in = random_inputs(*model, c.task, tokens_per_text, 2);
    const Tensor whole = model->forward(in).logits;
    const bool two = model->is_encoder_decoder();
    const Tensor& ids = two ? in.decoder_input_ids : in.input_ids;
    KVCache cache;
    std::vector<Tensor> steps;
    for (std::int64_t first = 0, end = 3; first < ids.size(1); first = end++) {
      ModelInputs part;
      part.cache = &cache;
      const Tensor now = contiguous(slice(ids, 1, first, end));
      if (two) {
        part.encoder_hidden_states = model->encode(in).encoder_last_hidden_state;
        part.decoder_input_ids = now;
      } else {
        part.input_ids = now;
      }
      steps.push_back(model->forward(part).logits);
    }
    CHECK(difference(concat(steps, 1), whole) <= rounding);
  });
}

TEST_CASE("models: a row of a batch is that row alone") {
  for_each_class([](const Zoo& entry, const ModelClass& c) {
    const auto model = random_model(entry, c.name, 3);
    const NoGrad no_grad;
    const ModelInputs in = random_inputs(*model, c.task, tokens_per_text, 4);
    const ModelOutput whole = model->forward(in);
    for (std::int64_t row = 0; row < 2; ++row) {
      const ModelOutput alone = model->forward(part_of(in, row, 0, tokens_per_text));
      for (const NamedOutput& output : outputs_of(alone)) {
        INFO(output.name, ", row ", row);
        const Tensor all = whole.find(output.name);
        const std::int64_t rows = all.size(0) / 2;  // choices are rows of some outputs
        CHECK(difference(output.value, slice(all, 0, row * rows, (row + 1) * rows)) <= rounding);
      }
    }
  });
}

TEST_CASE("models: a mask that is not as long as the texts is refused by name") {
  for_each_class([](const Zoo& entry, const ModelClass& c) {
    const auto model = random_model(entry, c.name, 5);
    const NoGrad no_grad;
    for (const std::int64_t length : {tokens_per_text - 1, tokens_per_text + 1}) {
      ModelInputs in = random_inputs(*model, c.task, tokens_per_text, 6);
      in.attention_mask = Tensor::ones({2, length}, DType::i64);
      const Error error = error_of([&] { model->forward(in); });
      CHECK(error.code() == ErrorCode::shape_mismatch);
      CHECK(mentions(error, "attention_mask"));
    }
  });
}

/// `in` with `count` columns of padding on one side of row 1, the mask saying so; positions count from the first token.
ModelInputs padded(const Model& model, const ModelInputs& in, std::int64_t count, bool left) {
  const std::int64_t pad = model.common().pad_token_id.value_or(0);
  std::vector<std::int64_t> ids = in.input_ids.to_vector<std::int64_t>(), mask(ids.size(), 1);
  const auto columns = static_cast<std::size_t>(in.input_ids.size(1)), away = static_cast<std::size_t>(count);
  if (left) std::rotate(ids.begin() + static_cast<std::ptrdiff_t>(columns), ids.end() - count, ids.end());
  for (std::size_t i = 0; i < away; ++i) {
    const std::size_t at = left ? columns + i : 2 * columns - 1 - i;
    ids[at] = pad;
    mask[at] = 0;
  }
  ModelInputs out = in;
  out.input_ids = Tensor::from(ids, in.input_ids.shape());
  out.attention_mask = Tensor::from(mask, in.input_ids.shape());
  if (left) out.position_ids = positions_from_mask(out.attention_mask, in.input_ids.size(1));
  return out;
}

TEST_CASE("models: a padded row is that row alone") {
  constexpr std::int64_t away = 2;
  for_each_class([](const Zoo& entry, const ModelClass& c) {
    const auto model = random_model(entry, c.name, 5);
    if (c.task == Task::multiple_choice || model->is_encoder_decoder()) return;
    if (model->common().eos_token_id.empty() && !model->common().pad_token_id) return;
    const NoGrad no_grad;
    const ModelInputs in = random_inputs(*model, c.task, tokens_per_text, 6);
    for (const bool left : {false, true}) {
      if (left && (!model->can_generate() || positions_by_column(entry))) continue;
      INFO((left ? "left" : "right"));
      const ModelInputs mixed = padded(*model, in, away, left);
      const ModelOutput whole = model->forward(mixed);
      const ModelOutput alone = model->forward(part_of(in, 1, 0, tokens_per_text - away));
      for (const NamedOutput& output : outputs_of(alone)) {
        INFO(output.name);
        Tensor row = slice(whole.find(output.name), 0, 1, 2);
        if (row.rank() >= 2 && row.size(1) == tokens_per_text && output.value.size(1) == tokens_per_text - away)
          row = left ? slice(row, 1, away) : slice(row, 1, 0, tokens_per_text - away);
        CHECK(difference(output.value, row) <= rounding);
      }
    }
  });
}

TEST_CASE("models: two threads give the bits of one") {
  for_each_class([](const Zoo& entry, const ModelClass& c) {
    std::vector<std::vector<float>> first;
    for (const int threads : {1, 2}) {
      const auto context = make_context(threads);
      const ContextScope scope(*context);
      const NoGrad no_grad;
      const auto model = random_model(entry, c.name, 7);
      std::vector<std::vector<float>> values;
      for (const NamedOutput& output :
           outputs_of(model->forward(random_inputs(*model, c.task, 3 * tokens_per_text, 8))))
        values.push_back(output.value.to_vector<float>());
      if (threads == 1)
        first = std::move(values);
      else
        CHECK(values == first);
    }
  });
}

TEST_CASE("models: what was saved gives the same bits") {
  for_each_class([](const Zoo& entry, const ModelClass& c) {
    const Folder folder;
    const auto model = random_model(entry, c.name, 9);
    save_pretrained(*model, folder.path());
    LoadOptions options;
    options.class_name = c.name;
    const auto again = load_model(open_checkpoint(folder.path()), options);
    CHECK(again->parameter_count() == model->parameter_count());
    const NoGrad no_grad;
    const ModelInputs in = random_inputs(*model, c.task, tokens_per_text, 10);
    check_same(again->forward(in), model->forward(in), 0);
  });
}

double loss_of(const Model& model, const ModelInputs& in) {
  const NoGrad no_grad;
  return model.forward(in).loss.item();
}

/// Adds step · direction to the parameters.
void move(const std::vector<NamedTensor>& parameters, const std::vector<std::vector<float>>& direction, double step) {
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    if (direction[p].empty()) continue;
    float* data = parameters[p].tensor.mutable_data<float>();
    for (std::size_t i = 0; i < direction[p].size(); ++i) data[i] += static_cast<float>(step) * direction[p][i];
    parameters[p].tensor.mark_mutated();
  }
}

/// How far to go along a gradient of this norm, as a part of it: short enough for curvature and for routers that choose
/// other experts, long enough for the loss's own rounding.
double step_along(double norm) { return 1e-3 * std::min(1.0, 10 / norm) / norm; }

/// How far the slopes of the loss lie from the gradients, relatively. The directions are the gradient of every second
/// parameter, and that of the others: a wrong gradient of one parameter shows, as the slope along g is |g|² only where
/// g is right.
double slope_error(const Model& model, const ModelInputs& in) {
  const std::vector<NamedTensor>& parameters = model.named_parameters();
  for (const NamedTensor& p : parameters) Tensor(p.tensor).set_grad(Tensor());
  model.forward(in).loss.backward();
  double worst = 0;
  for (const std::size_t parity : {0, 1}) {
    std::vector<std::vector<float>> direction(parameters.size());
    double square = 0;
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      const Tensor grad = parameters[p].tensor.grad();
      if (!grad.defined() || p % 2 != parity) continue;
      direction[p] = grad.to_vector<float>();
      for (const float g : direction[p]) square += static_cast<double>(g) * static_cast<double>(g);
    }
    REQUIRE(square > 0);
    const double step = step_along(std::sqrt(square));
    move(parameters, direction, step);
    const double above = loss_of(model, in);
    move(parameters, direction, -2 * step);
    const double below = loss_of(model, in);
    move(parameters, direction, step);
    worst = std::max(worst, std::abs((above - below) / (2 * step) / square - 1));
  }
  return worst;
}

TEST_CASE("models: gradients are the slopes of the loss, and a step down them lowers it") {
  for_each_class([](const Zoo& entry, const ModelClass& c) {
    if (!has_loss(c.task)) return;
    const auto model = random_model(entry, c.name, 11, {.trainable = true});
    // Where a relu or a router has its corner within the step no slope exists: other inputs have theirs elsewhere.
    double error = INFINITY;
    ModelInputs in;
    for (const std::uint64_t seed : {12U, 112U, 212U}) {
      in = random_inputs(*model, c.task, tokens_per_text, seed, true);
      error = slope_error(*model, in);
      if (error <= 0.02) break;
    }
    CHECK(error <= 0.02);

    std::vector<NamedTensor> trained;
    for (const NamedTensor& p : model->named_parameters())
      if (p.tensor.requires_grad()) trained.push_back(p);
    const double before = loss_of(*model, in);
    const double norm = clip_grad_norm(trained);
    Sgd(trained).step(step_along(norm));
    CHECK(loss_of(*model, in) < before);
  });
}

/// The largest of the outputs' errors: the root of the mean squared difference over the standard deviation.
double narrow_error(const Model& wide, const Model& narrow, const ModelInputs& in) {
  double worst = 0;
  const ModelOutput expected = wide.forward(in), got = narrow.forward(in);
  for (const NamedOutput& output : outputs_of(expected)) {
    if (output.value.numel() < 64) continue;  // too few to have a spread of their own
    const std::vector<double> a = got.find(output.name).to_vector<double>(), b = output.value.to_vector<double>();
    double mean = 0, spread = 0, error = 0;
    for (const double x : b) mean += x / static_cast<double>(b.size());
    for (std::size_t i = 0; i < b.size(); ++i) {
      spread += (b[i] - mean) * (b[i] - mean);
      error += (a[i] - b[i]) * (a[i] - b[i]);
    }
    worst = std::max(worst, std::sqrt(error / spread));
  }
  return worst;
}

TEST_CASE("models: narrow weights stay near") {
  struct Band {
    DType dtype;
    double most;
  };
  for_each_class([&](const Zoo& entry, const ModelClass& c) {
    const auto wide = random_model(entry, c.name, 13);
    for (const Band band : {Band{DType::f16, 0.01}, {DType::bf16, 0.05}, {DType::q8_0, 0.1}, {DType::q4_0, 0.7}}) {
      INFO(to_string(band.dtype));
      LoadOptions options;
      options.class_name = c.name;
      const auto narrow = load_model(random_checkpoint(entry, c.name, 13, band.dtype), options);
      const NoGrad no_grad;
      // Where a router is all but undecided it then chooses another expert: other texts are decided.
      double error = INFINITY;
      for (const std::uint64_t seed : {14U, 114U, 214U}) {
        error = narrow_error(*wide, *narrow, random_inputs(*wide, c.task, 3 * tokens_per_text, seed));
        if (error <= band.most) break;
      }
      CHECK(error <= band.most);
    }
  });
}

}  // namespace
}  // namespace trustformers::test
