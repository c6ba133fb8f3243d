// The file format of sentencepiece (sentencepiece_model.proto): pieces with scores and types, and how texts are
// cleaned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trustformers {

struct SentencePieceModel {
  enum class Type { unigram = 1, bpe = 2, word = 3, character = 4 };
  enum PieceType : std::int32_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };
  struct Piece {
    std::string text;
    float score = 0;
    std::int32_t type = normal;
  };

  std::vector<Piece> pieces;  // by id
  Type type = Type::unigram;
  bool byte_fallback = false;
  bool whitespace_as_suffix = false;
  std::int32_t unk_id = 0, bos_id = 1, eos_id = 2, pad_id = -1;  // -1: there is none
  std::string unk_piece = "<unk>", bos_piece = "<s>", eos_piece = "</s>", pad_piece = "<pad>";
  std::string unk_surface = " \xE2\x81\x87 ";  // what an unknown piece decodes to
  std::string charsmap;                        // precompiled rules, see Charsmap
  bool add_dummy_prefix = true, remove_extra_whitespaces = true, escape_whitespaces = true;
};

/// Reads a `.model` file (protocol buffers, read by hand). Errors: parse, naming `where` and the offset.
SentencePieceModel read_sentencepiece_model(std::span<const std::byte> bytes, std::string_view where);

}  // namespace trustformers
