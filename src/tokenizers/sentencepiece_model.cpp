#include "sentencepiece_model.h"

#include <bit>

#include "../base/byte_reader.h"
#include "../base/error.h"
#include "../base/utf8.h"

namespace trustformers {
namespace {

/// One field of a message: a number, or bytes.
struct Field {
  std::uint32_t number = 0;
  std::uint64_t value = 0;  // varint, or the bits of a fixed number
  std::span<const std::byte> bytes;

  bool flag() const { return value != 0; }
  std::int32_t integer() const { return static_cast<std::int32_t>(static_cast<std::uint32_t>(value)); }
  std::string text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

std::uint64_t read_varint(ByteReader& reader) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = reader.read<std::uint8_t>("a number");
    value |= static_cast<std::uint64_t>(byte & 0x7Fu) << shift;
    if (byte < 0x80) return value;
  }
  fail(ErrorCode::parse, "[", reader.where(), "] a number of more than 64 bits at offset ", reader.offset());
}

/// Calls `visit` with each field of a message; unknown ones are for the visitor to ignore.
template <class Visit>
void each_field(std::span<const std::byte> message, std::string_view where, Visit&& visit) {
  ByteReader reader(message, where);
  while (reader.remaining() > 0) {
    const std::uint64_t tag = read_varint(reader);
    check(tag >> 3 > 0 && tag >> 32 == 0, ErrorCode::parse, "[", where, "] no field tag at offset ", reader.offset());
    Field field;
    field.number = static_cast<std::uint32_t>(tag >> 3);
    switch (tag & 7) {
      case 0: field.value = read_varint(reader); break;
      case 1: field.value = reader.read<std::uint64_t>("a fixed number"); break;
      case 2: field.bytes = reader.take(read_varint(reader), "a field"); break;
      case 5: field.value = reader.read<std::uint32_t>("a fixed number"); break;
      default:
        fail(ErrorCode::parse, "[", where, "] wire type ", tag & 7, " at offset ", reader.offset(), " is not known");
    }
    visit(field);
  }
}

SentencePieceModel::Piece read_piece(std::span<const std::byte> bytes, std::string_view where) {
  SentencePieceModel::Piece piece;
  each_field(bytes, where, [&](const Field& field) {
    if (field.number == 1) piece.text = replace_invalid_utf8(field.text());
    if (field.number == 2) piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
    if (field.number == 3) piece.type = field.integer();
  });
  return piece;
}

void read_trainer(std::span<const std::byte> bytes, std::string_view where, SentencePieceModel& model) {
  each_field(bytes, where, [&](const Field& field) {
    switch (field.number) {
      case 3:
        check(field.value >= 1 && field.value <= 4, ErrorCode::unsupported, "[", where, "] model_type ", field.value,
              " is not known");
        model.type = static_cast<SentencePieceModel::Type>(field.value);
        break;
      case 24: model.whitespace_as_suffix = field.flag(); break;
      case 35: model.byte_fallback = field.flag(); break;
      case 40: model.unk_id = field.integer(); break;
      case 41: model.bos_id = field.integer(); break;
      case 42: model.eos_id = field.integer(); break;
      case 43: model.pad_id = field.integer(); break;
      case 44: model.unk_surface = replace_invalid_utf8(field.text()); break;
      case 45: model.unk_piece = replace_invalid_utf8(field.text()); break;
      case 46: model.bos_piece = replace_invalid_utf8(field.text()); break;
      case 47: model.eos_piece = replace_invalid_utf8(field.text()); break;
      case 48: model.pad_piece = replace_invalid_utf8(field.text()); break;
      default: break;
    }
  });
}

void read_normalizer(std::span<const std::byte> bytes, std::string_view where, SentencePieceModel& model) {
  each_field(bytes, where, [&](const Field& field) {
    switch (field.number) {
      case 2: model.charsmap = field.text(); break;
      case 3: model.add_dummy_prefix = field.flag(); break;
      case 4: model.remove_extra_whitespaces = field.flag(); break;
      case 5: model.escape_whitespaces = field.flag(); break;
      default: break;
    }
  });
}

}  // namespace

SentencePieceModel read_sentencepiece_model(std::span<const std::byte> bytes, std::string_view where) {
  SentencePieceModel model;
  each_field(bytes, where, [&](const Field& field) {
    switch (field.number) {
      case 1: model.pieces.push_back(read_piece(field.bytes, where)); break;
      case 2: read_trainer(field.bytes, where, model); break;
      case 3: read_normalizer(field.bytes, where, model); break;
      default: break;
    }
  });
  check(!model.pieces.empty(), ErrorCode::parse, "[", where, "] a sentencepiece model without pieces");
  for (std::int32_t* const id : {&model.unk_id, &model.bos_id, &model.eos_id, &model.pad_id})
    if (*id < 0 || static_cast<std::size_t>(*id) >= model.pieces.size()) *id = -1;
  return model;
}

}  // namespace trustformers
