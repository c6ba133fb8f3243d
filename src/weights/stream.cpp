#include "stream.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>

#include "encoding.h"
#include "gguf.h"

namespace trustformers {
namespace {

constexpr std::size_t first_gguf_read = std::size_t{64} << 10;
constexpr std::uint64_t max_gguf_header = std::uint64_t{256} << 20;
constexpr std::size_t scrap_bytes = std::size_t{64} << 10;

/// Plain memory, aligned for every kernel: pages of their own would cost a browser's address space dearly.
std::shared_ptr<std::byte> allocate_aligned(std::uint64_t bytes) {
  constexpr std::align_val_t alignment{64};
  check(bytes < SIZE_MAX / 2, ErrorCode::out_of_memory, "[weights] cannot allocate ", bytes, " bytes");
  void* const start = ::operator new(static_cast<std::size_t>(bytes), alignment, std::nothrow);
  check(start != nullptr, ErrorCode::out_of_memory, "[weights] cannot allocate ", bytes, " bytes");
  return {static_cast<std::byte*>(start), [](std::byte* p) { ::operator delete(p, std::align_val_t{64}); }};
}

}  // namespace

bool WeightStream::is_weight_file(std::string_view name) {
  return name.ends_with(".safetensors") || name.ends_with(".gguf");
}

WeightStream::WeightStream(std::string name, std::uint64_t size) : size_(size), gguf_(name.ends_with(".gguf")) {
  check(is_weight_file(name), ErrorCode::unsupported, "[weights] expected a .safetensors or .gguf file, got ", name);
  file_.name = std::move(name);
  header_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size_, gguf_ ? first_gguf_read : 8)));
}

std::span<std::byte> WeightStream::space() {
  if (complete()) return {};
  if (in_header_) return std::span(header_).subspan(header_filled_);
  while (target_left_ == 0) next_part();
  return {target_, static_cast<std::size_t>(std::min<std::uint64_t>(target_left_, SIZE_MAX))};
}

void WeightStream::commit(std::size_t count) {
  const std::uint64_t room = complete() ? 0 : in_header_ ? header_.size() - header_filled_ : target_left_;
  check(count <= room, ErrorCode::invalid_argument, "[", file_.name, "] ", count, " bytes committed where ", room,
        " had room");
  received_ += count;
  if (in_header_) {
    header_filled_ += count;
    if (header_filled_ == header_.size()) read_header();
    return;
  }
  // Bytes between tensors all go to the same place.
  if (target_ != scrap_.data()) target_ += count;
  target_left_ -= count;
}

void WeightStream::read_header() {
  const std::span<const std::byte> bytes(header_);
  if (!gguf_) {
    std::uint64_t length = 0;
    if (bytes.size() == 8) {
      std::memcpy(&length, bytes.data(), 8);
      // Longer ones, and those beyond the end, are left to the reader, whose message says why.
      if (length <= max_safetensors_header && length <= size_ - 8) {
        header_.resize(8 + static_cast<std::size_t>(length));
        if (length > 0) return;
      }
    }
    SafetensorsHeader header = parse_safetensors_start(header_, file_.name, size_);
    take_header(std::move(header.entries), header_.size());
    return;
  }
  std::optional<GgufHeader> header;
  try {
    header = parse_gguf(bytes, file_.name, size_);
  } catch (const Error& error) {
    // A header that goes on looks like a damaged one: only the whole file, or very much of it, is proof.
    const bool hopeless = bytes.size() >= std::min(size_, max_gguf_header) || error.code() != ErrorCode::parse ||
                          bytes.size() < 4 || std::memcmp(bytes.data(), "GGUF", 4) != 0;
    if (hopeless) throw;
    header_.resize(static_cast<std::size_t>(std::min({size_, max_gguf_header, std::uint64_t{2} * bytes.size()})));
    return;
  }
  // The metadata look at the bytes of the header, so these stay, and not a byte more.
  const std::uint64_t end = header->end;
  const auto kept =
      std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(end));
  GgufHeader exact = parse_gguf(*kept, file_.name, size_);
  file_.metadata = std::move(exact.metadata);
  file_.metadata_bytes = kept;
  take_header(std::move(exact.entries), end);
}

void WeightStream::take_header(std::vector<TensorEntry> entries, std::uint64_t end) {
  file_.entries = std::move(entries);
  file_.data.resize(file_.entries.size());
  order_.resize(file_.entries.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::sort(order_.begin(), order_.end(),
            [&](std::size_t a, std::size_t b) { return file_.entries[a].offset < file_.entries[b].offset; });
  in_header_ = false;
  const std::vector<std::byte> header = std::move(header_);
  header_ = {};
  received_ = end;
  spread(std::span(header).subspan(static_cast<std::size_t>(end)));
}

void WeightStream::spread(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::span<std::byte> room = space();
    const std::size_t count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    commit(count);
    bytes = bytes.subspan(count);
  }
}

void WeightStream::next_part() {
  // Empty tensors have no bytes to wait for.
  while (next_ < order_.size() && file_.entries[order_[next_]].bytes == 0)
    file_.data[order_[next_++]] = allocate_aligned(0);
  const std::uint64_t until = next_ < order_.size() ? file_.entries[order_[next_]].offset : size_;
  if (received_ < until) {
    if (scrap_.empty()) scrap_.resize(scrap_bytes);
    target_ = scrap_.data();
    target_left_ = std::min<std::uint64_t>(until - received_, scrap_bytes);
    return;
  }
  const std::size_t index = order_[next_++];
  auto memory = allocate_aligned(file_.entries[index].bytes);
  target_ = memory.get();
  target_left_ = file_.entries[index].bytes;
  file_.data[index] = std::move(memory);
}

StreamedFile WeightStream::finish() {
  check(complete() && !in_header_, ErrorCode::parse, "[", file_.name, "] ", received_, " of ", size_, " bytes came");
  while (next_ < order_.size()) file_.data[order_[next_++]] = allocate_aligned(0);  // only empty tensors are left
  return std::move(file_);
}

MemorySource::MemorySource(std::vector<StreamedFile> files) : files_(std::move(files)) {
  for (std::size_t f = 0; f < files_.size(); ++f)
    for (std::size_t i = 0; i < files_[f].entries.size(); ++i) {
      entries_.push_back(std::move(files_[f].entries[i]));
      entries_.back().file = static_cast<std::uint32_t>(f);
      data_.push_back(std::move(files_[f].data[i]));
    }
  given_.resize(entries_.size());
  index_.reserve(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i)
    check(index_.emplace(entries_[i].name, i).second, ErrorCode::parse, "[", files_[entries_[i].file].name, "] tensor ",
          quote_name(entries_[i].name), " occurs twice");
}

const TensorEntry* MemorySource::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

Tensor MemorySource::load(std::string_view name) const {
  const auto found = index_.find(name);
  check(found != index_.end(), ErrorCode::not_found, "[weights] no tensor ", quote_name(name), " in ", describe());
  const TensorEntry& entry = entries_[found->second];
  const std::lock_guard lock(mutex_);
  auto& data = data_[found->second];
  Tensor& given = given_[found->second];
  if (given.defined()) {
    Storage& shared = *given.impl().storage;
    shared.disposable = false;
    // A storage of its own where that is possible, because each keeps the packed form of one view.
    if (!shared.data) return given.detach();
    return Tensor::borrow({shared.data, shared.bytes}, entry.shape, entry.dtype, shared.owner);
  }
  const std::span<const std::byte> bytes(data.get(), static_cast<std::size_t>(entry.bytes));
  return with_context(
      [&] { return str("while loading ", quote_name(name), " from ", location(name)); },
      [&] {
        if (entry.encoding == ElementEncoding::native && (entry.dtype != DType::boolean || !has_odd_booleans(bytes))) {
          given = Tensor::borrow(bytes, entry.shape, entry.dtype, data);
          given.impl().storage->disposable = true;
          data.reset();
          return given.detach();
        }
        auto copy = decode(entry, bytes);
        return Tensor::borrow(*copy, entry.shape, entry.dtype, copy);
      });
}

std::string MemorySource::location(std::string_view name) const {
  const TensorEntry* entry = find(name);
  return entry ? files_[entry->file].name : describe();
}

std::string MemorySource::describe() const {
  if (files_.empty()) return "no files";
  return files_.size() == 1 ? files_[0].name : str(files_[0].name, " and ", files_.size() - 1, " more");
}

}  // namespace trustformers
