#include "text.h"

#include <utf8proc.h>

#include <algorithm>

#include "../../base/json.h"

namespace trustformers::jinja {
namespace {

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0u) == 0x80u;
}

template <class Map>
std::string map_points(std::string_view text, Map&& map) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = point_size(text, at);
    const char32_t point = point_at(text, at);
    const char32_t mapped = map(point);
    if (mapped == point)
      result.append(text.substr(at, size));
    else
      append_utf8(result, mapped);
    at += size;
  }
  return result;
}

char32_t upper(char32_t point) { return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(point))); }
char32_t lower(char32_t point) { return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(point))); }
char32_t title(char32_t point) { return static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(point))); }
utf8proc_category_t category(char32_t point) { return utf8proc_category(static_cast<utf8proc_int32_t>(point)); }

bool in_set(char32_t point, const std::string_view* set) {
  if (set == nullptr) return is_space(point);
  for (std::size_t at = 0; at < set->size(); at += point_size(*set, at))
    if (point_at(*set, at) == point) return true;
  return false;
}

}  // namespace

std::vector<std::size_t> point_offsets(std::string_view text) {
  std::vector<std::size_t> offsets;
  offsets.reserve(text.size() + 1);
  for (std::size_t at = 0; at < text.size(); at += point_size(text, at)) offsets.push_back(at);
  offsets.push_back(text.size());
  return offsets;
}

bool is_space(char32_t point) {
  return (point >= 0x09 && point <= 0x0d) || (point >= 0x1c && point <= 0x20) || point == 0x85 || point == 0xa0 ||
         point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
         point == 0x202f || point == 0x205f || point == 0x3000;
}

bool is_printable(char32_t point) {
  if (point == ' ') return true;
  switch (category(point)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return false;
    default: return true;
  }
}

bool is_letter(char32_t point) {
  const utf8proc_category_t kind = category(point);
  return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
}
bool is_digit(char32_t point) { return category(point) == UTF8PROC_CATEGORY_ND; }
bool is_upper(char32_t point) {
  const utf8proc_category_t kind = category(point);
  return kind == UTF8PROC_CATEGORY_LU || kind == UTF8PROC_CATEGORY_LT;
}
bool is_lower(char32_t point) { return category(point) == UTF8PROC_CATEGORY_LL; }

std::string to_upper(std::string_view text) { return map_points(text, upper); }
std::string to_lower(std::string_view text) { return map_points(text, lower); }

std::string capitalize(std::string_view text) {
  bool first = true;
  return map_points(text, [&](char32_t point) { return std::exchange(first, false) ? title(point) : lower(point); });
}

std::string title_case(std::string_view text) {
  bool inside = false;
  return map_points(text, [&](char32_t point) {
    const bool was_inside = std::exchange(inside, is_letter(point));
    return was_inside ? lower(point) : title(point);
  });
}

std::string_view strip(std::string_view text, Side side, const std::string_view* set) {
  std::size_t begin = 0;
  std::size_t end = text.size();
  if (side != Side::right)
    while (begin < end && in_set(point_at(text, begin), set)) begin += point_size(text, begin);
  while (side != Side::left && end > begin) {
    std::size_t last = end - 1;
    while (last > begin && end - last < 4 && continues(text, last)) --last;
    if (point_size(text, last) != end - last) last = end - 1;
    if (!in_set(point_at(text, last), set)) break;
    end = last;
  }
  return text.substr(begin, end - begin);
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator, std::int64_t max_splits) {
  std::vector<std::string_view> parts;
  std::size_t from = 0;
  while (max_splits < 0 || static_cast<std::int64_t>(parts.size()) < max_splits) {
    const std::size_t found = text.find(separator, from);
    if (found == std::string_view::npos) break;
    parts.push_back(text.substr(from, found - from));
    from = found + separator.size();
  }
  parts.push_back(text.substr(from));
  return parts;
}

std::vector<std::string_view> split_from_right(std::string_view text, std::string_view separator,
                                               std::int64_t max_splits) {
  std::vector<std::string_view> parts;
  while (max_splits < 0 || static_cast<std::int64_t>(parts.size()) < max_splits) {
    const std::size_t found = text.rfind(separator);
    if (found == std::string_view::npos) break;
    parts.push_back(text.substr(found + separator.size()));
    text = text.substr(0, found);
  }
  parts.push_back(text);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_spaces(std::string_view text, std::int64_t max_splits) {
  std::vector<std::string_view> parts;
  text = strip(text, Side::left);
  while (!text.empty()) {
    if (max_splits >= 0 && static_cast<std::int64_t>(parts.size()) >= max_splits) {
      parts.push_back(text);
      break;
    }
    std::size_t end = 0;
    while (end < text.size() && !is_space(point_at(text, end))) end += point_size(text, end);
    parts.push_back(text.substr(0, end));
    text = strip(text.substr(end), Side::left);
  }
  return parts;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  const auto ends_line = [](char32_t point) {
    return (point >= 0x0a && point <= 0x0d) || (point >= 0x1c && point <= 0x1e) || point == 0x85 || point == 0x2028 ||
           point == 0x2029;
  };
  std::vector<std::string_view> lines;
  std::size_t from = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t next = at + point_size(text, at);
    if (!ends_line(point_at(text, at))) {
      at = next;
      continue;
    }
    if (text[at] == '\r' && next < text.size() && text[next] == '\n') ++next;
    lines.push_back(text.substr(from, (keep_ends ? next : at) - from));
    from = at = next;
  }
  if (from < text.size()) lines.push_back(text.substr(from));
  return lines;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to, std::int64_t count) {
  std::string result;
  std::size_t at = 0;
  if (from.empty()) {  // before each code point and at the end
    for (; at < text.size() && count != 0; --count) {
      const std::size_t size = point_size(text, at);
      result.append(to).append(text.substr(at, size));
      at += size;
    }
    result.append(text.substr(at));
    if (count != 0) result.append(to);
    return result;
  }
  for (; count != 0; --count) {
    const std::size_t found = text.find(from, at);
    if (found == std::string_view::npos) break;
    result.append(text.substr(at, found - at)).append(to);
    at = found + from.size();
  }
  result.append(text.substr(at));
  return result;
}

std::size_t count_parts(std::string_view text, std::string_view part) {
  if (part.empty()) return count_code_points(text) + 1;
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

std::optional<double> parse_float(std::string_view text) {
  // JSON's numbers are the same but for a plus sign, leading zeros and a missing side of the dot.
  text = strip(text);
  std::string number;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    if (text.front() == '-') number = "-";
    text.remove_prefix(1);
  }
  const std::size_t mark = std::min(text.find_first_of("eE"), text.size());
  std::string_view whole = text.substr(0, mark);
  std::string_view fraction;
  if (const std::size_t dot = whole.find('.'); dot != std::string_view::npos) {
    fraction = whole.substr(dot + 1);
    whole = whole.substr(0, dot);
  }
  const auto all_digits = [](std::string_view part) {
    return part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (!all_digits(whole) || !all_digits(fraction) || (whole.empty() && fraction.empty())) return std::nullopt;
  const std::size_t leading = std::min(whole.find_first_not_of('0'), whole.size());
  number.append(leading < whole.size() ? whole.substr(leading) : "0").append(".").append(fraction).append("0");
  if (mark < text.size()) {
    std::string_view exponent = text.substr(mark + 1);
    number += "e";
    if (!exponent.empty() && (exponent.front() == '-' || exponent.front() == '+')) {
      number.push_back(exponent.front());
      exponent.remove_prefix(1);
    }
    if (exponent.empty() || !all_digits(exponent)) return std::nullopt;
    number.append(exponent);
  }
  return Json::parse(number, "chat_template").as_double();
}

std::string escape_html(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '\'': result += "&#39;"; break;
      case '"': result += "&#34;"; break;
      default: result.push_back(c);
    }
  }
  return result;
}

}  // namespace trustformers::jinja
