#include "word_piece.h"

#include <algorithm>

#include "../base/error.h"
#include "../base/utf8.h"

namespace trustformers {

void WordPiece::tokenize(std::string_view piece, std::vector<ModelToken>& out) const {
  cache_.tokenize(piece, out, [&] { split(piece, out); });
}

void WordPiece::split(std::string_view piece, std::vector<ModelToken>& out) const {
  const std::size_t first = out.size();
  bool known = count_code_points(piece) <= options_.max_input_chars_per_word;
  std::string candidate;
  for (std::size_t begin = 0; known && begin < piece.size();) {
    const std::string_view prefix =
        begin > 0 ? std::string_view(options_.continuing_subword_prefix) : std::string_view();
    std::size_t end = std::min(piece.size(), begin + vocabulary_.longest());
    TokenId id = -1;
    for (; end > begin; --end) {
      if (end < piece.size() && (static_cast<unsigned char>(piece[end]) & 0xC0) == 0x80)
        continue;  // inside a code point
      candidate.assign(prefix).append(piece, begin, end - begin);
      id = vocabulary_.find(candidate);
      if (id >= 0) break;
    }
    known = id >= 0;
    if (known) out.push_back({id, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    begin = end;
  }
  if (known) return;
  check(unk_id_ >= 0, ErrorCode::not_found, "[tokenizer] model.unk_token \"", options_.unk_token,
        "\" is not in model.vocab");
  out.resize(first);
  out.push_back({unk_id_, 0, static_cast<std::uint32_t>(piece.size())});
}

void WordLevel::tokenize(std::string_view piece, std::vector<ModelToken>& out) const {
  TokenId id = vocabulary_.find(piece);
  if (id < 0) id = unk_id_;
  check(id >= 0, ErrorCode::not_found, "[tokenizer] \"", piece, "\" is unknown and model.unk_token \"", unk_token_,
        "\" is not in model.vocab");
  out.push_back({id, 0, static_cast<std::uint32_t>(piece.size())});
}

}  // namespace trustformers
