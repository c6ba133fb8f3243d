#include "train_cases.h"

#include <algorithm>
#include <cmath>

#include "../../src/ops/elementwise/binary.h"
#include "../../src/train/adafactor.h"
#include "../../src/train/adam.h"
#include "../../src/train/schedule.h"
#include "../../src/train/sgd.h"
#include "../../src/weights/open.h"
#include "compare.h"
#include "guarded.h"
#include "model_cases.h"

namespace trustformers::goldens {
namespace {

/// Losses, norms and learning rates are compared by their own size.
constexpr double scalar_tolerance = 1e-4;

double number(const Json& settings, std::string_view key, double otherwise) {
  const Json* found = settings.find(key);
  return found && !found->is_null() ? found->as_double(key) : otherwise;
}

std::unique_ptr<Optimizer> make_optimizer(const std::string& kind, const Json& settings,
                                          std::vector<NamedTensor> parameters) {
  const WeightDecay decay{number(settings, "weight_decay", 0), {}};
  if (kind == "sgd") {
    const Json* nesterov = settings.find("nesterov");
    return std::make_unique<Sgd>(std::move(parameters),
                                 SgdOptions{.momentum = number(settings, "momentum", 0),
                                            .nesterov = nesterov && nesterov->as_bool("nesterov"),
                                            .weight_decay = decay});
  }
  if (kind == "adafactor") {
    AdafactorOptions options;
    options.beta2_decay = number(settings, "beta2_decay", options.beta2_decay);
    options.clipping = number(settings, "d", options.clipping);
    options.weight_decay = decay;
    if (const Json* eps = settings.find("eps")) {
      options.eps1 = eps->as_array("eps").at(0).as_double("eps");
      options.eps2 = eps->as_array("eps").at(1).as_double("eps");
    }
    return std::make_unique<Adafactor>(std::move(parameters), std::move(options));
  }
  AdamOptions options;
  options.eps = number(settings, "eps", options.eps);
  options.weight_decay = decay;
  if (const Json* betas = settings.find("betas")) {
    options.beta1 = betas->as_array("betas").at(0).as_double("betas");
    options.beta2 = betas->as_array("betas").at(1).as_double("betas");
  }
  if (kind == "adam") return std::make_unique<Adam>(std::move(parameters), options);
  check(kind == "adamw", ErrorCode::unsupported, "[goldens] no optimizer is called ", kind);
  return std::make_unique<AdamW>(std::move(parameters), options);
}

class TrainCases {
 public:
  TrainCases(const Case& c, Report& report)
      : case_(c),
        report_(report),
        train_(c.description.at("train")),
        tolerance_(c.description.at("tolerance").as_double()),
        inputs_(open_weights(c.folder / "inputs.safetensors")),
        expected_(open_weights(c.folder / "expected.safetensors")) {
    if (const Json* names = c.description.find("vanishing_gradients"))
      for (const Json& name : names->as_array()) vanishing_.push_back(name.as_string());
  }

  void run() {
    guarded(report_, "train/grad", [&] { first_gradients(); });
    for (const auto& [kind, record] : train_.at("optimizers").as_object())
      guarded(report_, "train/" + kind, [&] { optimize(kind, record); });
    if (const Json* accumulation = train_.find("accumulation")) {
      guarded(report_, "train/accumulated",
              [&] { accumulate(accumulation->at("mean_of_means"), "train/accumulated"); });
      if (const Json* tokens = accumulation->find("mean_over_tokens"))
        guarded(report_, "train/accumulated_tokens", [&] { accumulate(*tokens, "train/accumulated_tokens"); });
    }
    if (const Json* smoothing = train_.find("label_smoothing"))
      guarded(report_, "train/label_smoothing", [&] { label_smoothing(*smoothing); });
  }

 private:
  struct Trained {
    std::unique_ptr<Model> model;
    std::vector<NamedTensor> parameters;
    /// By the name in the file, where norms may have the names of TensorFlow's, or in what peft wraps.
    const Tensor* find(std::string name) const {
      for (const std::string_view wrap : {".modules_to_save", ".base_layer"})
        if (const std::size_t at = name.find(wrap); at != std::string::npos) name.erase(at, wrap.size());
      if (name.ends_with(".gamma")) name.replace(name.size() - 5, 5, "weight");
      if (name.ends_with(".beta")) name.replace(name.size() - 4, 4, "bias");
      for (const NamedTensor& p : parameters)
        if (p.name == name) return &p.tensor;
      return nullptr;
    }
  };

  Trained open() const {
    LoadOptions options;
    options.parameters.trainable = true;
    const bool adapter = std::filesystem::exists(case_.folder / "adapter");
    if (adapter) options.adapter = case_.folder / "adapter";
    Trained out{open_model(case_, options), {}};
    for (const NamedTensor& p : out.model->named_parameters())
      if (p.tensor.requires_grad()) out.parameters.push_back(p);
    return out;
  }

  ModelInputs batch(std::int64_t index) const {
    std::vector<std::string> unknown;
    ModelInputs in = read_inputs(*inputs_, str("train/batch.", index), unknown);
    check(unknown.empty(), ErrorCode::unsupported, "[goldens] unknown argument in batch ", index);
    return in;
  }

  void first_gradients() {
    const Trained t = open();
    t.model->forward(batch(0)).loss.backward();
    compare_gradients(t, "train/grad");
  }

  void optimize(const std::string& kind, const Json& record) {
    const Trained t = open();
    const Json& settings = record.at("settings");
    const auto optimizer = make_optimizer(kind, settings, t.parameters);
    const std::int64_t steps = train_.at("steps").as_int();
    const double lr = settings.at("lr").as_double();
    const Schedule schedule =
        settings.find("warmup") ? linear_schedule(lr, settings.at("warmup").as_int(), steps) : constant_schedule(lr);
    const double clip = number(settings, "clip_norm", std::numeric_limits<double>::infinity());
    const std::string run = "train/" + kind;
    for (std::int64_t i = 0; i < steps; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const Tensor loss = t.model->forward(batch(i % 2)).loss;
      compare_scalar(run, str("loss ", i), loss.item(), record.at("loss").as_array().at(at).as_double());
      optimizer->zero_grad();
      loss.backward();
      compare_scalar(run, str("grad_norm ", i), clip_grad_norm(t.parameters, clip),
                     record.at("grad_norm").as_array().at(at).as_double());
      compare_scalar(run, str("lr ", i), schedule(i), record.at("lr").as_array().at(at).as_double());
      optimizer->step(schedule(i));
    }
    for (const TensorEntry& entry : expected_->entries()) {
      if (!entry.name.starts_with(run + "/")) continue;
      const std::string name = entry.name.substr(run.size() + 1);
      if (vanishes(name)) continue;
      const Tensor* parameter = t.find(name);
      const double error = parameter ? relative_error(*parameter, expected_->load(entry.name)) : 1;
      report_.add(run, name, error, tolerance_, error <= tolerance_);
    }
  }

  /// Two micro-batches, each loss weighed by 1/2 or by its share of the labelled tokens.
  void accumulate(const Json& record, const std::string& run) {
    const Trained t = open();
    double weights[2] = {0.5, 0.5};
    if (const Json* tokens = record.find("tokens")) {
      const double first = tokens->as_array().at(0).as_double(), second = tokens->as_array().at(1).as_double();
      weights[0] = first / (first + second);
      weights[1] = second / (first + second);
    }
    double total = 0;
    for (std::int64_t i = 0; i < 2; ++i) {
      const Tensor loss = t.model->forward(batch(i)).loss;
      total += weights[i] * loss.item();
      (loss * weights[i]).backward();
      if (record.at("loss").is_array())
        compare_scalar(run, str("loss ", i), loss.item(),
                       record.at("loss").as_array().at(static_cast<std::size_t>(i)).as_double());
    }
    if (record.at("loss").is_number()) compare_scalar(run, "loss", total, record.at("loss").as_double());
    compare_scalar(run, "grad_norm", clip_grad_norm(t.parameters), record.at("grad_norm").as_double());
    compare_gradients(t, run);
  }

  void label_smoothing(const Json& record) {
    const Trained t = open();
    ModelInputs in = batch(record.at("batch").as_int());
    in.label_smoothing = record.at("epsilon").as_double();
    compare_scalar("train/label_smoothing", "loss", t.model->forward(in).loss.item(), record.at("loss").as_double());
  }

  void compare_gradients(const Trained& t, const std::string& run) {
    for (const TensorEntry& entry : expected_->entries()) {
      if (!entry.name.starts_with(run + "/")) continue;
      const std::string name = entry.name.substr(run.size() + 1);
      const Tensor* parameter = t.find(name);
      const Tensor grad = parameter ? parameter->grad() : Tensor();
      if (!grad) {
        report_.add_exact(run, name + " (missing)", false);
      } else if (vanishes(name)) {
        double most = 0;
        for (const float g : grad.to_vector<float>()) most = std::max(most, std::fabs(static_cast<double>(g)));
        report_.add(run, name + " (vanishes)", most, 1e-5, most <= 1e-5);
      } else {
        const double error = relative_error(grad, expected_->load(entry.name));
        report_.add(run, name, error, tolerance_, error <= tolerance_);
      }
    }
  }

  void compare_scalar(const std::string& run, const std::string& item, double got, double expected) {
    const double error = got == expected ? 0 : std::fabs(got - expected) / std::max(std::fabs(expected), 1e-12);
    report_.add(run, item, error, scalar_tolerance, error <= scalar_tolerance);
  }

  bool vanishes(const std::string& name) const {
    return std::find(vanishing_.begin(), vanishing_.end(), name) != vanishing_.end();
  }

  const Case& case_;
  Report& report_;
  const Json& train_;
  double tolerance_;
  std::shared_ptr<const WeightSource> inputs_, expected_;
  std::vector<std::string> vanishing_;
};

}  // namespace

void run_train_cases(const Case& c, Report& report) { TrainCases(c, report).run(); }

}  // namespace trustformers::goldens
