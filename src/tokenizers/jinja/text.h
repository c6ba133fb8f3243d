// Python's string functions over UTF-8. Positions and lengths count code points; a part that is not valid UTF-8 counts
// as one and is kept as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../../base/utf8.h"

namespace trustformers::jinja {

/// Bytes of the code point that starts at `at`.
inline std::size_t point_size(std::string_view text, std::size_t at) { return decode_utf8_at(text, at).length; }
/// The code point that starts at `at`; U+FFFD where the bytes are invalid.
inline char32_t point_at(std::string_view text, std::size_t at) { return decode_utf8_at(text, at).code_point; }
/// The byte offset of each code point, and text.size() at the end.
std::vector<std::size_t> point_offsets(std::string_view text);

bool is_space(char32_t point);      // str.isspace
bool is_printable(char32_t point);  // str.isprintable
bool is_letter(char32_t point);     // str.isalpha
bool is_digit(char32_t point);      // str.isdigit for decimal digits
bool is_upper(char32_t point);
bool is_lower(char32_t point);

/// One code point becomes one code point (no "ß" to "SS").
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
/// str.capitalize and str.title.
std::string capitalize(std::string_view text);
std::string title_case(std::string_view text);

enum class Side { left, right, both };
/// str.strip: of whitespace, or of the code points in `*set`.
std::string_view strip(std::string_view text, Side side = Side::both, const std::string_view* set = nullptr);
/// str.split with a separator (max_splits < 0: all), and without one (at runs of whitespace).
std::vector<std::string_view> split(std::string_view text, std::string_view separator, std::int64_t max_splits);
std::vector<std::string_view> split_spaces(std::string_view text, std::int64_t max_splits);
std::vector<std::string_view> split_from_right(std::string_view text, std::string_view separator,
                                               std::int64_t max_splits);
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);
std::string replace_all(std::string_view text, std::string_view from, std::string_view to, std::int64_t count);
/// How often `part` is in `text`, without overlap; the code points plus one when `part` is empty.
std::size_t count_parts(std::string_view text, std::string_view part);
/// A decimal number as Python's float() reads it, without "inf", "nan" and underscores.
std::optional<double> parse_float(std::string_view text);
/// & < > ' " as HTML entities.
std::string escape_html(std::string_view text);

}  // namespace trustformers::jinja
