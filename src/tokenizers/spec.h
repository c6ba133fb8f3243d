// Reads one component of a tokenizer.json; every error names the full key, as `normalizer.normalizers[2].pattern`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../base/error.h"
#include "../base/json.h"

namespace trustformers {

class Spec {
 public:
  Spec(const Json& json, std::string path) : json_(&json), path_(std::move(path)) {}

  const Json& json() const { return *json_; }
  const std::string& path() const { return path_; }
  std::string type() const { return text("type"); }
  bool has(std::string_view key) const {
    const Json* member = json_->find(key);
    return member && !member->is_null();
  }

  Spec at(std::string_view key) const { return {json_->at(key, path_), path_of(key)}; }
  std::vector<Spec> list(std::string_view key) const {
    const Spec member = at(key);
    return member.items();
  }
  std::vector<Spec> items() const {
    std::vector<Spec> specs;
    for (const Json& item : json_->as_array(path_)) specs.emplace_back(item, str(path_, '[', specs.size(), ']'));
    return specs;
  }

  std::string text(std::string_view key) const { return json_->at(key, path_).as_string(path_of(key)); }
  std::string text(std::string_view key, std::string_view otherwise) const {
    return has(key) ? text(key) : std::string(otherwise);
  }
  bool flag(std::string_view key) const { return json_->at(key, path_).as_bool(path_of(key)); }
  bool flag(std::string_view key, bool otherwise) const { return has(key) ? flag(key) : otherwise; }
  std::int64_t integer(std::string_view key) const { return json_->at(key, path_).as_int(path_of(key)); }
  /// A count or length: an integer of at least 0.
  std::size_t size(std::string_view key) const {
    const std::int64_t value = integer(key);
    check(value >= 0, ErrorCode::parse, "[tokenizer] ", path_of(key), " must not be negative, got ", value);
    return static_cast<std::size_t>(value);
  }
  std::size_t size(std::string_view key, std::size_t otherwise) const { return has(key) ? size(key) : otherwise; }

  std::string path_of(std::string_view key) const { return str(path_, '.', key); }
  [[noreturn]] void unsupported(std::string_view what) const {
    fail(ErrorCode::unsupported, "[tokenizer] ", path_, ": ", what, " is not supported");
  }

 private:
  const Json* json_;
  std::string path_;
};

}  // namespace trustformers
