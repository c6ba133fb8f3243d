#include "gguf.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <limits>

#include "../base/byte_reader.h"

namespace trustformers {
namespace {

struct GgmlType {
  std::uint32_t number;
  std::string_view name;
  DType dtype;
  ElementEncoding encoding = ElementEncoding::native;
};

constexpr GgmlType ggml_types[] = {
    {0, "F32", DType::f32},          {1, "F16", DType::f16},
    {2, "Q4_0", DType::q4_0},        {3, "Q4_1", DType::q4_1},
    {6, "Q5_0", DType::q5_0},        {7, "Q5_1", DType::q5_1},
    {8, "Q8_0", DType::q8_0},        {10, "Q2_K", DType::q2_k},
    {11, "Q3_K", DType::q3_k},       {12, "Q4_K", DType::q4_k},
    {13, "Q5_K", DType::q5_k},       {14, "Q6_K", DType::q6_k},
    {16, "IQ2_XXS", DType::iq2_xxs}, {17, "IQ2_XS", DType::iq2_xs},
    {18, "IQ3_XXS", DType::iq3_xxs}, {19, "IQ1_S", DType::iq1_s},
    {20, "IQ4_NL", DType::iq4_nl},   {21, "IQ3_S", DType::iq3_s},
    {22, "IQ2_S", DType::iq2_s},     {23, "IQ4_XS", DType::iq4_xs},
    {24, "I8", DType::i8},           {25, "I16", DType::i32, ElementEncoding::i16},
    {26, "I32", DType::i32},         {27, "I64", DType::i64},
    {28, "F64", DType::f64},         {29, "IQ1_M", DType::iq1_m},
    {30, "BF16", DType::bf16},       {34, "TQ1_0", DType::tq1_0},
    {35, "TQ2_0", DType::tq2_0},     {39, "MXFP4", DType::mxfp4},
    {40, "NVFP4", DType::nvfp4},
};

const GgmlType* find_type(std::uint32_t number) {
  const auto found =
      std::find_if(std::begin(ggml_types), std::end(ggml_types), [&](const auto& t) { return t.number == number; });
  return found == std::end(ggml_types) ? nullptr : found;
}

constexpr std::uint64_t least_metadata_bytes = 8 + 4 + 1;    // key length, type, a byte
constexpr std::uint64_t least_tensor_bytes = 8 + 4 + 4 + 8;  // name length, rank, type, offset

std::string_view read_string(ByteReader& reader, std::string_view what) {
  return reader.text(reader.read<std::uint64_t>(what), what);
}

std::uint32_t read_version(ByteReader& reader) {
  check(reader.remaining() >= 8 && reader.text(4, "magic") == "GGUF", ErrorCode::parse, "[", reader.where(),
        "] not a GGUF file");
  const auto version = reader.read<std::uint32_t>("version");
  check((version & 0xffff) != 0, ErrorCode::unsupported, "[", reader.where(), "] big-endian GGUF files cannot be read");
  check(version == 2 || version == 3, ErrorCode::unsupported, "[", reader.where(),
        "] expected GGUF version 2 or 3, got ", version);
  return version;
}

std::uint64_t read_alignment(const GgufMetadata& metadata, std::string_view where) {
  constexpr std::uint64_t most = std::uint64_t{1} << 30;
  const GgufValue* value = metadata.find("general.alignment");
  if (!value) return 32;
  const std::uint64_t alignment = value->as_uint();
  check(std::has_single_bit(alignment) && alignment <= most, ErrorCode::parse, "[", where,
        "] general.alignment: expected a power of two up to 2^30, got ", alignment);
  return alignment;
}

/// What follows a tensor's name; the offset is still relative to the data.
void read_description(ByteReader& reader, TensorEntry& entry) {
  const auto rank = reader.read<std::uint32_t>("tensor rank");
  check(rank <= max_rank, ErrorCode::parse, "[gguf] expected at most ", max_rank, " dimensions, got ", rank);
  Shape inner_first;
  for (std::uint32_t i = 0; i < rank; ++i) {
    const auto size = reader.read<std::uint64_t>("tensor shape");
    check(size <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()), ErrorCode::parse,
          "[gguf] expected sizes below 2^63, got ", size);
    inner_first.push_back(static_cast<std::int64_t>(size));
  }
  for (std::size_t i = rank; i-- > 0;) entry.shape.push_back(inner_first[i]);

  const auto number = reader.read<std::uint32_t>("tensor type");
  const GgmlType* type = find_type(number);
  check(type != nullptr, ErrorCode::unsupported, "[gguf] tensors of type number ", number, " cannot be read");
  entry.dtype = type->dtype;
  entry.encoding = type->encoding;
  entry.stored = type->name;

  const DType sized = entry.encoding == ElementEncoding::i16 ? DType::f16 : entry.dtype;  // of as many bytes as stored
  const int block = info(sized).block_elements;
  const std::int64_t row = rank == 0 ? 1 : inner_first[0];
  check(row % block == 0, ErrorCode::parse, "[gguf] rows of ", row, " elements do not divide into blocks of ", block);
  entry.bytes = static_cast<std::uint64_t>(byte_size(sized, element_count(entry.shape)));
  entry.offset = reader.read<std::uint64_t>("tensor offset");
}

TensorEntry read_tensor(ByteReader& reader) {
  TensorEntry entry;
  entry.name = read_string(reader, "tensor name");
  with_context(
      [&] { return str("while reading tensor ", quote_name(entry.name), " in the header of ", reader.where()); },
      [&] { read_description(reader, entry); });
  return entry;
}

/// Turns offsets into the data section into offsets into the file, and checks that the data lies there, aligned,
/// without overlap.
void place_tensors(GgufHeader& header, const ByteReader& reader, std::uint64_t size) {
  const std::uint64_t begin = (reader.offset() + header.alignment - 1) / header.alignment * header.alignment;
  std::vector<const TensorEntry*> order;
  for (TensorEntry& entry : header.entries) {
    check(entry.offset % header.alignment == 0, ErrorCode::parse, "[", reader.where(), "] tensor ",
          quote_name(entry.name), " at offset ", entry.offset, ", which is no multiple of ", header.alignment);
    const bool inside = begin <= size && entry.offset <= size - begin && entry.bytes <= size - begin - entry.offset;
    check(inside, ErrorCode::parse, "[", reader.where(), "] data of tensor ", quote_name(entry.name), " (", entry.bytes,
          " bytes at offset ", entry.offset, ") lies beyond the end of the file");
    entry.offset += begin;
    if (entry.bytes > 0) order.push_back(&entry);
  }
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->offset < b->offset; });
  for (std::size_t i = 1; i < order.size(); ++i)
    check(order[i]->offset - order[i - 1]->offset >= order[i - 1]->bytes, ErrorCode::parse, "[", reader.where(),
          "] data of tensors ", quote_name(order[i - 1]->name), " and ", quote_name(order[i]->name), " overlaps");
}

std::string shard_ending(std::uint64_t number, std::uint64_t count) {
  char text[64];
  std::snprintf(text, sizeof(text), "-%05llu-of-%05llu.gguf", static_cast<unsigned long long>(number),
                static_cast<unsigned long long>(count));
  return text;
}

/// The paths of all shards, from that of one.
std::vector<std::filesystem::path> shard_paths(const std::filesystem::path& one, std::uint64_t number,
                                               std::uint64_t count) {
  const std::string name = one.filename().string(), ending = shard_ending(number + 1, count);
  check(name.ends_with(ending), ErrorCode::parse, "[", one.string(), "] metadata say that this is shard ", number + 1,
        " of ", count, ": expected a name that ends with ", ending);
  std::vector<std::filesystem::path> paths;
  const std::string stem = name.substr(0, name.size() - ending.size());
  for (std::uint64_t i = 0; i < count; ++i) paths.push_back(one.parent_path() / (stem + shard_ending(i + 1, count)));
  return paths;
}

/// Shards of one model must agree on their number, place and total of tensors.
void check_shard(const GgufHeader& header, std::uint64_t number, std::uint64_t count, std::string_view where) {
  const auto own_number = header.metadata.find("split.no"), own_count = header.metadata.find("split.count");
  check(own_number && own_count && own_number->as_uint() == number && own_count->as_uint() == count, ErrorCode::parse,
        "[", where, "] expected metadata of shard ", number + 1, " of ", count);
}

}  // namespace

GgufHeader parse_gguf(std::span<const std::byte> start, std::string_view where, std::uint64_t size) {
  ByteReader reader(start, where);
  GgufHeader header;
  header.version = read_version(reader);
  const auto tensors = reader.read<std::uint64_t>("tensor count");
  const auto values = reader.read<std::uint64_t>("metadata count");
  reader.require_elements(values, least_metadata_bytes, "metadata count");
  header.metadata.set_origin(std::string(where));
  for (std::uint64_t i = 0; i < values; ++i) {
    const std::string_view key = read_string(reader, "metadata key");
    header.metadata.add(GgufValue::parse_typed(reader, key), where);
  }
  header.alignment = read_alignment(header.metadata, where);
  reader.require_elements(tensors, least_tensor_bytes, "tensor count");
  header.entries.reserve(static_cast<std::size_t>(tensors));
  for (std::uint64_t i = 0; i < tensors; ++i) header.entries.push_back(read_tensor(reader));
  place_tensors(header, reader, size);
  header.end = reader.offset();
  return header;
}

std::shared_ptr<GgufSource> open_gguf(const std::filesystem::path& path) {
  auto mapping = MappedFile::open(path);
  GgufHeader header = parse_gguf(mapping->bytes(), path.string());
  const GgufValue* split = header.metadata.find("split.count");
  const std::uint64_t count = split ? split->as_uint() : 1;
  if (count <= 1)
    return std::make_shared<GgufSource>(path, std::vector{WeightFile{path, mapping}}, std::move(header.entries),
                                        std::move(header.metadata));

  constexpr std::uint64_t most_shards = 99999;  // five digits
  check(count <= most_shards, ErrorCode::parse, "[", path.string(), "] split.count: expected at most ", most_shards,
        ", got ", count);
  const std::uint64_t opened = header.metadata.at("split.no").as_uint();
  check(opened < count, ErrorCode::parse, "[", path.string(), "] split.no: expected less than ", count, ", got ",
        opened);
  std::vector<WeightFile> files;
  std::vector<TensorEntry> entries;
  GgufMetadata metadata;
  for (const std::filesystem::path& shard : shard_paths(path, opened, count)) {
    const auto number = static_cast<std::uint32_t>(files.size());
    auto shard_mapping = MappedFile::open(shard);
    GgufHeader shard_header = parse_gguf(shard_mapping->bytes(), shard.string());
    check_shard(shard_header, number, count, shard.string());
    for (TensorEntry& entry : shard_header.entries) {
      entry.file = number;
      entries.push_back(std::move(entry));
    }
    if (number == 0) metadata = std::move(shard_header.metadata);
    files.push_back({shard, std::move(shard_mapping)});
  }
  const std::int64_t total = metadata.get_int("split.tensors.count", static_cast<std::int64_t>(entries.size()));
  check(total == static_cast<std::int64_t>(entries.size()), ErrorCode::parse, "[", path.string(),
        "] split.tensors.count promises ", total, " tensors, the shards hold ", entries.size());
  return std::make_shared<GgufSource>(path, std::move(files), std::move(entries), std::move(metadata));
}

}  // namespace trustformers
