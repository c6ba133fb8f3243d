#include "decoders.h"

#include <algorithm>
#include <optional>

#include "../base/utf8.h"
#include "byte_alphabet.h"
#include "pattern.h"
#include "pre_tokenizers.h"
#include "unicode.h"

namespace trustformers {
namespace {

using Tokens = std::vector<std::string>;

std::string replace_all(std::string_view text, std::string_view what, std::string_view by) {
  if (what.empty()) return std::string(text);
  std::string out;
  std::size_t at = 0;
  for (std::size_t found; (found = text.find(what, at)) != std::string_view::npos; at = found + what.size())
    out.append(text, at, found - at).append(by);
  return out.append(text.substr(at));
}

/// Takes out the blanks that English does not write.
std::string clean_up(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> rules[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [what, by] : rules) text = replace_all(text, what, by);
  return text;
}

class ByteLevelDecoder final : public TokenDecoder {
 public:
  void apply(Tokens& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) {
      const std::size_t start = bytes.size();
      for (std::size_t i = 0; i < token.size();) {
        const auto c = unicode::decode(token, i);
        const auto byte = character_byte(c.value);
        if (!byte) {  // not written in the byte alphabet, as added tokens may be: it stands for itself
          bytes.resize(start);
          bytes += token;
          break;
        }
        bytes.push_back(static_cast<char>(*byte));
        i += c.size;
      }
    }
    tokens.assign(1, replace_invalid_utf8(bytes));
  }
};

class WordPieceDecoder final : public TokenDecoder {
 public:
  explicit WordPieceDecoder(const Spec& spec)
      : prefix_(spec.text("prefix", "##")), cleanup_(spec.flag("cleanup", true)) {}
  void apply(Tokens& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0) {
        if (tokens[i].starts_with(prefix_)) {
          tokens[i].erase(0, prefix_.size());
        } else {
          tokens[i].insert(0, 1, ' ');
        }
      }
      if (cleanup_) tokens[i] = clean_up(std::move(tokens[i]));
    }
  }

 private:
  std::string prefix_;
  bool cleanup_;
};

class MetaspaceDecoder final : public TokenDecoder {
 public:
  explicit MetaspaceDecoder(const Spec& spec)
      : mark_(encode_utf8(std::u32string(1, one_character(spec, "replacement", U'\u2581')))),
        prefixed_(prepend_scheme(spec) != PrependScheme::never) {}
  void apply(Tokens& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = replace_all(tokens[i], mark_, i == 0 && prefixed_ ? "" : " ");
  }

 private:
  std::string mark_;
  bool prefixed_;
};

class BpeDecoder final : public TokenDecoder {
 public:
  explicit BpeDecoder(const Spec& spec) : suffix_(spec.text("suffix", "</w>")) {}
  void apply(Tokens& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = replace_all(tokens[i], suffix_, i + 1 < tokens.size() ? " " : "");
  }

 private:
  std::string suffix_;
};

class ByteFallbackDecoder final : public TokenDecoder {
 public:
  void apply(Tokens& tokens) const override {
    Tokens out;
    std::string bytes;
    const auto flush = [&] {
      if (is_valid_utf8(bytes)) {
        if (!bytes.empty()) out.push_back(bytes);
      } else {
        for (std::size_t i = 0; i < bytes.size(); ++i) out.emplace_back("\xEF\xBF\xBD");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = byte_of(token)) {
        bytes.push_back(static_cast<char>(*byte));
      } else {
        flush();
        out.push_back(std::move(token));
      }
    }
    flush();
    tokens = std::move(out);
  }

 private:
  static std::optional<unsigned char> byte_of(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    unsigned value = 0;
    for (const char c : token.substr(3, 2)) {
      if (c >= '0' && c <= '9')
        value = value * 16 + static_cast<unsigned>(c - '0');
      else if (c >= 'A' && c <= 'F')
        value = value * 16 + static_cast<unsigned>(c - 'A' + 10);
      else if (c >= 'a' && c <= 'f')
        value = value * 16 + static_cast<unsigned>(c - 'a' + 10);
      else
        return std::nullopt;
    }
    return static_cast<unsigned char>(value);
  }
};

class FuseDecoder final : public TokenDecoder {
 public:
  void apply(Tokens& tokens) const override {
    std::string all;
    for (const std::string& token : tokens) all += token;
    tokens.clear();
    tokens.push_back(std::move(all));
  }
};

class StripDecoder final : public TokenDecoder {
 public:
  explicit StripDecoder(const Spec& spec)
      : content_(one_character(spec, "content", U' ')), start_(spec.size("start")), stop_(spec.size("stop")) {}
  void apply(Tokens& tokens) const override {
    for (std::string& token : tokens) {
      std::size_t begin = 0;
      std::size_t end = token.size();
      for (std::size_t n = 0; n < start_ && begin < end; ++n) {
        const auto c = unicode::decode(token, begin);
        if (c.value != content_) break;
        begin += c.size;
      }
      for (std::size_t n = 0; n < stop_ && end > begin; ++n) {
        const auto c = unicode::decode_before(token, end);
        if (c.value != content_) break;
        end -= c.size;
      }
      token = token.substr(begin, end - begin);
    }
  }

 private:
  char32_t content_;
  std::size_t start_, stop_;
};

class ReplaceDecoder final : public TokenDecoder {
 public:
  explicit ReplaceDecoder(const Spec& spec)
      : pattern_(make_pattern(spec.at("pattern"))), content_(spec.text("content")) {}
  std::size_t growth() const override { return content_.size() + 1; }
  void apply(Tokens& tokens) const override {
    std::vector<Match> parts;
    for (std::string& token : tokens) {
      parts.clear();
      pattern_->split(token, parts);
      std::string out;
      for (const Match& part : parts) {
        if (part.matched)
          out += content_;
        else
          out.append(token, part.begin, part.end - part.begin);
      }
      token = std::move(out);
    }
  }

 private:
  std::unique_ptr<Pattern> pattern_;
  std::string content_;
};

/// Connectionist temporal classification: repeated tokens are one, the pad token stands for nothing.
class CtcDecoder final : public TokenDecoder {
 public:
  explicit CtcDecoder(const Spec& spec)
      : pad_(spec.text("pad_token", "<pad>")),
        delimiter_(spec.text("word_delimiter_token", "|")),
        cleanup_(spec.flag("cleanup", true)) {}
  void apply(Tokens& tokens) const override {
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    Tokens out;
    for (const std::string& token : tokens) {
      std::string text = replace_all(token, pad_, "");
      if (cleanup_) text = replace_all(clean_up(std::move(text)), delimiter_, " ");
      if (!text.empty()) out.push_back(std::move(text));
    }
    tokens = std::move(out);
  }

 private:
  std::string pad_, delimiter_;
  bool cleanup_;
};

class SequenceDecoder final : public TokenDecoder {
 public:
  explicit SequenceDecoder(const Spec& spec) {
    for (const Spec& part : spec.list("decoders")) {
      parts_.push_back(make_decoder(part));
      growth_ *= std::min<std::size_t>(parts_.back()->growth(), most_growth);
      check(growth_ <= most_growth, ErrorCode::unsupported, "[tokenizer] ", spec.path(),
            ": replacements that make a text ", most_growth, " times as long");
    }
  }
  std::size_t growth() const override { return growth_; }
  void apply(Tokens& tokens) const override {
    for (const auto& part : parts_) part->apply(tokens);
  }

 private:
  static constexpr std::size_t most_growth = 1 << 12;
  std::vector<std::unique_ptr<TokenDecoder>> parts_;
  std::size_t growth_ = 1;
};

}  // namespace

std::unique_ptr<TokenDecoder> make_decoder(const Spec& spec) {
  const std::string type = spec.type();
  if (type == "Sequence") return std::make_unique<SequenceDecoder>(spec);
  if (type == "ByteLevel") return std::make_unique<ByteLevelDecoder>();
  if (type == "WordPiece") return std::make_unique<WordPieceDecoder>(spec);
  if (type == "Metaspace") return std::make_unique<MetaspaceDecoder>(spec);
  if (type == "BPEDecoder") return std::make_unique<BpeDecoder>(spec);
  if (type == "ByteFallback") return std::make_unique<ByteFallbackDecoder>();
  if (type == "Fuse") return std::make_unique<FuseDecoder>();
  if (type == "Strip") return std::make_unique<StripDecoder>(spec);
  if (type == "Replace") return std::make_unique<ReplaceDecoder>(spec);
  if (type == "CTC") return std::make_unique<CtcDecoder>(spec);
  spec.unsupported(type);
}

}  // namespace trustformers
