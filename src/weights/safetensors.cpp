#include "safetensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <tuple>

#include "../base/byte_reader.h"
#include "../base/json.h"
#include "../tensor/device.h"
#include "stream.h"

namespace trustformers {
namespace {

struct StoredType {
  std::string_view name;
  int bits;
  DType dtype;
  ElementEncoding encoding;
};

// In the order of the format's own list: files hold the last types first.
constexpr std::array<StoredType, 22> stored_types = {{
    {"BOOL", 8, DType::boolean, ElementEncoding::native},    {"F4", 4, DType::f32, ElementEncoding::opaque},
    {"F6_E2M3", 6, DType::f32, ElementEncoding::opaque},     {"F6_E3M2", 6, DType::f32, ElementEncoding::opaque},
    {"U8", 8, DType::u8, ElementEncoding::native},           {"I8", 8, DType::i8, ElementEncoding::native},
    {"F8_E5M2", 8, DType::f32, ElementEncoding::f8_e5m2},    {"F8_E4M3", 8, DType::f32, ElementEncoding::f8_e4m3},
    {"F8_E8M0", 8, DType::f32, ElementEncoding::f8_e8m0},    {"F8_E4M3FNUZ", 8, DType::f32, ElementEncoding::opaque},
    {"F8_E5M2FNUZ", 8, DType::f32, ElementEncoding::opaque}, {"I16", 16, DType::i32, ElementEncoding::i16},
    {"U16", 16, DType::i32, ElementEncoding::u16},           {"F16", 16, DType::f16, ElementEncoding::native},
    {"BF16", 16, DType::bf16, ElementEncoding::native},      {"I32", 32, DType::i32, ElementEncoding::native},
    {"U32", 32, DType::i64, ElementEncoding::u32},           {"F32", 32, DType::f32, ElementEncoding::native},
    {"C64", 64, DType::f32, ElementEncoding::c64},           {"F64", 64, DType::f64, ElementEncoding::native},
    {"I64", 64, DType::i64, ElementEncoding::native},        {"U64", 64, DType::i64, ElementEncoding::u64},
}};

/// A count or offset: a whole number of at least 0, not written as a fraction.
std::uint64_t natural(const Json& value, std::string_view path) {
  check(value.is_int() && value.as_int() >= 0, ErrorCode::parse, "[safetensors] expected ", path,
        " to hold whole numbers of at least 0, got ",
        value.is_number() ? value.dump() : std::string(value.type_name()));
  return static_cast<std::uint64_t>(value.as_int());
}

std::uint64_t product(std::uint64_t a, std::uint64_t b) {
  check(a == 0 || b <= std::numeric_limits<std::int64_t>::max() / a, ErrorCode::parse,
        "[safetensors] shape overflows 64 bits");
  return a * b;
}

/// Reads one tensor's description; offsets are still relative to the data.
TensorEntry parse_entry(const std::string& name, const Json& value) {
  check(value.is_object(), ErrorCode::parse,
        "[safetensors] expected an object with dtype, shape and data_offsets, got ", value.type_name());
  const std::string& type_name = value.at("dtype", "tensor").as_string("dtype");
  const auto type =
      std::find_if(stored_types.begin(), stored_types.end(), [&](const auto& t) { return t.name == type_name; });
  check(type != stored_types.end(), ErrorCode::parse, "[safetensors] unknown dtype ", quote_name(type_name));

  TensorEntry entry;
  entry.name = name;
  entry.dtype = type->dtype;
  entry.encoding = type->encoding;
  entry.stored = type->name;
  const Json::Array& shape = value.at("shape", "tensor").as_array("shape");
  const bool complex = type->encoding == ElementEncoding::c64;
  check(shape.size() + complex <= max_rank, ErrorCode::unsupported, "[safetensors] expected at most ", max_rank,
        " dimensions, got ", shape.size());
  std::uint64_t count = 1;
  for (const Json& size : shape) {
    const std::uint64_t n = natural(size, "shape");
    count = product(count, n);
    entry.shape.push_back(static_cast<std::int64_t>(n));
  }
  if (complex) entry.shape.push_back(2);

  const Json::Array& offsets = value.at("data_offsets", "tensor").as_array("data_offsets");
  check(offsets.size() == 2, ErrorCode::parse, "[safetensors] expected two data_offsets, got ", offsets.size());
  const std::uint64_t begin = natural(offsets[0], "data_offsets"), end = natural(offsets[1], "data_offsets");
  check(begin <= end, ErrorCode::parse, "[safetensors] data_offsets run backwards, from ", begin, " to ", end);
  const std::uint64_t bits = product(count, static_cast<std::uint64_t>(type->bits));
  check(bits % 8 == 0 && bits / 8 == end - begin, ErrorCode::parse, "[safetensors] shape and dtype need ", bits / 8,
        " bytes, data_offsets span ", end - begin);
  entry.offset = begin;
  entry.bytes = end - begin;
  return entry;
}

SafetensorsMetadata parse_metadata(const Json& value) {
  SafetensorsMetadata metadata;
  if (value.is_null()) return metadata;
  for (const auto& [key, text] : value.as_object("__metadata__"))
    metadata.emplace_back(key, text.as_string("__metadata__"));
  return metadata;
}

/// The text of the header, its length checked against the file and the limit.
std::string_view header_text(ByteReader& reader) {
  const auto length = reader.read<std::uint64_t>("header length");
  check(length <= max_safetensors_header, ErrorCode::parse, "[", reader.where(), "] header of ", length,
        " bytes, at most ", max_safetensors_header, " are allowed");
  const std::string_view text = reader.text(length, "header");
  check(!text.starts_with("\xef\xbb\xbf"), ErrorCode::parse, "[", reader.where(),
        "] header starts with a byte order mark");
  return text;
}

struct Index {
  std::vector<std::string> files;                                     // in order of first mention
  std::vector<std::pair<std::string, std::uint32_t>> file_of_tensor;  // indices into files
};

/// Shard names come from an untrusted file: they must stay inside its folder.
void check_shard_name(const std::string& name) {
  const std::filesystem::path path(name);
  const bool inside = !path.empty() && path.is_relative() && !path.has_root_name() &&
                      name.find('\\') == std::string::npos && std::find(path.begin(), path.end(), "..") == path.end();
  check(inside, ErrorCode::parse, "[safetensors] expected shards beside the index, got ", quote_name(name));
}

Index parse_index(const Json& json) {
  Index index;
  std::map<std::string_view, std::uint32_t> numbers;
  for (const auto& [tensor, file] : json.at("weight_map", "index").as_object("weight_map")) {
    const std::string& name = file.as_string("weight_map");
    const auto [found, added] = numbers.try_emplace(name, static_cast<std::uint32_t>(index.files.size()));
    if (added) {
      check_shard_name(name);
      index.files.push_back(name);
    }
    index.file_of_tensor.emplace_back(tensor, found->second);
  }
  check(!index.files.empty(), ErrorCode::parse, "[safetensors] weight_map names no files");
  return index;
}

/// Every promise of the index must hold; all broken ones are named at once.
void check_promises(const Index& index, const FileSource& source) {
  constexpr std::size_t shown = 20;
  std::string broken;
  std::size_t count = 0;
  for (const auto& [tensor, file] : index.file_of_tensor) {
    const TensorEntry* entry = source.find(tensor);
    if (entry && entry->file == file) continue;
    if (++count <= shown) broken += str("\n  ", quote_name(tensor), " in ", index.files[file]);
  }
  if (count > shown) broken += str("\n  and ", count - shown, " more");
  check(count == 0, ErrorCode::parse, "[", source.describe(),
        "] the index promises tensors that are not there:", broken);
}

}  // namespace

SafetensorsHeader parse_safetensors_start(std::span<const std::byte> start, std::string_view where,
                                          std::uint64_t size) {
  ByteReader reader(start, where);
  const std::string_view text = header_text(reader);
  const std::uint64_t data = size - reader.offset();
  const JsonLimits limits{.max_depth = 127, .allow_duplicate_keys = false, .allow_non_finite = false};
  const Json json = Json::parse(text, where, limits);

  SafetensorsHeader header;
  for (const auto& [name, value] : json.as_object(where)) {
    with_context([&] { return str("while reading ", quote_name(name), " in the header of ", where); },
                 [&] {
                   if (name == "__metadata__")
                     header.metadata = parse_metadata(value);
                   else
                     header.entries.push_back(parse_entry(name, value));
                 });
  }
  std::sort(header.entries.begin(), header.entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return std::tie(a.offset, a.bytes, a.name) < std::tie(b.offset, b.bytes, b.name);
  });
  std::uint64_t end = 0;
  for (TensorEntry& entry : header.entries) {
    check(entry.offset == end, ErrorCode::parse, "[", where, "] data of ", quote_name(entry.name), " starts at ",
          entry.offset, ", expected ", end, ": tensors must follow each other without holes or overlap");
    end += entry.bytes;
    check(end <= data, ErrorCode::parse, "[", where, "] data of ", quote_name(entry.name), " ends at ", end,
          ", but only ", data, " bytes follow the header");
    entry.offset += reader.offset();
  }
  check(end == data, ErrorCode::parse, "[", where, "] ", data - end, " bytes follow the last tensor");
  return header;
}

SafetensorsHeader parse_safetensors(std::span<const std::byte> file, std::string_view where) {
  return parse_safetensors_start(file, where, file.size());
}

std::shared_ptr<SafetensorsSource> open_safetensors(const std::filesystem::path& path) {
  std::vector<WeightFile> files;
  std::vector<TensorEntry> entries;
  SafetensorsMetadata metadata;
  const auto add = [&](const std::filesystem::path& file) {
    auto mapping = MappedFile::open(file);
    SafetensorsHeader header = parse_safetensors(mapping->bytes(), file.string());
    for (TensorEntry& entry : header.entries) {
      entry.file = static_cast<std::uint32_t>(files.size());
      entries.push_back(std::move(entry));
    }
    if (files.empty()) metadata = std::move(header.metadata);
    files.push_back({file, std::move(mapping)});
  };
  if (path.extension() != ".json") {
    add(path);
    return std::make_shared<SafetensorsSource>(path, std::move(files), std::move(entries), std::move(metadata));
  }
  const Index index = with_context([&] { return str("while reading ", path.string()); },
                                   [&] { return parse_index(Json::parse(read_text_file(path), path.string())); });
  for (const std::string& name : index.files) add(path.parent_path() / name);
  auto source = std::make_shared<SafetensorsSource>(path, std::move(files), std::move(entries), std::move(metadata));
  check_promises(index, *source);
  return source;
}

void save_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                      const SafetensorsMetadata& metadata) {
  struct Item {
    const NamedTensor* named;
    std::size_t type;  // index into stored_types
    std::uint64_t bytes;
  };
  std::vector<Item> items;
  for (const NamedTensor& named : tensors) {
    const DType dtype = named.tensor.dtype();
    const auto type = std::find_if(stored_types.begin(), stored_types.end(), [&](const auto& t) {
      return t.dtype == dtype && t.encoding == ElementEncoding::native;
    });
    check(type != stored_types.end(), ErrorCode::unsupported, "[save_safetensors] ", quote_name(named.name), " is ",
          to_string(dtype), ", which safetensors cannot hold");
    check(named.name != "__metadata__", ErrorCode::invalid_argument,
          "[save_safetensors] a tensor cannot be named __metadata__");
    items.push_back({&named, static_cast<std::size_t>(type - stored_types.begin()),
                     static_cast<std::uint64_t>(byte_size(dtype, named.tensor.numel()))});
  }
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    return a.type != b.type ? a.type > b.type : a.named->name < b.named->name;
  });

  Json header = Json::object();
  if (!metadata.empty()) {
    Json::Object texts;
    for (const auto& [key, text] : metadata) texts.emplace_back(key, text);
    header.as_object().emplace_back("__metadata__", std::move(texts));
  }
  std::uint64_t offset = 0;
  for (const Item& item : items) {
    Json::Array shape;
    for (const std::int64_t size : item.named->tensor.shape()) shape.emplace_back(size);
    Json::Array offsets{Json(offset), Json(offset + item.bytes)};
    offset += item.bytes;
    header.as_object().emplace_back(item.named->name, Json::Object{{"dtype", stored_types[item.type].name},
                                                                   {"shape", std::move(shape)},
                                                                   {"data_offsets", std::move(offsets)}});
  }
  // Names given twice would be found only by the reader.
  std::vector<std::string_view> names;
  for (const Item& item : items) names.push_back(item.named->name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  check(twice == names.end(), ErrorCode::invalid_argument, "[save_safetensors] two tensors are named ",
        twice == names.end() ? std::string() : quote_name(*twice));

  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  check(text.size() <= max_safetensors_header, ErrorCode::unsupported, "[save_safetensors] the header would need ",
        text.size(), " bytes, at most ", max_safetensors_header, " are allowed");
  const auto length = static_cast<std::uint64_t>(text.size());
  write_file_atomically(path, [&](const ByteSink& sink) {
    sink(std::as_bytes(std::span(&length, 1)));
    sink(std::as_bytes(std::span(text)));
    for (const Item& item : items) {
      const Tensor& tensor = item.named->tensor;
      check(tensor.device().kind() == DeviceKind::cpu, ErrorCode::unsupported, "[save_safetensors] ",
            quote_name(item.named->name), " lies on ", tensor.device().name(),
            ": read it into a tensor on the CPU first");
      tensor.read([&](std::span<const std::byte> bytes, const Error*) { sink(bytes); });  // the CPU answers at once
    }
  });
}

}  // namespace trustformers
