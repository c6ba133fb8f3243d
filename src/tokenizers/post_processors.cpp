#include "post_processors.h"

#include <algorithm>
#include <map>

#include "unicode.h"

namespace trustformers {
namespace {

/// The blanks at the ends of byte-level tokens no longer count in their offsets. With `add_prefix_space` the one that
/// was put before the text (and then it is the only one) is not there to be taken off.
void trim_offsets(Encoding& encoding, bool add_prefix_space) {
  const auto is_blank = [](char32_t c) {
    return c == 0x120 || unicode::is_whitespace(c);
  };  // 0x120: the byte-level blank
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    const std::string& token = encoding.tokens[i];
    SourceRange& offset = encoding.offsets[i];
    std::uint32_t leading = 0;
    for (std::size_t at = 0; at < token.size(); ++leading) {
      const auto c = unicode::decode(token, at);
      if (!is_blank(c.value)) break;
      at += c.size;
    }
    std::uint32_t trailing = 0;
    for (std::size_t at = token.size(); at > 0; ++trailing) {
      const auto c = unicode::decode_before(token, at);
      if (!is_blank(c.value)) break;
      at -= c.size;
    }
    if (leading > 0) {
      if (add_prefix_space && leading == 1 && (i == 0 || offset.begin == 0)) leading = 0;
      offset.begin = std::min(offset.begin + leading, offset.end);
    }
    if (trailing > 0 && offset.end >= trailing) offset.end = std::max(offset.end - trailing, offset.begin);
  }
  for (Encoding& window : encoding.overflowing) trim_offsets(window, add_prefix_space);
}

void number_sequences(std::vector<Encoding>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i].set_sequence_ids(static_cast<std::int32_t>(i));
}

struct SpecialToken {
  std::string text;
  TokenId id;
  Encoding encoding(std::int32_t type) const {
    Encoding out;
    out.push_back(id, text, {}, -1, type, true);
    return out;
  }
};

TokenId token_id(const Json& value, const std::string& path) {
  const std::int64_t id = value.as_int(path);
  check(id >= 0 && id < std::int64_t{1} << 31, ErrorCode::parse, "[tokenizer] ", path, " must be a token id, got ", id);
  return static_cast<TokenId>(id);
}

/// `["[SEP]", 102]`
SpecialToken special_token(const Spec& spec, std::string_view key) {
  const Spec member = spec.at(key);
  const auto pair = member.items();
  check(pair.size() == 2, ErrorCode::parse, "[tokenizer] ", member.path(), " must be [token, id], got ", pair.size(),
        " entries");
  return {pair[0].json().as_string(pair[0].path()), token_id(pair[1].json(), pair[1].path())};
}

/// [CLS] A [SEP], B [SEP]; RoBERTa: <s> A </s>, </s> B </s> with all types 0 and offsets trimmed.
class ClsSepPostProcessor final : public PostProcessor {
 public:
  ClsSepPostProcessor(const Spec& spec, bool roberta)
      : sep_(special_token(spec, "sep")),
        cls_(special_token(spec, "cls")),
        roberta_(roberta),
        trim_offsets_(roberta && spec.flag("trim_offsets", true)),
        add_prefix_space_(roberta && spec.flag("add_prefix_space", true)) {}

  std::size_t added(bool pair) const override { return pair ? (roberta_ ? 4 : 3) : 2; }

  void apply(std::vector<Encoding>& parts, bool add_special_tokens) const override {
    number_sequences(parts);
    for (Encoding& part : parts) {
      if (trim_offsets_) trim_offsets(part, add_prefix_space_);
      if (roberta_) part.set_type_ids(0);
    }
    if (!add_special_tokens) return;
    std::vector<Encoding> out;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::int32_t type = i == 0 || roberta_ ? 0 : 1;
      Encoding around;
      if (i == 0)
        around = cls_.encoding(type);
      else if (roberta_)
        around = sep_.encoding(type);
      around.append(std::move(parts[i]));
      around.append(sep_.encoding(type));
      out.push_back(std::move(around));
    }
    parts = std::move(out);
  }

 private:
  SpecialToken sep_, cls_;
  bool roberta_, trim_offsets_, add_prefix_space_;
};

class ByteLevelPostProcessor final : public PostProcessor {
 public:
  explicit ByteLevelPostProcessor(const Spec& spec)
      : trim_(spec.flag("trim_offsets", true)), add_prefix_space_(spec.flag("add_prefix_space", true)) {}
  std::size_t added(bool) const override { return 0; }
  void apply(std::vector<Encoding>& parts, bool) const override {
    if (trim_)
      for (Encoding& part : parts) trim_offsets(part, add_prefix_space_);
    number_sequences(parts);
  }

 private:
  bool trim_, add_prefix_space_;
};

/// `[CLS] $A [SEP] $B:1 [SEP]:1`
class TemplatePostProcessor final : public PostProcessor {
 public:
  explicit TemplatePostProcessor(const Spec& spec) {
    std::map<std::string, std::vector<SpecialToken>, std::less<>> tokens;
    const Spec table = spec.at("special_tokens");
    for (const auto& member : table.json().as_object(table.path())) {
      const Spec entry(member.second, table.path_of(member.first));
      const auto ids = entry.list("ids");
      const auto texts = entry.list("tokens");
      check(ids.size() == texts.size(), ErrorCode::parse, "[tokenizer] ", entry.path(),
            ": ids and tokens must be as many, got ", ids.size(), " and ", texts.size());
      auto& list = tokens[member.first];
      list.clear();  // of a key that comes twice the last counts
      for (std::size_t i = 0; i < ids.size(); ++i)
        list.push_back({texts[i].json().as_string(texts[i].path()), token_id(ids[i].json(), ids[i].path())});
    }
    const auto read = [&](std::string_view key, std::vector<Piece>& out) {
      for (const Spec& item : spec.list(key)) {
        const bool sequence = item.has("Sequence");
        const Spec body = item.at(sequence ? "Sequence" : "SpecialToken");
        Piece piece;
        piece.type = static_cast<std::int32_t>(body.size("type_id", 0) & 0x7FFFFFFF);
        const std::string id = body.text("id");
        if (sequence) {
          check(id == "A" || id == "B", ErrorCode::parse, "[tokenizer] ", body.path_of("id"), " must be A or B, got \"",
                id, '"');
          piece.sequence = id == "A" ? 0 : 1;
          check(piece.sequence == 0 || key == "pair", ErrorCode::parse, "[tokenizer] ", body.path_of("id"),
                " is B in the template for one text");
        } else {
          const auto found = tokens.find(id);
          check(found != tokens.end(), ErrorCode::parse, "[tokenizer] ", body.path_of("id"), ": \"", id,
                "\" is not in ", table.path());
          piece.tokens = found->second;
        }
        out.push_back(std::move(piece));
      }
    };
    read("single", single_);
    read("pair", pair_);
  }

  std::size_t added(bool pair) const override {
    std::size_t count = 0;
    for (const Piece& piece : pair ? pair_ : single_) count += piece.tokens.size();
    return count;
  }

  void apply(std::vector<Encoding>& parts, bool add_special_tokens) const override {
    std::vector<Encoding> out;
    const std::vector<Piece>& pieces = parts.size() > 1 ? pair_ : single_;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const Piece& piece = pieces[i];
      if (piece.sequence >= 0) {
        Encoding& part = parts[static_cast<std::size_t>(piece.sequence)];
        part.set_type_ids(piece.type);
        part.set_sequence_ids(piece.sequence);
        const bool again = std::any_of(pieces.begin() + static_cast<std::ptrdiff_t>(i) + 1, pieces.end(),
                                       [&](const Piece& later) { return later.sequence == piece.sequence; });
        if (again)
          out.push_back(part);
        else
          out.push_back(std::move(part));
      } else if (add_special_tokens) {
        for (const SpecialToken& token : piece.tokens) out.push_back(token.encoding(piece.type));
      }
    }
    parts = std::move(out);
  }

 private:
  struct Piece {
    int sequence = -1;  // 0 or 1: a text
    std::vector<SpecialToken> tokens;
    std::int32_t type = 0;
  };
  std::vector<Piece> single_, pair_;
};

class SequencePostProcessor final : public PostProcessor {
 public:
  explicit SequencePostProcessor(const Spec& spec) {
    for (const Spec& part : spec.list("processors")) parts_.push_back(make_post_processor(part));
  }
  std::size_t added(bool pair) const override {
    std::size_t count = 0;
    for (const auto& part : parts_) count += part->added(pair);
    return count;
  }
  void apply(std::vector<Encoding>& parts, bool add_special_tokens) const override {
    for (const auto& part : parts_) part->apply(parts, add_special_tokens);
  }

 private:
  std::vector<std::unique_ptr<PostProcessor>> parts_;
};

}  // namespace

std::unique_ptr<PostProcessor> make_post_processor(const Spec& spec) {
  const std::string type = spec.type();
  if (type == "TemplateProcessing") return std::make_unique<TemplatePostProcessor>(spec);
  if (type == "BertProcessing") return std::make_unique<ClsSepPostProcessor>(spec, false);
  if (type == "RobertaProcessing") return std::make_unique<ClsSepPostProcessor>(spec, true);
  if (type == "ByteLevel") return std::make_unique<ByteLevelPostProcessor>(spec);
  if (type == "Sequence") return std::make_unique<SequencePostProcessor>(spec);
  spec.unsupported(type);
}

}  // namespace trustformers
