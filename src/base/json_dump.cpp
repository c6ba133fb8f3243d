// Writing JSON, kept apart from reading it.
#include <charconv>
#include <cmath>

#include "json.h"
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

template <class Number>
void write_number(std::string& out, Number value) {
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out.append(buffer, result.ptr);
}

void write_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "Infinity" : "-Infinity";
  } else {
    const std::size_t start = out.size();
    write_number(out, value);
    // Without this it would read back as an integer.
    if (out.find_first_of(".e", start) == std::string::npos) out += ".0";
  }
}

void write_leaf(std::string& out, const Json& value) {
  if (value.is_null()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.as_bool() ? "true" : "false";
  } else if (value.is_int()) {
    write_number(out, value.as_int());
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
