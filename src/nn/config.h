// Declaring a config once and visiting it many ways: fields(v) of a config struct lists every key with its member.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../base/error.h"
#include "../base/json.h"

namespace trustformers {

using Aliases = std::initializer_list<std::string_view>;

/// How a file spells the keys for which it has another name than ours.
class KeySpellings {
 public:
  /// The file's spelling of `key`.
  std::string_view operator()(std::string_view key) const;
  void add(std::string_view key, std::string_view spelled) { spelled_.emplace_back(key, spelled); }

 private:
  std::vector<std::pair<std::string_view, std::string_view>> spelled_;
};

/// Fills members from a config.json object. A key that is absent or null keeps the member's value; an alias is another
/// spelling of the key ("n_embd" for "hidden_size"). Errors are ErrorCode::parse and name the key, as the file spells
/// it, and the file.
class ConfigReader {
 public:
  ConfigReader(const Json& object, std::string_view where) : object_(object), where_(where) {}

  template <class T>
  void operator()(std::string_view key, T& value, Aliases aliases = {}) {
    if (const Found found = find(key, aliases); found.value) read(*found.value, found.key, value);
  }
  /// A number whose null means none, which is 0; when the key is absent the member's value stays.
  template <class T>
  void nullable(std::string_view key, T& value, Aliases aliases = {}) {
    const Json* found = object_.find(key);
    if (found && found->is_null()) value = T{};
    (*this)(key, value, aliases);
  }
  /// A key that must be there.
  template <class T>
  void required(std::string_view key, T& value, Aliases aliases = {}) {
    const Found found = find(key, aliases);
    check(found.value != nullptr, ErrorCode::parse, "[config] ", where_, " lacks the key \"", key, "\"");
    read(*found.value, found.key, value);
  }
  /// A count that must be there and lie in [1, 2^31).
  void size(std::string_view key, std::int64_t& value, Aliases aliases = {}) {
    required(key, value, aliases);
    check(value >= 1 && value < (std::int64_t{1} << 31), ErrorCode::parse, "[config] ", where_, ": \"", spellings_(key),
          "\" must be a positive number below 2^31, got ", value);
  }

  const Json& object() const { return object_; }
  std::string_view where() const { return where_; }
  /// Of the keys read so far.
  const KeySpellings& spellings() const { return spellings_; }

 private:
  struct Found {
    const Json* value = nullptr;
    std::string_view key;  // as the file spells it
  };
  Found find(std::string_view key, Aliases aliases);
  std::string path(std::string_view key) const { return std::string(where_) + ": \"" + std::string(key) + "\""; }

  void read(const Json& json, std::string_view key, bool& value) const { value = json.as_bool(path(key)); }
  void read(const Json& json, std::string_view key, std::int64_t& value) const { value = json.as_int(path(key)); }
  void read(const Json& json, std::string_view key, double& value) const { value = json.as_double(path(key)); }
  void read(const Json& json, std::string_view key, std::string& value) const { value = json.as_string(path(key)); }
  template <class T>
  void read(const Json& json, std::string_view key, std::optional<T>& value) const {
    read(json, key, value.emplace());
  }
  /// A list, or one value that stands for a list of one (eos_token_id).
  template <class T>
  void read(const Json& json, std::string_view key, std::vector<T>& value) const {
    value.clear();
    if (!json.is_array()) {
      read(json, key, value.emplace_back());
      return;
    }
    for (const Json& item : json.as_array()) read(item, key, value.emplace_back());
  }

  const Json& object_;
  std::string_view where_;
  KeySpellings spellings_;
};

/// Writes the members back, under the first spelling.
class ConfigWriter {
 public:
  template <class T>
  void operator()(std::string_view key, T& value, Aliases = {}) {
    object_.set(key, to_json(value));
  }
  template <class T>
  void nullable(std::string_view key, T& value, Aliases = {}) {
    object_.set(key, value == T{} ? Json() : to_json(value));
  }
  template <class T>
  void required(std::string_view key, T& value, Aliases = {}) {
    object_.set(key, to_json(value));
  }
  void size(std::string_view key, std::int64_t& value, Aliases = {}) { object_.set(key, Json(value)); }
  Json take() { return std::move(object_); }

 private:
  template <class T>
  static Json to_json(const T& value) {
    return Json(value);
  }
  template <class T>
  static Json to_json(const std::optional<T>& value) {
    return value ? Json(*value) : Json();
  }
  template <class T>
  static Json to_json(const std::vector<T>& values) {
    Json::Array items;
    for (const T& value : values) items.push_back(Json(value));
    return Json(std::move(items));
  }
  Json object_ = Json::object();
};

/// Fills a config struct with `fields(v)`; its member `spelled`, if it has one, learns the file's spellings.
template <class Config>
void read_config_into(Config& config, const Json& object, std::string_view where) {
  ConfigReader reader(object, where);
  config.fields(reader);
  if constexpr (requires { config.spelled; }) config.spelled = reader.spellings();
}
template <class Config>
Config read_config(const Json& object, std::string_view where = "config.json") {
  Config config;
  read_config_into(config, object, where);
  return config;
}

}  // namespace trustformers
