#include "auto.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "../base/file.h"
#include "../nn/adapter.h"
#include "../ops/elementwise/unary.h"
#include "../weights/gguf.h"
#include "../weights/open.h"

namespace trustformers {

/// Gives a model what all models have.
struct ModelBuilder {
  static std::unique_ptr<Model> build(const Architecture& architecture, const ModelClass& model_class,
                                      const Json& config, std::string_view where,
                                      const std::shared_ptr<Parameters>& parameters) {
    std::unique_ptr<Model> model =
        with_context([&] { return str("while building ", model_class.name, " (", architecture.model_type, ")"); },
                     [&] {
                       std::unique_ptr<Model> built = model_class.make(config, where, Scope(parameters));
                       parameters->finish();
                       return built;
                     });
    model->parameters_ = parameters;
    model->config_ = config;
    model->class_name_ = model_class.name;
    return model;
  }
};

namespace {

const Architecture& architecture_of(const Json& config, std::string_view where) {
  const std::string model_type = config.at("model_type", where).as_string(str(where, ": \"model_type\""));
  const Architecture* found = find_architecture(model_type);
  if (!found) {
    std::string known;
    for (const Architecture& a : all_architectures()) known += (known.empty() ? "" : ", ") + std::string(a.model_type);
    fail(ErrorCode::unsupported, "[model] ", where, " is of model_type \"", model_type, "\"; supported are ", known);
  }
  return *found;
}

const ModelClass& class_of(const Architecture& architecture, const LoadOptions& options) {
  for (const ModelClass& c : architecture.classes)
    if (options.class_name.empty() ? c.task == options.task : c.name == options.class_name) return c;
  fail(ErrorCode::unsupported, "[model] ", architecture.model_type, " has no ",
       options.class_name.empty() ? std::string(to_string(options.task)) : options.class_name);
}

Json gguf_config(const GgufMetadata& metadata, const WeightSource& source, const Architecture& architecture) {
  Json config = architecture.gguf.config(metadata);
  const TensorEntry* table = source.find("token_embd.weight");
  check(table && table->shape.size() == 2, ErrorCode::not_found, "[gguf] ", source.describe(),
        " has no matrix token_embd.weight");
  config.set("vocab_size", Json(table->shape[0]));
  if (const TensorEntry* types = source.find("token_types.weight"); types && !types->shape.empty())
    config.set("type_vocab_size", Json(types->shape[0]));
  config.set("tie_word_embeddings", Json(source.find("output.weight") == nullptr));
  if (source.find("blk.0.attn_q.weight"))
    config.set("attention_bias", Json(source.find("blk.0.attn_q.bias") != nullptr));
  // Llama 3's frequency scaling comes as one factor a frequency; longrope with equal factors is the same thing.
  if (source.find("rope_freqs.weight")) {
    Json::Array factors;
    for (const double f : cast(source.load("rope_freqs.weight"), DType::f32).to_vector<double>())
      factors.push_back(Json(f));
    Json rope = Json::object();
    rope.set("rope_type", Json("longrope"));
    rope.set("rope_theta", config.at("rope_parameters").at("rope_theta"));
    rope.set("attention_factor", Json(1.0));
    rope.set("short_factor", Json(factors));
    rope.set("long_factor", Json(std::move(factors)));
    config.set("rope_parameters", std::move(rope));
  }
  if (architecture.gguf.from_tensors) architecture.gguf.from_tensors(source, config);
  return config;
}

/// "model.layers.12.mlp" as "model.layers.#.mlp" with the number apart; modules have at most one number.
struct Numbered {
  std::string pattern;
  std::string number;
};
Numbered split_number(std::string_view name) {
  Numbered out;
  std::size_t at = 0;
  while (at < name.size()) {
    const std::size_t end = std::min(name.find('.', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    const bool digits =
        !part.empty() && std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (at > 0) out.pattern += '.';
    out.pattern += digits && out.number.empty() ? "#" : std::string(part);
    if (digits && out.number.empty()) out.number = part;
    at = end + 1;
  }
  return out;
}

std::string with_number(std::string_view pattern, const std::string& number) {
  std::string out(pattern);
  if (const std::size_t at = out.find('#'); at != std::string::npos) out.replace(at, 1, number);
  return out;
}

Parameters::NameMap gguf_names(const Architecture& architecture, const Json& config) {
  return [&architecture, config](const std::string& name) -> std::vector<StoredName> {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string::npos) return {};
    const Numbered whole = split_number(name);
    const Numbered module = split_number(std::string_view(name).substr(0, dot));
    const std::string prefix = std::string(architecture.base_prefix) + ".";
    for (const GgufName& row : architecture.gguf.names) {
      // The table has names as one class has them; others carry the body's prefix or lack it.
      if (whole.pattern == row.ours) return {{with_number(row.theirs, whole.number), nullptr}};
      if (module.pattern != row.ours && prefix + module.pattern != row.ours && module.pattern != prefix + row.ours)
        continue;
      const bool transforms = row.transform && (row.transforms_bias || !name.ends_with(".bias"));
      return {
          {with_number(row.theirs, module.number) + name.substr(dot), transforms ? row.transform(config) : nullptr}};
    }
    return {};
  };
}

Parameters::NameMap folder_names(const Architecture& architecture) {
  return [prefix = std::string(architecture.base_prefix) + "."](const std::string& name) {
    std::vector<StoredName> out;
    const auto add = [&](const std::string& candidate) {
      out.push_back({candidate, nullptr});
      // The first TensorFlow conversions call the norms' vectors gamma and beta.
      if (candidate.ends_with("LayerNorm.weight"))
        out.push_back({candidate.substr(0, candidate.size() - 6) + "gamma", nullptr});
      if (candidate.ends_with("LayerNorm.bias"))
        out.push_back({candidate.substr(0, candidate.size() - 4) + "beta", nullptr});
    };
    add(name);
    add(name.starts_with(prefix) ? name.substr(prefix.size()) : prefix + name);
    return out;
  };
}

}  // namespace

Parameters::NameMap checkpoint_names(const Checkpoint& checkpoint) {
  return checkpoint.gguf ? gguf_names(*checkpoint.architecture, checkpoint.config)
                         : folder_names(*checkpoint.architecture);
}

Checkpoint make_checkpoint(std::string_view config_text, std::string_view path,
                           std::shared_ptr<const WeightSource> weights) {
  Json config = Json::parse(config_text, path);
  check(config.is_object(), ErrorCode::parse, "[config] ", path, " must hold an object, got ", config.type_name());
  const Architecture& architecture = architecture_of(config, path);
  return {path, std::move(config), std::string(path), std::move(weights), &architecture, false};
}

Checkpoint make_gguf_checkpoint(const GgufMetadata& metadata, std::string_view path,
                                std::shared_ptr<const WeightSource> weights) {
  const std::string name(metadata.get_string("general.architecture"));
  const Architecture* architecture = find_gguf_architecture(name);
  check(architecture != nullptr, ErrorCode::unsupported, "[gguf] ", path, " holds the architecture \"", name,
        "\", which is not supported");
  Json config = gguf_config(metadata, *weights, *architecture);
  // one name in files may stand for several model types
  return {path, config, std::string(path), std::move(weights), &architecture_of(config, path), true};
}

Checkpoint open_checkpoint(const std::filesystem::path& path) {
  check(std::filesystem::exists(path), ErrorCode::not_found, "[model] there is no ", path.string());
  const bool folder = std::filesystem::is_directory(path);
  const std::filesystem::path weights = folder ? find_weights(path) : path;
  Checkpoint out;
  if (weights.extension() == ".gguf") {
    const std::shared_ptr<GgufSource> source = open_gguf(weights);
    out = make_gguf_checkpoint(source->metadata(), weights.string(), source);
  } else {
    const std::filesystem::path config = (folder ? path : path.parent_path()) / "config.json";
    out = make_checkpoint(read_text_file(config, std::uint64_t{64} << 20), config.string(), open_weights(weights));
  }
  out.path = path;
  return out;
}

std::unique_ptr<Model> load_model(const Checkpoint& checkpoint, const LoadOptions& options) {
  ParameterOptions parameter_options = options.parameters;
  std::shared_ptr<const Adapter> adapter;
  if (!options.adapter.empty()) {
    adapter = Adapter::open(options.adapter);
    parameter_options.adapter = adapter;
  }
  const auto parameters = Parameters::load(checkpoint.weights, checkpoint_names(checkpoint), parameter_options);
  const ModelClass& model_class = class_of(*checkpoint.architecture, options);
  std::unique_ptr<Model> model = ModelBuilder::build(*checkpoint.architecture, model_class, checkpoint.config,
                                                     checkpoint.config_where, parameters);
  if (adapter) adapter->check_all_used();
  return model;
}

std::unique_ptr<Model> init_model(const Json& config, std::uint64_t seed, const LoadOptions& options) {
  const Architecture& architecture = architecture_of(config, "config");
  return ModelBuilder::build(architecture, class_of(architecture, options), config, "config",
                             Parameters::init(seed, options.parameters));
}

std::unique_ptr<Model> meta_model(const Json& config, const LoadOptions& options) {
  const Architecture& architecture = architecture_of(config, "config");
  return ModelBuilder::build(architecture, class_of(architecture, options), config, "config", Parameters::meta());
}

}  // namespace trustformers
