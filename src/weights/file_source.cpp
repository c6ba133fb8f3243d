#include "file_source.h"

#include "encoding.h"

namespace trustformers {
namespace {

/// Kernels read plain elements at their natural alignment, and the float16 scales of blocks at 2.
std::uintptr_t required_alignment(DType dtype) {
  return is_block(dtype) ? 2 : static_cast<std::uintptr_t>(element_size(dtype));
}

bool is_aligned(const std::byte* data, DType dtype) {
  return reinterpret_cast<std::uintptr_t>(data) % required_alignment(dtype) == 0;
}

}  // namespace

std::string quote_name(std::string_view name) {
  constexpr std::size_t longest = 200;
  std::string quoted = "'";  // no stream: messages are often made ready in vain
  quoted.append(name.substr(0, longest));
  return name.size() <= longest ? quoted + "'" : quoted + "...' (" + std::to_string(name.size()) + " bytes)";
}

FileSource::FileSource(std::filesystem::path opened, std::vector<WeightFile> files, std::vector<TensorEntry> entries)
    : opened_(std::move(opened)), files_(std::move(files)), entries_(std::move(entries)) {
  index_.reserve(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const TensorEntry& entry = entries_[i];
    check(entry.file < files_.size(), ErrorCode::internal, "[weights] tensor ", quote_name(entry.name), " in file ",
          entry.file);
    const std::uint64_t size = files_[entry.file].mapping->bytes().size();
    check(entry.offset <= size && entry.bytes <= size - entry.offset, ErrorCode::parse, "[",
          files_[entry.file].path.string(), "] tensor ", quote_name(entry.name), " needs bytes ", entry.offset, " to ",
          entry.offset, " + ", entry.bytes, ", but the file has ", size);
    check(index_.emplace(entry.name, i).second, ErrorCode::parse, "[", files_[entry.file].path.string(), "] tensor ",
          quote_name(entry.name), " occurs twice");
  }
}

const TensorEntry* FileSource::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

const TensorEntry& FileSource::at(std::string_view name) const {
  const TensorEntry* entry = find(name);
  check(entry != nullptr, ErrorCode::not_found, "[weights] no tensor ", quote_name(name), " in ", describe());
  return *entry;
}

std::span<const std::byte> FileSource::raw(const TensorEntry& entry) const {
  return files_[entry.file].mapping->bytes().subspan(static_cast<std::size_t>(entry.offset),
                                                     static_cast<std::size_t>(entry.bytes));
}

Tensor FileSource::load(std::string_view name) const {
  const TensorEntry& entry = at(name);
  return with_context([&] { return str("while loading ", quote_name(name), " from ", location(name)); },
                      [&] {
                        const auto bytes = raw(entry);
                        if (entry.encoding == ElementEncoding::native && is_aligned(bytes.data(), entry.dtype) &&
                            (entry.dtype != DType::boolean || !has_odd_booleans(bytes)))
                          return Tensor::borrow(bytes, entry.shape, entry.dtype, files_[entry.file].mapping);
                        auto copy = decode(entry, bytes);
                        return Tensor::borrow(*copy, entry.shape, entry.dtype, copy);
                      });
}

void FileSource::release(std::string_view name) const {
  const TensorEntry& entry = at(name);
  files_[entry.file].mapping->release(raw(entry));
}

std::string FileSource::location(std::string_view name) const {
  const TensorEntry* entry = find(name);
  return entry ? files_[entry->file].path.string() : describe();
}

}  // namespace trustformers
