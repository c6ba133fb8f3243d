#include "weights_cases.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "../../src/base/error.h"
#include "../../src/quantization/blocks.h"
#include "../../src/weights/gguf.h"
#include "../../src/weights/safetensors.h"
#include "guarded.h"

namespace trustformers::goldens {
namespace {

namespace fs = std::filesystem;

/// The elements as double; blocks are dequantised.
std::vector<double> values_of(const Tensor& tensor) {
  if (!is_block(tensor.dtype())) return tensor.to_vector<double>();
  std::vector<float> values(static_cast<std::size_t>(tensor.numel()));
  dequantize_row(tensor.dtype(), tensor.raw(), tensor.numel(), values.data());
  return {values.begin(), values.end()};
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Equal shapes and elements; 64-bit integers are compared as such.
bool equal_tensors(const Tensor& got, const Tensor& expected) {
  if (!(got.shape() == expected.shape())) return false;
  if (expected.dtype() == DType::i64) return got.to_vector<std::int64_t>() == expected.to_vector<std::int64_t>();
  const auto a = values_of(got), b = values_of(expected);
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

/// Every tensor of `expected` is in `source` and equal, and there are no others.
void compare_sources(const WeightSource& source, const WeightSource& expected, const std::string& run, Report& report) {
  report.add_exact(run, "number of tensors", source.entries().size() == expected.entries().size());
  for (const TensorEntry& entry : expected.entries())
    guarded(report, run, [&] {
      report.add_exact(run, entry.name, equal_tensors(source.load(entry.name), expected.load(entry.name)));
    });
}

// ---------------------------------------------------------------------------------------------------- safetensors

void run_bad_files(const fs::path& folder, const Json& description, Report& report) {
  for (const auto& [name, verdict] : description.at("verdict").as_object()) {
    const Json* values = verdict.find("ok");
    try {
      const auto source = open_safetensors(folder / (name + ".safetensors"));
      bool equal = values && source->entries().size() == values->size();
      for (const TensorEntry& entry : source->entries()) {
        const Json* expected = equal ? values->find(entry.name) : nullptr;
        const auto got = source->load(entry.name).to_vector<double>();
        equal = equal && expected && got.size() == expected->size() &&
                std::equal(got.begin(), got.end(), expected->as_array().begin(),
                           [](double g, const Json& e) { return g == e.as_double(); });
      }
      report.add_exact(name, values ? "values" : "refused", equal);
    } catch (const Error& error) {
      report.add_exact(name, values ? error.what() : "refused", !values && error.code() == ErrorCode::parse);
    }
  }
}

void run_dtypes(const fs::path& folder, const Json& description, Report& report) {
  const std::string& file = description.at("file").as_string();
  const auto source = open_safetensors(folder / file);
  compare_sources(*source, *open_safetensors(folder / "expected.safetensors"), file, report);
  const Json::Object& metadata = description.at("metadata").as_object();
  bool equal = metadata.size() == source->metadata().size();
  for (const auto& [key, text] : source->metadata()) {
    const Json* expected = description.at("metadata").find(key);
    equal = equal && expected && expected->as_string() == text;
  }
  report.add_exact(file, "metadata", equal);
}

std::string_view stored_name(std::string_view torch_name) {
  constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"float32", "F32"}, {"float16", "F16"}, {"bfloat16", "BF16"}, {"float64", "F64"}, {"int64", "I64"}};
  for (const auto& [torch, stored] : names)
    if (torch == torch_name) return stored;
  return torch_name;
}

/// What lies in the file under `name`: a tied tensor is stored once, under the name of an equal one.
std::string stored_under(const std::string& name, const Json& tensors, const WeightSource& source) {
  if (source.find(name)) return name;
  for (const auto& [other, description] : tensors.as_object())
    if (source.find(other) && description == tensors.at(name)) return other;
  return name;
}

void run_checkpoint(const fs::path& folder, const Json& description, Report& report) {
  const Json::Array& files = description.at("weights").as_array();
  const auto index =
      std::find_if(files.begin(), files.end(), [](const Json& f) { return f.as_string().ends_with(".json"); });
  const std::string& file =
      (index == files.end() ? files.front() : *index).as_string();  // an index stands for its shards
  const auto source = open_safetensors(folder / file);
  const Json config = Json::parse(read_text_file(folder / "config.json"), "config.json");
  const Json* tie = config.find("tie_word_embeddings");
  const bool tied = tie && tie->is_bool() && tie->as_bool();
  const Json& tensors = description.at("tensors");
  std::size_t stored = 0;
  for (const auto& [name, expected] : tensors.as_object())
    guarded(report, file, [&] {
      const std::string under = tied ? stored_under(name, tensors, *source) : name;
      if (under == name) ++stored;
      const TensorEntry* entry = source->find(under);
      check(entry != nullptr, ErrorCode::not_found, "no tensor ", name);
      Json::Array shape;
      for (const std::int64_t size : entry->shape) shape.emplace_back(size);
      report.add_exact(
          file, name + " shape and dtype",
          Json(shape) == expected.at("shape") && entry->stored == stored_name(expected.at("dtype").as_string()));
      double sum = 0, magnitude = 0;
      for (const double value : source->load(under).to_vector<double>()) sum += value, magnitude += std::fabs(value);
      // Only the order of summation may differ.
      const double bar = expected.at("abs").as_double();
      const double error =
          std::max(std::fabs(sum - expected.at("sum").as_double()), std::fabs(magnitude - bar)) / std::max(bar, 1e-300);
      report.add(file, name, error, 1e-12, error <= 1e-12);
    });
  report.add_exact(file, "number of tensors", source->entries().size() == stored);
}

// ---------------------------------------------------------------------------------------------------- GGUF types

/// The distance in units of the last place; 0 for equal bits, huge for different NaNs.
std::int64_t ulps(float a, float b) {
  const auto key = [](float value) {  // integers in the order of the floats
    const auto bits = std::bit_cast<std::int32_t>(value);
    return static_cast<std::int64_t>(
        bits < 0 ? std::numeric_limits<std::int32_t>::min() - static_cast<std::int64_t>(bits) : bits);
  };
  if (std::isnan(a) && std::isnan(b)) return 0;
  return std::abs(key(a) - key(b));
}

bool equal_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

double squared_error(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += (a[i] - static_cast<double>(b[i])) * (a[i] - static_cast<double>(b[i]));
  return sum;
}

void run_type(const GgufSource& source, const FileSource& expected, const std::string& type, const std::string& name,
              Report& report) {
  const std::string prefix = type + "/" + name + "/";
  const TensorEntry* entry = source.find(name);
  check(entry != nullptr, ErrorCode::not_found, "[goldens] no tensor ", name, " in ", source.describe());
  const auto blocks = source.raw(*entry);
  report.add_exact(type, name + " stored", entry->stored == type);
  report.add_exact(type, name + " bytes", equal_bytes(blocks, expected.raw(*expected.find(prefix + "raw"))));

  const auto values = expected.load(prefix + "values").to_vector<float>();
  std::vector<float> got(values.size());
  dequantize_row(entry->dtype, blocks.data(), element_count(entry->shape), got.data());
  std::int64_t distance = 0;
  for (std::size_t i = 0; i < got.size(); ++i) distance = std::max(distance, ulps(got[i], values[i]));
  report.add(type, name + " values (ulp)", static_cast<double>(distance), 1, distance <= 1);

  if (!expected.find(prefix + "source") || !can_quantize(entry->dtype)) return;
  const auto original = expected.load(prefix + "source").to_vector<float>();
  std::vector<std::byte> quantised(blocks.size());
  quantize_row(entry->dtype, original.data(), static_cast<std::int64_t>(original.size()), quantised.data());
  if (name == "quantised") return report.add_exact(type, name + " quantised bytes", equal_bytes(blocks, quantised));
  dequantize_row(entry->dtype, quantised.data(), static_cast<std::int64_t>(original.size()), got.data());
  const double ours = squared_error(got, original), bar = squared_error(values, original);
  report.add(type, name + " error against ggml's", ours / bar, 1, ours <= bar);
}

void run_types(const fs::path& folder, const Json& description, Report& report) {
  const auto expected = open_safetensors(folder / "expected.safetensors");
  for (const auto& [type, row] : description.at("types").as_object())
    guarded(report, type, [&] {
      const auto source = open_gguf(folder / row.at("file").as_string());
      for (const Json& name : row.at("tensors").as_array())
        run_type(*source, *expected, type, name.as_string(), report);
    });
}

// ---------------------------------------------------------------------------------------------------- GGUF containers

/// The case writes integers beyond 2^53 as text.
bool equal_value(const GgufValue& got, const Json& expected);

bool equal_array(const GgufValue& got, const Json& expected) {
  const auto elements = got.as_values();
  return expected.is_array() && std::equal(elements.begin(), elements.end(), expected.as_array().begin(),
                                           expected.as_array().end(), equal_value);
}

bool equal_value(const GgufValue& got, const Json& expected) {
  switch (got.type()) {
    case GgufType::array: return equal_array(got, expected);
    case GgufType::string: return expected.is_string() && got.as_string() == expected.as_string();
    case GgufType::boolean: return expected.is_bool() && got.as_bool() == expected.as_bool();
    case GgufType::f32:
      return expected.is_number() && got.as_double() == static_cast<double>(static_cast<float>(expected.as_double()));
    case GgufType::f64: return expected.is_number() && got.as_double() == expected.as_double();
    case GgufType::u64:
      // JSON numbers beyond 2^63 are doubles here.
      if (expected.is_number() && !expected.is_int()) return static_cast<double>(got.as_uint()) == expected.as_double();
      return str(got.as_uint()) == (expected.is_string() ? expected.as_string() : expected.dump());
    default: return str(got.as_int()) == (expected.is_string() ? expected.as_string() : expected.dump());
  }
}

std::string_view kind_name(GgufType type) {
  constexpr std::string_view names[] = {"UINT8", "INT8",   "UINT16", "INT16",  "UINT32", "INT32",  "FLOAT32",
                                        "BOOL",  "STRING", "ARRAY",  "UINT64", "INT64",  "FLOAT64"};
  return names[static_cast<std::size_t>(type)];
}

/// The type of a value, of an array's elements, of nested arrays' innermost elements.
GgufType innermost_type(const GgufValue& value) {
  if (value.element_type() != GgufType::array) return value.element_type();
  const auto elements = value.as_values();
  return elements.empty() ? GgufType::array : innermost_type(elements.front());
}

void run_container_file(const fs::path& path, const Json& description, const WeightSource& expected, Report& report) {
  const std::string file = path.filename().string();
  std::shared_ptr<GgufSource> source;
  try {
    source = open_gguf(path);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unsupported || error.message().find("big-endian") == std::string::npos) throw;
    return report.add_exact(file, "refused as big-endian", true);
  }
  compare_sources(*source, expected, file, report);
  for (const auto& [key, value] : description.at("metadata").as_object()) {
    const GgufValue* got = source->metadata().find(key);
    report.add_exact(file, key, got && equal_value(*got, value));
    report.add_exact(file, key + " type",
                     got && kind_name(innermost_type(*got)) == description.at("kinds").at(key).as_string());
  }
}

void run_container(const fs::path& folder, const Json& description, Report& report) {
  const auto expected = open_safetensors(folder / "expected.safetensors");
  for (const Json& file : description.at("files").as_array())
    guarded(report, file.as_string(),
            [&] { run_container_file(folder / file.as_string(), description, *expected, report); });
}

void run_shards(const fs::path& folder, const Json& description, Report& report) {
  const auto expected = open_safetensors(folder / "expected.safetensors");
  for (const Json& file : description.at("files").as_array())  // each shard stands for all
    guarded(report, file.as_string(),
            [&] { compare_sources(*open_gguf(folder / file.as_string()), *expected, file.as_string(), report); });
}

bool all_end_with(const Json& names, std::string_view ending) {
  return names.is_array() && names.size() > 0 &&
         std::all_of(names.as_array().begin(), names.as_array().end(),
                     [&](const Json& name) { return name.is_string() && name.as_string().ends_with(ending); });
}

}  // namespace

bool run_weights_case(const fs::path& folder, const Json& description, Report& report) {
  const Json* files = description.find("files");
  const Json* weights = description.find("weights");
  const Json* file = description.find("file");
  const auto has = [&](std::string_view key) { return description.find(key) != nullptr; };
  const Json* verdict = description.find("verdict");
  if (verdict && verdict->is_object() && verdict->size() > 0 && verdict->as_object().front().second.is_object())
    run_bad_files(folder, description, report);
  else if (file && file->is_string() && file->as_string().ends_with(".safetensors") && has("tensors"))
    run_dtypes(folder, description, report);
  else if (weights && weights->is_array() && weights->size() > 0 && has("tensors") &&
           weights->as_array().front().is_string() && weights->as_array().front().as_string().ends_with(".safetensors"))
    run_checkpoint(folder, description, report);
  else if (has("types") && description.at("types").is_object())
    run_types(folder, description, report);
  else if (files && all_end_with(*files, ".gguf") && has("kinds"))
    run_container(folder, description, report);
  else if (files && all_end_with(*files, ".gguf"))
    run_shards(folder, description, report);
  else
    return false;
  return true;
}

}  // namespace trustformers::goldens
