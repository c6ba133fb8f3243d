#include "json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <new>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "error.h"
#include "utf8.h"

namespace trustformers {
namespace {

/// A token of Python's that JSON does not have, replaced by a number of the same length before the lexer sees it.
struct NonFinite {
  std::size_t offset;
  double value;
};

constexpr std::pair<std::string_view, double> non_finite_names[] = {
    {"NaN", std::numeric_limits<double>::quiet_NaN()},
    {"Infinity", std::numeric_limits<double>::infinity()},
    {"-Infinity", -std::numeric_limits<double>::infinity()}};

/// Finds them outside strings. Only whole tokens count: "1NaN" stays for the lexer to refuse.
std::vector<NonFinite> find_non_finite(std::string_view text) {
  std::vector<NonFinite> found;
  constexpr std::string_view before = " \t\r\n[,:", after = " \t\r\n,]}";
  bool token_start = true;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at)
        if (text[at] == '\\') ++at;
      token_start = false;
      continue;
    }
    if (token_start && (text[at] == 'N' || text[at] == 'I' || text[at] == '-'))
      for (const auto& [name, value] : non_finite_names) {
        const std::size_t end = at + name.size();
        if (text.substr(at).starts_with(name) &&
            (end == text.size() || after.find(text[end]) != std::string_view::npos))
          found.push_back({at, value});
      }
    token_start = before.find(text[at]) != std::string_view::npos;
  }
  return found;
}

std::size_t length_of(const NonFinite& token) { return std::isnan(token.value) ? 3 : token.value > 0 ? 8 : 9; }

/// Iterates over bytes and tells how many were taken, which gives events a place in the text.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** last) : at_(at), last_(last) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *last_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  const char** last_;
};

/// Builds the value from the parser's events; the parser itself keeps no stack of calls.
class Builder {
 public:
  Builder(std::string_view text, std::string_view where, const JsonLimits& limits, std::vector<NonFinite> non_finite)
      : text_(text), where_(where), limits_(limits), non_finite_(std::move(non_finite)), last_(text.data()) {}

  const char** last() { return &last_; }
  Json take() { return std::move(result_); }

  bool null() { return add(Json()); }
  bool boolean(bool value) { return add(Json(value)); }
  bool number_integer(std::int64_t value) { return add(Json(value)); }
  bool number_unsigned(std::uint64_t value) { return add(Json(value)); }
  bool number_float(double value, const std::string&) {
    if (next_non_finite_ < non_finite_.size() && non_finite_[next_non_finite_].offset < taken())
      value = non_finite_[next_non_finite_++].value;
    return add(Json(value));
  }
  bool string(std::string& value) { return add(Json(std::move(value))); }
  template <class Bytes>
  bool binary(Bytes&) {
    return false;  // no such thing in text
  }
  bool start_object(std::size_t) { return open(true); }
  bool start_array(std::size_t) { return open(false); }
  bool key(std::string& name) {
    open_.back().key = std::move(name);
    return true;
  }
  bool end_object() {
    Json::Object members = std::move(open_.back().members);
    open_.pop_back();
    merge_duplicates(members);
    return add(Json(std::move(members)));
  }
  bool end_array() {
    Json::Array items = std::move(open_.back().items);
    open_.pop_back();
    return add(Json(std::move(items)));
  }
  bool parse_error(std::size_t position, const std::string&, const std::exception& error) {
    std::string_view what = error.what();
    // "[json.exception...] parse error at line L, column C: the reason": the place is said in our own way.
    const auto column = what.find(", column ");
    const auto colon = column == std::string_view::npos ? column : what.find(": ", column);
    what.remove_prefix(colon != std::string_view::npos ? colon + 2 : std::min(what.find("] ") + 2, what.size()));
    refuse(std::max<std::size_t>(position, 1) - 1, replace_invalid_utf8(what.substr(0, 200)));
  }

  [[noreturn]] void refuse(std::size_t offset, std::string_view reason) const {
    const std::string_view read = text_.substr(0, std::min(offset, text_.size()));
    const auto line_start = read.rfind('\n') + 1;  // npos + 1 is 0
    fail(ErrorCode::parse, "[", where_, "] line ", 1 + std::count(read.begin(), read.end(), '\n'), ", column ",
         1 + count_code_points(read.substr(line_start)), ": ", reason);
  }

 private:
  struct Open {
    bool is_object;
    std::string key;
    Json::Object members;
    Json::Array items;
  };

  std::size_t taken() const { return static_cast<std::size_t>(last_ - text_.data()); }

  bool open(bool is_object) {
    if (open_.size() >= limits_.max_depth)
      refuse(taken() - 1, str("nested deeper than ", limits_.max_depth, " levels"));
    open_.push_back({is_object, {}, {}, {}});
    return true;
  }

  bool add(Json value) {
    if (open_.empty()) {
      result_ = std::move(value);
    } else if (Open& top = open_.back(); top.is_object) {
      top.members.emplace_back(std::move(top.key), std::move(value));
    } else {
      top.items.push_back(std::move(value));
    }
    return true;
  }

  /// The first place and the last value of a repeated key stay, as in Python.
  void merge_duplicates(Json::Object& members) const {
    std::unordered_map<std::string_view, std::size_t> places;
    places.reserve(members.size());
    std::vector<bool> repeated(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto [place, fresh] = places.try_emplace(members[i].first, i);
      if (fresh) continue;
      if (!limits_.allow_duplicate_keys)
        refuse(taken() - 1, str("the object that ends here has the key \"", members[i].first, "\" twice"));
      members[place->second].second = std::move(members[i].second);
      repeated[i] = true;
    }
    if (places.size() == members.size()) return;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (repeated[i]) continue;
      if (kept != i) members[kept] = std::move(members[i]);
      ++kept;
    }
    members.resize(kept);
  }

  std::string_view text_;
  std::string_view where_;
  const JsonLimits& limits_;
  std::vector<NonFinite> non_finite_;
  std::size_t next_non_finite_ = 0;
  const char* last_;
  std::vector<Open> open_;
  Json result_;
};

[[noreturn]] void wrong_type(std::string_view path, std::string_view wanted, const Json& value) {
  fail(ErrorCode::parse, "[", path, "] expected ", wanted, ", got ", value.type_name());
}

}  // namespace

Json Json::parse(std::string_view text, std::string_view where, const JsonLimits& limits) {
  std::vector<NonFinite> non_finite;
  std::string replaced;
  if (limits.allow_non_finite &&
      (text.find("NaN") != std::string_view::npos || text.find("Infinity") != std::string_view::npos))
    non_finite = find_non_finite(text);
  if (!non_finite.empty()) {
    replaced = text;
    for (const NonFinite& token : non_finite)
      replaced.replace(token.offset, length_of(token), "0.0000000", length_of(token));
    text = replaced;
  }
  Builder builder(text, where, limits, std::move(non_finite));
  // The lexer takes a zero byte for the end of the text.
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) builder.refuse(zero, "a zero byte");
  nlohmann::json::sax_parse(CountingIterator(text.data(), builder.last()),
                            CountingIterator(text.data() + text.size(), builder.last()), &builder);
  return builder.take();
}

void Json::release_children() noexcept {
  const auto is_nested = [](const Json& value) { return value.size() > 0; };
  const auto take_nested = [&](Json& value, Array& rest) {
    if (auto* items = std::get_if<Array>(&value.value_)) {
      for (Json& item : *items)
        if (is_nested(item)) rest.push_back(std::move(item));
    } else if (auto* members = std::get_if<Object>(&value.value_)) {
      for (Member& member : *members)
        if (is_nested(member.second)) rest.push_back(std::move(member.second));
    }
  };
  try {
    Array rest;
    take_nested(*this, rest);
    while (!rest.empty()) {
      Json last = std::move(rest.back());
      rest.pop_back();
      take_nested(last, rest);
    }
  } catch (const std::bad_alloc&) {
    // What was not taken apart is destroyed level by level.
  }
}

std::string_view Json::type_name() const {
  constexpr std::string_view names[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
  return names[value_.index()];
}

bool Json::as_bool(std::string_view path) const {
  if (const auto* value = std::get_if<bool>(&value_)) return *value;
  wrong_type(path, "a boolean", *this);
}

std::int64_t Json::as_int(std::string_view path) const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
  const auto* value = std::get_if<double>(&value_);
  if (value == nullptr) wrong_type(path, "an integer", *this);
  check(*value >= -0x1p63 && *value < 0x1p63 && std::trunc(*value) == *value, ErrorCode::parse, "[", path,
        "] expected an integer of 64 bits, got ", dump());
  return static_cast<std::int64_t>(*value);
}

double Json::as_double(std::string_view path) const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
  wrong_type(path, "a number", *this);
}

const std::string& Json::as_string(std::string_view path) const {
  if (const auto* value = std::get_if<std::string>(&value_)) return *value;
  wrong_type(path, "a string", *this);
}

const Json::Array& Json::as_array(std::string_view path) const {
  if (const auto* value = std::get_if<Array>(&value_)) return *value;
  wrong_type(path, "an array", *this);
}

const Json::Object& Json::as_object(std::string_view path) const {
  if (const auto* value = std::get_if<Object>(&value_)) return *value;
  wrong_type(path, "an object", *this);
}

Json::Array& Json::as_array(std::string_view path) { return const_cast<Array&>(std::as_const(*this).as_array(path)); }
Json::Object& Json::as_object(std::string_view path) {
  return const_cast<Object&>(std::as_const(*this).as_object(path));
}

const Json* Json::find(std::string_view key) const {
  if (const auto* members = std::get_if<Object>(&value_))
    for (const Member& member : *members)
      if (member.first == key) return &member.second;
  return nullptr;
}

const Json& Json::at(std::string_view key, std::string_view path) const {
  const Json* const member = find(key);
  if (member == nullptr && !is_object()) wrong_type(path, str("an object with \"", key, "\""), *this);
  check(member != nullptr, ErrorCode::parse, "[", path, "] has no \"", key, "\"");
  return *member;
}

void Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object();
  Object& members = as_object(key);
  for (Member& member : members)
    if (member.first == key) {
      member.second = std::move(value);
      return;
    }
  members.emplace_back(std::string(key), std::move(value));
}

std::size_t Json::size() const {
  if (const auto* items = std::get_if<Array>(&value_)) return items->size();
  if (const auto* members = std::get_if<Object>(&value_)) return members->size();
  return 0;
}

bool operator==(const Json& a, const Json& b) {
  if (a.is_object() && b.is_object()) {
    return a.size() == b.size() && std::ranges::all_of(a.as_object(), [&](const Json::Member& member) {
             const Json* const other = b.find(member.first);
             return other != nullptr && member.second == *other;
           });
  }
  return a.value_ == b.value_;
}

}  // namespace trustformers
