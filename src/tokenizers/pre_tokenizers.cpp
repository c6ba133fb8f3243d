#include "pre_tokenizers.h"

#include <algorithm>

#include "../base/utf8.h"
#include "byte_alphabet.h"
#include "pattern.h"
#include "scanners.h"
#include "unicode.h"
#include "unicode_age.h"

namespace trustformers {
namespace {

using Keep = PreTokenizedText::Keep;
using Is = bool (*)(char32_t);

/// Each code point that `is` holds for is a match.
void match_characters(std::string_view text, Is is, std::vector<Match>& out) {
  std::uint32_t covered = 0;
  for (std::uint32_t i = 0; i < text.size();) {
    const auto c = unicode::decode(text, i);
    if (is(c.value)) {
      if (covered < i) out.push_back({covered, i, false});
      out.push_back({i, i + c.size, true});
      covered = i + c.size;
    }
    i += c.size;
  }
  if (covered < text.size()) out.push_back({covered, static_cast<std::uint32_t>(text.size()), false});
}

bool is_punctuation(char32_t c) {
  if (c < 0x80)
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
  // U+166D was punctuation until Unicode 12.
  return c == 0x166D || ((unicode::category(c) & unicode::punctuation) != 0 && !unicode::is_newer_than_8(c));
}

bool is_number(char32_t c) { return (unicode::category(c) & unicode::number) != 0; }

void split_characters(PreTokenizedText& text, Is is, SplitBehavior behavior) {
  std::vector<Match> parts;
  text.split([&](std::string_view piece, Keep keep) {
    parts.clear();
    match_characters(piece, is, parts);
    keep_parts(parts, behavior, false, keep);
  });
}

SplitBehavior split_behavior(const Spec& spec, std::string_view key, SplitBehavior otherwise) {
  if (!spec.has(key)) return otherwise;
  const std::string name = spec.text(key);
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  fail(ErrorCode::parse, "[tokenizer] ", spec.path_of(key),
       " must be Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous, got \"", name, '"');
}

/// Words between white space, and punctuation one by one.
class BertPreTokenizer final : public PreTokenizer {
 public:
  void apply(PreTokenizedText& text) const override {
    text.split([](std::string_view piece, Keep keep) {
      std::size_t begin = 0;
      for (std::size_t i = 0; i < piece.size();) {
        const auto c = unicode::decode(piece, i);
        const std::size_t end = i + c.size;
        const bool punctuation = is_punctuation(c.value);
        if (punctuation || unicode::is_whitespace(c.value)) {
          keep(begin, i);
          if (punctuation) keep(i, end);
          begin = end;
        }
        i = end;
      }
      keep(begin, piece.size());
    });
  }
};

class ByCharacterPreTokenizer final : public PreTokenizer {
 public:
  ByCharacterPreTokenizer(Is is, SplitBehavior behavior) : is_(is), behavior_(behavior) {}
  void apply(PreTokenizedText& text) const override { split_characters(text, is_, behavior_); }

 private:
  Is is_;
  SplitBehavior behavior_;
};

/// Runs of word characters, and runs of what is neither word nor white space.
class WhitespacePreTokenizer final : public PreTokenizer {
 public:
  void apply(PreTokenizedText& text) const override {
    text.split([](std::string_view piece, Keep keep) {
      std::size_t begin = 0;
      int kind = 0;  // 0 space, 1 word, 2 other
      for (std::size_t i = 0; i < piece.size();) {
        const auto c = unicode::decode(piece, i);
        const int now = unicode::is_word(c.value) ? 1 : unicode::is_whitespace(c.value) ? 0 : 2;
        if (now != kind) {
          if (kind != 0) keep(begin, i);
          begin = i;
          kind = now;
        }
        i += c.size;
      }
      if (kind != 0) keep(begin, piece.size());
    });
  }
};

class SplitPreTokenizer final : public PreTokenizer {
 public:
  SplitPreTokenizer(std::unique_ptr<Pattern> pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}
  void apply(PreTokenizedText& text) const override {
    std::vector<Match> parts;
    text.split([&](std::string_view piece, Keep keep) {
      parts.clear();
      pattern_->split(piece, parts);
      keep_parts(parts, behavior_, invert_, keep);
    });
  }

 private:
  std::unique_ptr<Pattern> pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

class DelimiterSplitPreTokenizer final : public PreTokenizer {
 public:
  explicit DelimiterSplitPreTokenizer(std::string delimiter) : delimiter_(std::move(delimiter)) {}
  void apply(PreTokenizedText& text) const override {
    text.split([&](std::string_view piece, Keep keep) {
      std::size_t begin = 0;
      for (std::size_t found; (found = piece.find(delimiter_, begin)) != std::string_view::npos;
           begin = found + delimiter_.size())
        keep(begin, found);
      keep(begin, piece.size());
    });
  }

 private:
  std::string delimiter_;
};

class FixedLengthPreTokenizer final : public PreTokenizer {
 public:
  explicit FixedLengthPreTokenizer(std::size_t length) : length_(length) {}
  void apply(PreTokenizedText& text) const override {
    text.split([&](std::string_view piece, Keep keep) {
      std::size_t begin = 0;
      std::size_t characters = 0;
      for (std::size_t i = 0; i < piece.size();) {
        i += unicode::decode(piece, i).size;
        if (++characters % length_ != 0 && i < piece.size()) continue;
        keep(begin, i);
        begin = i;
      }
    });
  }

 private:
  std::size_t length_;
};

class ByteLevelPreTokenizer final : public PreTokenizer {
 public:
  explicit ByteLevelPreTokenizer(const Spec& spec)
      : add_prefix_space_(spec.flag("add_prefix_space", true)),
        words_(spec.flag("use_regex", true) ? make_regex_pattern(gpt2_pattern, "ByteLevel") : nullptr) {}

  void apply(PreTokenizedText& text) const override {
    if (add_prefix_space_) {
      text.rewrite([](const AlignedText& all, std::size_t begin, std::size_t end, AlignedText& out) {
        if (all.text()[begin] != ' ') out.append(U' ', all.source(begin));
        out.append(all, begin, end);
      });
    }
    if (words_) {
      std::vector<Match> parts;
      text.split([&](std::string_view piece, Keep keep) {
        parts.clear();
        words_->split(piece, parts);
        keep_parts(parts, SplitBehavior::isolated, false, keep);
      });
    }
    text.rewrite([](const AlignedText& all, std::size_t begin, std::size_t end, AlignedText& out) {
      out.append_bytes(all, begin, end, byte_alphabet_texts());
    });
  }

 private:
  bool add_prefix_space_;
  std::unique_ptr<Pattern> words_;
};

class MetaspacePreTokenizer final : public PreTokenizer {
 public:
  explicit MetaspacePreTokenizer(const Spec& spec)
      : mark_(encode_utf8(std::u32string(1, one_character(spec, "replacement", U'\u2581')))),
        scheme_(prepend_scheme(spec)),
        split_(spec.flag("split", true)) {}

  void apply(PreTokenizedText& text) const override {
    text.rewrite([&](const AlignedText& all, std::size_t begin, std::size_t end, AlignedText& out) {
      const std::string_view piece = all.text().substr(begin, end - begin);
      const bool marked = piece.starts_with(' ') || piece.starts_with(mark_);
      const bool wanted =
          scheme_ == PrependScheme::always || (scheme_ == PrependScheme::first && all.source(begin).begin == 0);
      if (!marked && wanted) out.append(mark_, all.source(begin));
      for (std::size_t i = 0; i < piece.size();) {
        const std::size_t blank = std::min(piece.find(' ', i), piece.size());
        out.append(all, begin + i, begin + blank);
        if (blank < piece.size()) out.append(mark_, all.source(begin + blank));
        i = blank + 1;
      }
    });
    if (!split_) return;
    text.split([&](std::string_view piece, Keep keep) {  // a mark goes with what follows it
      std::size_t begin = 0;
      for (std::size_t found; (found = piece.find(mark_, begin + 1)) != std::string_view::npos; begin = found)
        keep(begin, found);
      keep(begin, piece.size());
    });
  }

 private:
  std::string mark_;
  PrependScheme scheme_;
  bool split_;
};

class SequencePreTokenizer final : public PreTokenizer {
 public:
  explicit SequencePreTokenizer(const Spec& spec) {
    for (const Spec& part : spec.list("pretokenizers")) parts_.push_back(make_pre_tokenizer(part));
  }
  void apply(PreTokenizedText& text) const override {
    for (const auto& part : parts_) part->apply(text);
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> parts_;
};

}  // namespace

void keep_parts(std::vector<Match>& parts, SplitBehavior behavior, bool invert, PreTokenizedText::Keep keep) {
  if (invert)
    for (Match& part : parts) part.matched = !part.matched;
  bool previous = false;
  std::size_t kept = 0;  // parts[0, kept) are merged already
  const auto add_or_join = [&](const Match& part, bool join) {
    if (join && kept > 0) {
      parts[kept - 1].end = part.end;
    } else {
      parts[kept++] = part;
    }
    previous = part.matched;
  };
  switch (behavior) {
    case SplitBehavior::removed:
      for (const Match& part : parts)
        if (!part.matched) keep(part.begin, part.end);
      return;
    case SplitBehavior::isolated: kept = parts.size(); break;
    case SplitBehavior::contiguous:
      for (const Match part : parts) add_or_join(part, part.matched == previous);
      break;
    case SplitBehavior::merged_with_previous:
      for (const Match part : parts) add_or_join(part, part.matched && !previous);
      break;
    case SplitBehavior::merged_with_next: {
      std::vector<Match> merged;
      for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
        if (part->matched && !previous && !merged.empty()) {
          merged.back().begin = part->begin;
        } else {
          merged.push_back(*part);
        }
        previous = part->matched;
      }
      for (auto part = merged.rbegin(); part != merged.rend(); ++part) keep(part->begin, part->end);
      return;
    }
  }
  for (std::size_t i = 0; i < kept; ++i) keep(parts[i].begin, parts[i].end);
}

PrependScheme prepend_scheme(const Spec& spec) {
  const std::string name = spec.text("prepend_scheme", spec.flag("add_prefix_space", true) ? "always" : "never");
  if (name == "first") return PrependScheme::first;
  if (name == "always") return PrependScheme::always;
  check(name == "never", ErrorCode::parse, "[tokenizer] ", spec.path_of("prepend_scheme"),
        " must be first, always or never, got \"", name, '"');
  return PrependScheme::never;
}

char32_t one_character(const Spec& spec, std::string_view key, char32_t otherwise) {
  if (!spec.has(key)) return otherwise;
  const std::u32string text = decode_utf8(spec.text(key));
  check(text.size() == 1, ErrorCode::parse, "[tokenizer] ", spec.path_of(key), " must be one character, got ",
        text.size());
  return text[0];
}

std::unique_ptr<PreTokenizer> make_pre_tokenizer(const Spec& spec) {
  const std::string type = spec.type();
  if (type == "Sequence") return std::make_unique<SequencePreTokenizer>(spec);
  if (type == "ByteLevel") return std::make_unique<ByteLevelPreTokenizer>(spec);
  if (type == "Metaspace") return std::make_unique<MetaspacePreTokenizer>(spec);
  if (type == "BertPreTokenizer") return std::make_unique<BertPreTokenizer>();
  if (type == "Whitespace") return std::make_unique<WhitespacePreTokenizer>();
  if (type == "WhitespaceSplit")
    return std::make_unique<ByCharacterPreTokenizer>(unicode::is_whitespace, SplitBehavior::removed);
  if (type == "UnicodeScripts") return make_script_splitter();
  if (type == "Punctuation")
    return std::make_unique<ByCharacterPreTokenizer>(is_punctuation,
                                                     split_behavior(spec, "behavior", SplitBehavior::isolated));
  if (type == "Digits")
    return std::make_unique<ByCharacterPreTokenizer>(
        is_number, spec.flag("individual_digits", false) ? SplitBehavior::isolated : SplitBehavior::contiguous);
  if (type == "Split")
    return std::make_unique<SplitPreTokenizer>(make_pattern(spec.at("pattern")),
                                               split_behavior(spec, "behavior", SplitBehavior::isolated),
                                               spec.flag("invert", false));
  if (type == "CharDelimiterSplit") {
    return std::make_unique<DelimiterSplitPreTokenizer>(
        encode_utf8(std::u32string(1, one_character(spec, "delimiter", U' '))));
  }
  if (type == "FixedLength") {
    const std::size_t length = spec.size("length");
    check(length > 0, ErrorCode::parse, "[tokenizer] ", spec.path_of("length"), " must be at least 1");
    return std::make_unique<FixedLengthPreTokenizer>(length);
  }
  spec.unsupported(type);
}

}  // namespace trustformers
