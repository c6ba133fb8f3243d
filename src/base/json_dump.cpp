// Writing JSON, kept apart from reading it.
#include <charconv>
#include <cmath>

#include "json.h"
#include "number_text.h"
#include "utf8.h"

namespace trustformers {
namespace {

void write_string(std::string& out, std::string_view raw) {
  const std::string fixed = is_valid_utf8(raw) ? std::string() : replace_invalid_utf8(raw);
  const std::string_view text = fixed.empty() ? raw : std::string_view(fixed);
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (const auto byte = static_cast<unsigned char>(c); byte < 0x20) {
          constexpr std::string_view digits = "0123456789abcdef";
          out += "\\u00";
          out += digits[byte >> 4];
          out += digits[byte & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void write_integer(std::string& out, std::int64_t value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
}

/// What std::to_chars writes: the shortest text that reads back as the same number, without an exponent where that is
/// no longer. A point or an exponent tells it from an integer.
void write_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::signbit(value)) out += '-';
  if (std::isinf(value)) {
    out += "Infinity";
    return;
  }
  const auto [digits, exponent] = shortest_digits(std::abs(value));
  const auto count = static_cast<int>(digits.size());
  const auto zeros = [](int number) { return std::string(static_cast<std::size_t>(number), '0'); };
  const int plain_size = exponent < 0 ? count + 1 - exponent : count <= exponent + 1 ? exponent + 1 : count + 1;
  const int short_size = count + (count > 1 ? 1 : 0) + (std::abs(exponent) < 100 ? 4 : 5);
  if (plain_size > short_size) {
    out += digits[0];
    if (count > 1) out.append(".").append(digits, 1);
    out += exponent < 0 ? "e-" : "e+";
    if (std::abs(exponent) < 10) out += '0';
    write_integer(out, std::abs(exponent));
  } else if (exponent < 0) {
    out.append("0.").append(zeros(-exponent - 1)).append(digits);
  } else if (count > exponent + 1) {
    const auto point = static_cast<std::size_t>(exponent) + 1;
    out.append(digits, 0, point).append(".").append(digits, point);
  } else {
    out += number_text(std::abs(value), 'f', 1);  // all its digits, where those that are needed are fewer
  }
}

void write_leaf(std::string& out, const Json& value) {
  if (value.is_null()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.as_bool() ? "true" : "false";
  } else if (value.is_int()) {
    write_integer(out, value.as_int());
  } else if (value.is_number()) {
    write_double(out, value.as_double());
  } else {
    write_string(out, value.as_string());
  }
}

}  // namespace

std::string Json::dump(int indent) const {
  struct Open {
    const Json* value;
    std::size_t next;
  };
  std::string out;
  std::vector<Open> open;  // in place of recursion
  const auto new_line = [&] {
    if (indent < 0) return;
    out += '\n';
    out.append(open.size() * static_cast<std::size_t>(indent), ' ');
  };
  const auto write = [&](const Json& value) {
    if (value.is_array() || value.is_object()) {
      out += value.is_array() ? '[' : '{';
      open.push_back({&value, 0});
    } else {
      write_leaf(out, value);
    }
  };
  write(*this);
  while (!open.empty()) {
    const Json& value = *open.back().value;
    const std::size_t i = open.back().next++;
    if (i == value.size()) {
      open.pop_back();
      if (i > 0) new_line();
      out += value.is_array() ? ']' : '}';
      continue;
    }
    if (i > 0) out += ',';
    new_line();
    if (value.is_array()) {
      write(value.as_array()[i]);
    } else {
      const Member& member = value.as_object()[i];
      write_string(out, member.first);
      out += indent < 0 ? ":" : ": ";
      write(member.second);
    }
  }
  return out;
}

}  // namespace trustformers
