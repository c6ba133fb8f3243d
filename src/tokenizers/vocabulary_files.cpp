#include "vocabulary_files.h"

#include <algorithm>
#include <charconv>

#include "../base/error.h"
#include "../base/json_reader.h"
#include "../base/utf8.h"
#include "charsmap.h"

namespace trustformers {
namespace {

/// Calls `visit(line, number)` for each line without its end; the last one counts when it is not empty.
template <class Visit>
void each_line(std::string_view text, Visit&& visit) {
  for (std::size_t number = 0; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    visit(text.substr(0, end), number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::int64_t integer(std::string_view text, std::string_view where, std::size_t line) {
  std::int64_t value = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc() && stopped == text.data() + text.size(), ErrorCode::parse, "[", where, "] line ", line + 1,
        ": an integer expected, got \"", text.substr(0, 40), '"');
  return value;
}

/// The bytes that a Python literal '…', "…" or b'…' stands for.
std::string python_literal(std::string_view text, std::size_t line) {
  const auto require = [&](bool holds) {
    check(holds, ErrorCode::parse, "[rwkv vocabulary] line ", line + 1, ": a Python literal expected");
  };
  const bool bytes = text.starts_with('b');
  if (bytes) text.remove_prefix(1);
  require(text.size() >= 2 && (text[0] == '\'' || text[0] == '"') && text.back() == text[0]);
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    require(++i < text.size());
    const std::size_t digits = text[i] == 'x' ? 2 : text[i] == 'u' ? 4 : text[i] == 'U' ? 8 : 0;
    if (digits > 0) {
      require(text.size() - i > digits);
      std::uint32_t value = 0;
      const char* const begin = text.data() + i + 1;
      const auto [stopped, error] = std::from_chars(begin, begin + digits, value, 16);
      require(error == std::errc() && stopped == begin + digits);
      if (bytes)
        out.push_back(static_cast<char>(static_cast<unsigned char>(value)));
      else
        append_utf8(out, value);
      i += digits;
      continue;
    }
    constexpr std::string_view names = "nrtabfv0\\'\"", values("\n\r\t\a\b\f\v\0\\'\"", 11);
    const std::size_t known = names.find(text[i]);
    require(known != std::string_view::npos);
    out.push_back(values[known]);
  }
  return out;
}

}  // namespace

Vocabulary read_vocab_txt(std::string_view text) {
  std::vector<Vocabulary::Entry> entries;
  each_line(text, [&](std::string_view line, std::size_t number) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    entries.emplace_back(line, static_cast<std::int64_t>(number));
  });
  check(is_valid_utf8(text), ErrorCode::parse, "[vocab.txt] bytes that are not UTF-8");
  Vocabulary vocabulary;
  vocabulary.add(entries, "vocab.txt");
  return vocabulary;
}

Vocabulary read_vocab_json(std::string_view text) {
  JsonReader reader(text, "vocab.json");
  Vocabulary vocabulary;
  std::string token;
  for (reader.enter_object(); reader.next_key(token);) vocabulary.add(token, reader.integer(), "vocab.json");
  reader.finish();
  return vocabulary;
}

std::vector<std::pair<std::string_view, std::string_view>> read_merges_txt(std::string_view text) {
  check(is_valid_utf8(text), ErrorCode::parse, "[merges.txt] bytes that are not UTF-8");
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  each_line(text, [&](std::string_view line, std::size_t number) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 0 && line.starts_with("#version"))) return;
    const std::size_t blank = line.find(' ');
    check(blank != std::string_view::npos && line.find(' ', blank + 1) == std::string_view::npos, ErrorCode::parse,
          "[merges.txt] line ", number + 1, ": \"left right\" expected, got \"", line.substr(0, 80), '"');
    pairs.emplace_back(line.substr(0, blank), line.substr(blank + 1));
  });
  return pairs;
}

Ranks read_tiktoken(std::string_view text) {
  Ranks ranks;
  each_line(text, [&](std::string_view line, std::size_t number) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) return;
    const std::size_t blank = line.find(' ');
    check(blank != std::string_view::npos, ErrorCode::parse, "[tiktoken] line ", number + 1,
          ": \"base64 rank\" expected");
    ranks.emplace_back(decode_base64(line.substr(0, blank), "tiktoken"),
                       integer(line.substr(blank + 1), "tiktoken", number));
  });
  return ranks;
}

Ranks read_rwkv_world(std::string_view text) {
  Ranks ranks;
  each_line(text, [&](std::string_view line, std::size_t number) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) return;
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    check(first < last && last != std::string_view::npos, ErrorCode::parse, "[rwkv vocabulary] line ", number + 1,
          ": \"id literal bytes\" expected");
    std::string token = python_literal(line.substr(first + 1, last - first - 1), number);
    check(integer(line.substr(last + 1), "rwkv vocabulary", number) == static_cast<std::int64_t>(token.size()),
          ErrorCode::parse, "[rwkv vocabulary] line ", number + 1, ": the literal does not have as many bytes");
    ranks.emplace_back(std::move(token), integer(line.substr(0, first), "rwkv vocabulary", number));
  });
  return ranks;
}

}  // namespace trustformers
