#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#include "../../../base/error.h"
#include "../../../base/memory.h"
#include "../../../quantization/blocks.h"
#include "../simd/isa.h"
#include "gemm.h"
#include "kernel_types.h"

namespace trustformers::cpu {
namespace {

// How each block type becomes a panel of 8 outputs, and back. `codes` gives 32 unsigned quants; `scales` fills what is
// not quants. `set_codes` and `set_scales` write them into a block of zeros.

void nibbles(const std::uint8_t* bytes, std::uint8_t* out) {
  for (int i = 0; i < 16; ++i) {
    out[i] = bytes[i] & 15;
    out[16 + i] = bytes[i] >> 4;
  }
}
void add_bit_4(const std::uint8_t* bits, std::uint8_t* out) {
  for (int i = 0; i < 32; ++i) out[i] = static_cast<std::uint8_t>(out[i] | ((bits[i / 8] >> (i % 8) & 1) << 4));
}
/// Group `g` of 32 in the quants of q4_k and q5_k: low or high nibbles of 32 bytes.
void nibbles_of_group(const std::uint8_t* bytes, int g, std::uint8_t* out) {
  for (int i = 0; i < 32; ++i) out[i] = (bytes[32 * (g / 2) + i] >> (g % 2 * 4)) & 15;
}

void codes(const BlockQ4_0& b, int, std::uint8_t* out) { nibbles(b.qs, out); }
void codes(const BlockQ4_1& b, int, std::uint8_t* out) { nibbles(b.qs, out); }
void codes(const BlockQ5_0& b, int, std::uint8_t* out) { nibbles(b.qs, out), add_bit_4(b.qh, out); }
void codes(const BlockQ5_1& b, int, std::uint8_t* out) { nibbles(b.qs, out), add_bit_4(b.qh, out); }
void codes(const BlockQ4K& b, int g, std::uint8_t* out) { nibbles_of_group(b.qs, g, out); }
void codes(const BlockQ5K& b, int g, std::uint8_t* out) {
  nibbles_of_group(b.qs, g, out);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<std::uint8_t>(out[i] | ((b.qh[i] >> g & 1) << 4));
}
void codes(const BlockQ6K& b, int g, std::uint8_t* out) {
  // Per 128 elements: 64 bytes whose low nibbles are groups 0 and 1 and high nibbles groups 2 and 3; 32 bytes of pairs.
  const std::uint8_t* low = b.ql + 64 * (g / 4) + 32 * (g % 2);
  const std::uint8_t* high = b.qh + 32 * (g / 4);
  for (int i = 0; i < 32; ++i)
    out[i] = static_cast<std::uint8_t>((low[i] >> (g % 4 / 2 * 4) & 15) | ((high[i] >> (2 * (g % 4)) & 3) << 4));
}

void scales(const BlockQ4_0& b, int c, PanelQ40& p) { p.d[c] = b.d.bits; }
void scales(const BlockQ4_1& b, int c, PanelQ41& p) { p.d[c] = b.d.bits, p.m[c] = b.m.bits; }
void scales(const BlockQ5_0& b, int c, PanelQ50& p) { p.d[c] = b.d.bits; }
void scales(const BlockQ5_1& b, int c, PanelQ51& p) { p.d[c] = b.d.bits, p.m[c] = b.m.bits; }
template <class Block, class Panel>
void scales_k(const Block& b, int c, Panel& p) {
  p.d[c] = b.d.bits, p.dmin[c] = b.dmin.bits;
  for (int g = 0; g < 8; ++g) {
    const ScaleMin s = scale_min_k4(b.scales, g);
    p.part[g].scale[c] = s.scale, p.part[g].min[c] = s.minimum;
  }
}
void scales(const BlockQ4K& b, int c, PanelQ4K& p) { scales_k(b, c, p); }
void scales(const BlockQ5K& b, int c, PanelQ5K& p) { scales_k(b, c, p); }
void scales(const BlockQ6K& b, int c, PanelQ6K& p) {
  p.d[c] = b.d.bits;
  for (int g = 0; g < 16; ++g) p.part[g / 2].scale[g % 2][c] = b.scales[g];
}

void set_nibbles(const std::uint8_t* u, std::uint8_t* bytes) {
  for (int i = 0; i < 16; ++i) bytes[i] = static_cast<std::uint8_t>((u[i] & 15) | (u[16 + i] & 15) << 4);
}
void set_bit_4(const std::uint8_t* u, std::uint8_t* bits) {
  for (int i = 0; i < 32; ++i) bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | (u[i] >> 4 & 1) << (i % 8));
}
/// bytes[i] gets the `width` bits of u[i] from `from` on, at bit `to`.
void add_bits(const std::uint8_t* u, int from, int width, int to, std::uint8_t* bytes) {
  for (int i = 0; i < 32; ++i)
    bytes[i] = static_cast<std::uint8_t>(bytes[i] | (u[i] >> from & ((1 << width) - 1)) << to);
}
void set_codes(const std::uint8_t* u, int, BlockQ4_0& b) { set_nibbles(u, b.qs); }
void set_codes(const std::uint8_t* u, int, BlockQ4_1& b) { set_nibbles(u, b.qs); }
void set_codes(const std::uint8_t* u, int, BlockQ5_0& b) { set_nibbles(u, b.qs), set_bit_4(u, b.qh); }
void set_codes(const std::uint8_t* u, int, BlockQ5_1& b) { set_nibbles(u, b.qs), set_bit_4(u, b.qh); }
void set_codes(const std::uint8_t* u, int g, BlockQ4K& b) { add_bits(u, 0, 4, g % 2 * 4, b.qs + 32 * (g / 2)); }
void set_codes(const std::uint8_t* u, int g, BlockQ5K& b) {
  add_bits(u, 0, 4, g % 2 * 4, b.qs + 32 * (g / 2)), add_bits(u, 4, 1, g, b.qh);
}
void set_codes(const std::uint8_t* u, int g, BlockQ6K& b) {
  add_bits(u, 0, 4, g % 4 / 2 * 4, b.ql + 64 * (g / 4) + 32 * (g % 2));
  add_bits(u, 4, 2, 2 * (g % 4), b.qh + 32 * (g / 4));
}

void set_scales(const PanelQ40& p, int c, BlockQ4_0& b) { b.d.bits = p.d[c]; }
void set_scales(const PanelQ41& p, int c, BlockQ4_1& b) { b.d.bits = p.d[c], b.m.bits = p.m[c]; }
void set_scales(const PanelQ50& p, int c, BlockQ5_0& b) { b.d.bits = p.d[c]; }
void set_scales(const PanelQ51& p, int c, BlockQ5_1& b) { b.d.bits = p.d[c], b.m.bits = p.m[c]; }
/// The inverse of scale_min_k4.
template <class Panel, class Block>
void set_scales_k(const Panel& p, int c, Block& b) {
  b.d.bits = p.d[c], b.dmin.bits = p.dmin[c];
  for (int g = 0; g < 4; ++g) {
    const auto &low = p.part[g], &high = p.part[4 + g];
    b.scales[g] = static_cast<std::uint8_t>(low.scale[c] | high.scale[c] >> 4 << 6);
    b.scales[4 + g] = static_cast<std::uint8_t>(low.min[c] | high.min[c] >> 4 << 6);
    b.scales[8 + g] = static_cast<std::uint8_t>((high.scale[c] & 15) | (high.min[c] & 15) << 4);
  }
}
void set_scales(const PanelQ4K& p, int c, BlockQ4K& b) { set_scales_k(p, c, b); }
void set_scales(const PanelQ5K& p, int c, BlockQ5K& b) { set_scales_k(p, c, b); }
void set_scales(const PanelQ6K& p, int c, BlockQ6K& b) {
  b.d.bits = p.d[c];
  for (int g = 0; g < 16; ++g) b.scales[g] = p.part[g / 2].scale[g % 2][c];
}

/// Spreads 32 codes of output `c` over the bytes described in kernel_types.h and quantized_kernels.h.
template <class Part>
void put_codes(const std::uint8_t* u, int c, Part& part) {
  for (int j = 0; j < 4; ++j)
    for (int b = 0; b < 4; ++b)
      part.low[32 * j + 4 * c + b] = static_cast<std::uint8_t>((u[4 * j + b] & 15) | ((u[16 + 4 * j + b] & 15) << 4));
  if constexpr (requires { part.high; }) {
    constexpr int bits = sizeof(part.high) / 32;  // beyond four
    for (int b = 0; b < 4; ++b)
      for (int plane = 0; plane < bits; ++plane) {
        unsigned byte = 0;
        for (int t = 0; t < 8 / bits; ++t)
          byte |= static_cast<unsigned>(u[4 * (plane * 8 / bits + t) + b] >> 4) << (bits * t);
        part.high[32 * plane + 4 * c + b] = static_cast<std::uint8_t>(byte);
      }
  }
}

/// The inverse of put_codes.
template <class Part>
void take_codes(const Part& part, int c, std::uint8_t* u) {
  for (int j = 0; j < 4; ++j)
    for (int b = 0; b < 4; ++b) {
      const std::uint8_t byte = part.low[32 * j + 4 * c + b];
      u[4 * j + b] = byte & 15, u[16 + 4 * j + b] = byte >> 4;
    }
  if constexpr (requires { part.high; }) {
    constexpr int bits = sizeof(part.high) / 32;
    for (int plane = 0; plane < bits; ++plane)
      for (int t = 0; t < 8 / bits; ++t)
        for (int b = 0; b < 4; ++b) {
          const int high = part.high[32 * plane + 4 * c + b] >> (bits * t) & ((1 << bits) - 1);
          std::uint8_t& to = u[4 * (plane * 8 / bits + t) + b];
          to = static_cast<std::uint8_t>(to | high << 4);
        }
  }
}

template <class Block, class Panel>
void pack_block(const Block& block, int c, Panel& panel) {
  scales(block, c, panel);
  std::uint8_t u[32];
  if constexpr (requires { panel.part; }) {
    for (int g = 0; g < 8; ++g) codes(block, g, u), put_codes(u, c, panel.part[g]);
  } else {
    codes(block, 0, u), put_codes(u, c, panel);
  }
}
void pack_block(const BlockQ8_0& block, int c, PanelQ80& panel) {
  panel.d[c] = block.d.bits;
  for (int j = 0; j < 8; ++j) std::memcpy(panel.q + 32 * j + 4 * c, block.qs + 4 * j, 4);
}

template <class Block, class Panel>
void unpack_block(const Panel& panel, int c, Block& block) {
  set_scales(panel, c, block);
  std::uint8_t u[32];
  if constexpr (requires { panel.part; }) {
    for (int g = 0; g < 8; ++g) take_codes(panel.part[g], c, u), set_codes(u, g, block);
  } else {
    take_codes(panel, c, u), set_codes(u, 0, block);
  }
}
void unpack_block(const PanelQ80& panel, int c, BlockQ8_0& block) {
  block.d.bits = panel.d[c];
  for (int j = 0; j < 8; ++j) std::memcpy(block.qs + 4 * j, panel.q + 32 * j + 4 * c, 4);
}

template <class Block, class Panel>
void pack_block_panel(const WeightView& w, std::int64_t first_row, std::byte* out) {
  const int block_k = info(w.dtype).block_elements;
  auto* panels = reinterpret_cast<Panel*>(out);
  for (int c = 0; c < 8 && first_row + c < w.rows; ++c) {
    const std::byte* row =
        w.data + (first_row + c) * (w.row_stride / block_k) * static_cast<std::int64_t>(sizeof(Block));
    for (std::int64_t b = 0; b < w.columns / block_k; ++b) {
      Block block;  // a copy, because blocks in a file need not be aligned
      std::memcpy(&block, row + b * static_cast<std::int64_t>(sizeof(Block)), sizeof(Block));
      pack_block(block, c, panels[b]);
    }
  }
}

/// `w` says where the rows lie from `out` on.
template <class Block, class Panel>
void unpack_block_panel(const std::byte* panel, const WeightView& w, std::int64_t first_row, std::byte* out) {
  const int block_k = info(w.dtype).block_elements;
  const auto* panels = reinterpret_cast<const Panel*>(panel);
  for (int c = 0; c < 8 && first_row + c < w.rows; ++c) {
    std::byte* row = out + (first_row + c) * (w.row_stride / block_k) * static_cast<std::int64_t>(sizeof(Block));
    for (std::int64_t b = 0; b < w.columns / block_k; ++b) {
      Block block{};
      unpack_block(panels[b], c, block);
      std::memcpy(row + b * static_cast<std::int64_t>(sizeof(Block)), &block, sizeof(Block));
    }
  }
}

template <class T>
void pack_plain_panel(const WeightView& w, std::int64_t first_row, std::byte* out) {
  auto* panel = reinterpret_cast<T*>(out);
  for (int c = 0; c < panel_width && first_row + c < w.rows; ++c) {
    const std::byte* row = w.data + (first_row + c) * w.row_stride * static_cast<std::int64_t>(sizeof(T));
    for (std::int64_t k = 0; k < w.columns; ++k)
      std::memcpy(panel + k * panel_width + c, row + k * w.column_stride * static_cast<std::int64_t>(sizeof(T)),
                  sizeof(T));
  }
}
template <class T>
void unpack_plain_panel(const std::byte* from, const WeightView& w, std::int64_t first_row, std::byte* out) {
  const auto* panel = reinterpret_cast<const T*>(from);
  for (int c = 0; c < panel_width && first_row + c < w.rows; ++c) {
    std::byte* row = out + (first_row + c) * w.row_stride * static_cast<std::int64_t>(sizeof(T));
    for (std::int64_t k = 0; k < w.columns; ++k)
      std::memcpy(row + k * w.column_stride * static_cast<std::int64_t>(sizeof(T)), panel + k * panel_width + c,
                  sizeof(T));
  }
}

struct Form {
  void (*pack)(const WeightView& weight, std::int64_t first_row, std::byte* out) = nullptr;
  void (*unpack)(const std::byte* panel, const WeightView& weight, std::int64_t first_row, std::byte* out) = nullptr;
  std::int64_t bytes = 0;  // of a panel's block of k
  int k = 1;
};

template <class Block, class Panel>
Form block_form(int k) {
  return {pack_block_panel<Block, Panel>, unpack_block_panel<Block, Panel>, sizeof(Panel), k};
}
template <class T>
Form plain_form() {
  return {pack_plain_panel<T>, unpack_plain_panel<T>, sizeof(T) * panel_width, 1};
}

Form form_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return plain_form<float>();
    case DType::f16:
    case DType::bf16: return plain_form<std::uint16_t>();
    case DType::q4_0: return block_form<BlockQ4_0, PanelQ40>(32);
    case DType::q4_1: return block_form<BlockQ4_1, PanelQ41>(32);
    case DType::q5_0: return block_form<BlockQ5_0, PanelQ50>(32);
    case DType::q5_1: return block_form<BlockQ5_1, PanelQ51>(32);
    case DType::q8_0: return block_form<BlockQ8_0, PanelQ80>(32);
    case DType::q4_k: return block_form<BlockQ4K, PanelQ4K>(256);
    case DType::q5_k: return block_form<BlockQ5K, PanelQ5K>(256);
    case DType::q6_k: return block_form<BlockQ6K, PanelQ6K>(256);
    default: return {};
  }
}

/// Memory of its own size, so that it fits where other weights were.
std::shared_ptr<std::byte> allocate_aligned(std::size_t bytes) {
  constexpr std::align_val_t alignment{64};
  void* const start = ::operator new(bytes, alignment, std::nothrow);
  check(start != nullptr, ErrorCode::out_of_memory, "[pack] cannot allocate ", bytes, " bytes");
  return {static_cast<std::byte*>(start), [](std::byte* p) { ::operator delete(p, std::align_val_t{64}); }};
}

/// Memory for panels out of shared chunks of huge pages: a single weight is often smaller than one page.
std::shared_ptr<std::byte> take_from_arena(std::size_t bytes) {
  constexpr std::size_t chunk_bytes = std::size_t{32} << 20;
  if (bytes >= chunk_bytes / 2) return allocate_huge(bytes);
  static std::mutex mutex;
  static std::weak_ptr<std::byte> chunk;  // lives as long as a matrix in it
  static std::size_t used = 0;
  const std::scoped_lock lock(mutex);
  std::shared_ptr<std::byte> held = chunk.lock();
  if (!held || used + bytes > chunk_bytes) {
    held = allocate_huge(chunk_bytes);
    chunk = held;
    used = 0;
  }
  std::byte* part = held.get() + used;
  used += (bytes + 63) / 64 * 64;
  return {std::move(held), part};
}

}  // namespace

bool PackedMatrix::has_form(DType dtype) { return form_of(dtype).pack != nullptr; }

std::shared_ptr<const PackedMatrix> PackedMatrix::pack(ThreadPool& threads, const WeightView& weight,
                                                       std::shared_ptr<const void>* owner) {
  const Form form = form_of(weight.dtype);
  check(form.pack != nullptr, ErrorCode::unsupported, "[pack] no packed form for ", to_string(weight.dtype));
  check(form.k == 1 || (weight.column_stride == 1 && weight.columns % form.k == 0 && weight.row_stride % form.k == 0),
        ErrorCode::invalid_argument, "[pack] rows of ", to_string(weight.dtype), " must be whole blocks of ", form.k,
        " without gaps, but there are ", weight.columns, " columns with strides ", weight.row_stride, " and ",
        weight.column_stride);
  std::shared_ptr<PackedMatrix> packed(new PackedMatrix());
  packed->dtype_ = weight.dtype;
  packed->rows_ = weight.rows;
  packed->columns_ = weight.columns;
  const std::int64_t width = packed->panel_columns();
  packed->panels_ = (weight.rows + width - 1) / width;
  packed->panel_bytes_ = weight.columns / form.k * form.bytes;
  packed->source_ = weight;
  // The super-blocks grow a little: their scales are whole bytes in a panel.
  const bool in_place = owner && weight.rows % width == 0 && weight.column_stride == 1 &&
                        weight.row_stride == weight.columns &&
                        packed->panel_bytes_ == byte_size(weight.dtype, width * weight.columns);
  std::shared_ptr<std::byte> data;
  if (in_place) {
    data = {const_cast<std::byte*>(weight.data), [held = *owner](std::byte*) {}};
  } else {
    packed->panel_bytes_ = (packed->panel_bytes_ + 63) / 64 * 64;
    data = owner ? allocate_aligned(packed->bytes()) : take_from_arena(packed->bytes());
  }
  const std::int64_t panel_bytes = packed->panel_bytes_;
  threads.parallel_for(packed->panels_, 4, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::byte> rows(in_place ? static_cast<std::size_t>(panel_bytes) : 0);
    for (std::int64_t i = begin; i < end; ++i) {
      std::byte* out = data.get() + i * panel_bytes;
      if (in_place) {
        std::memcpy(rows.data(), out, rows.size());
        WeightView part = weight;
        part.data = rows.data(), part.rows = width;
        form.pack(part, 0, out);
        continue;
      }
      // Outputs beyond the last row must be numbers: their products are computed and dropped.
      if ((i + 1) * width > weight.rows) std::memset(out, 0, static_cast<std::size_t>(panel_bytes));
      form.pack(weight, i * width, out);
    }
  });
  packed->data_ = std::move(data);
  if (owner) {
    packed->source_.data = nullptr;
    owner->reset();
  }
  return packed;
}

const std::byte* PackedMatrix::unpacked() const {
  std::call_once(unpack_once_, [&] {
    const Form form = form_of(dtype_);
    const auto bytes = allocate_aligned(static_cast<std::size_t>(byte_size(dtype_, rows_ * columns_)));
    for (std::int64_t i = 0; i < panels_; ++i) form.unpack(panel(i), source_, i * panel_columns(), bytes.get());
    unpacked_ = bytes;
  });
  return unpacked_.get();
}

void PackedMatrix::copy_row(std::int64_t n, std::byte* out) const {
  const std::byte* from = panel(n / panel_columns());
  const std::int64_t column = n % panel_columns();
  if (!is_block(dtype_)) {
    const auto bytes = static_cast<std::int64_t>(info(dtype_).block_bytes);
    for (std::int64_t k = 0; k < columns_; ++k)
      std::memcpy(out + k * bytes, from + (k * panel_width + column) * bytes, static_cast<std::size_t>(bytes));
    return;
  }
  const auto widen = kernels().gemm.quantized(dtype_).widen;
  alignas(64) float wide[k_block * panel_width];
  auto* row = reinterpret_cast<float*>(out);
  for (std::int64_t k0 = 0; k0 < columns_; k0 += k_block) {
    const std::int64_t count = std::min(k_block, columns_ - k0);
    widen(from, k0, count, wide);
    for (std::int64_t k = 0; k < count; ++k) row[k0 + k] = wide[k * panel_width + column];
  }
}

bool PackedMatrix::is_of(const WeightView& weight) const {
  return weight.data == source_.data && weight.dtype == source_.dtype && weight.rows == source_.rows &&
         weight.columns == source_.columns && weight.row_stride == source_.row_stride &&
         weight.column_stride == source_.column_stride;
}

}  // namespace trustformers::cpu
